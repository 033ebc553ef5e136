//! `bulkhead lab exec`: a command on the lab's machine, for scripts.

use bulkhead_agent::protocol::Open;
use bulkhead_labs::link::{Ending, Input, Process};
use clap::Args;
use tokio::io::AsyncReadExt;

use super::sandbox::Bench;
use crate::cli::{
    exit::{CliError, CliResult, Outcome, machine},
    images::LabsOption,
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    id: String,
    #[command(flatten)]
    on: super::Target,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true)]
    command: Vec<String>,
    #[command(flatten)]
    labs: LabsOption,
}

pub(super) async fn run(options: Options) -> CliResult {
    let bench = Bench::open(&options.labs, &options.id).await?;
    let target = options.on.machine(&bench.lab)?;
    let link = bench.link().await?;
    let open =
        Open { machine: target.name.to_string(), uid: options.on.uid.unwrap_or(0), argv: options.command, tty: None };
    let Process { mut output, input, .. } = link.start(open).await.map_err(machine)?;
    let typing = tokio::spawn(typed(input));
    while let Some(bytes) = output.next().await {
        out::raw(&bytes).map_err(machine)?;
    }
    typing.abort();
    match output.ending().await {
        Ending::Exited { code, stderr } => {
            if !stderr.is_empty() {
                out::complain(stderr.trim_end());
            }
            Ok(Outcome::from_yes(code == 0))
        }
        Ending::Detached => Err(CliError::Machine("the command went on without us".into())),
        Ending::Lost(why) => Err(machine(why)),
    }
}

/// Standard input, to its end; a command that is gone wants no more of it.
async fn typed(input: Input) {
    let mut stdin = tokio::io::stdin();
    let mut buffer = vec![0; 32 * 1024];
    while let Ok(count) = stdin.read(&mut buffer).await {
        let sent = if count == 0 { input.end().await } else { input.send(buffer[..count].to_vec()).await };
        if count == 0 || sent.is_err() {
            return;
        }
    }
}
