//! `bulkhead lab shell`: this terminal becomes one on the lab's machine.

use bulkhead_agent::protocol::{Open, Size};
use bulkhead_labs::link::{Ending, Process};
use clap::Args;
use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
};

use super::{raw, sandbox::Bench};
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
    #[command(flatten)]
    labs: LabsOption,
}

pub(super) async fn run(options: Options) -> CliResult {
    let bench = Bench::open(&options.labs, &options.id).await?;
    let target = options.on.machine(&bench.lab)?;
    let link = bench.link().await?;
    let uid = match (options.on.uid, &target.user) {
        (Some(uid), _) => uid,
        (None, Some(user)) => link.account(target.name.as_str(), user).await.map_err(machine)?,
        (None, None) => 0,
    };
    let tty = Some(raw::size().unwrap_or(Size { cols: 80, rows: 24 }));
    let open = Open { machine: target.name.to_string(), uid, argv: Vec::new(), tty };
    let process = link.start(open).await.map_err(machine)?;
    let id = process.id;
    let held = raw::hold().map_err(machine)?;
    let ending = pass(&link, process).await;
    drop(held);
    match ending? {
        Ending::Exited { code: 0, .. } => Ok(Outcome::Fine),
        Ending::Exited { .. } => Ok(Outcome::Not),
        Ending::Detached => Err(CliError::Machine("another terminal took this one over".into())),
        Ending::Lost(why) => {
            let _gone = link.close(id).await;
            Err(machine(why))
        }
    }
}

/// Keys one way, output the other, until the shell ends.
async fn pass(link: &bulkhead_labs::link::AgentLink, process: Process) -> CliResult<Ending> {
    let Process { id, mut output, input, .. } = process;
    let mut resized = signal(SignalKind::window_change()).map_err(machine)?;
    let mut keys = tokio::io::stdin();
    let mut buffer = [0; 4096];
    let mut typing = true;
    loop {
        tokio::select! {
            printed = output.next() => match printed {
                Some(bytes) => out::raw(&bytes).map_err(machine)?,
                None => return Ok(output.ending().await),
            },
            typed = keys.read(&mut buffer), if typing => match typed.map_err(machine)? {
                0 => {
                    typing = false;
                    // End of input, as a terminal says it.
                    input.send(vec![4]).await.map_err(machine)?;
                }
                count => input.send(buffer[..count].to_vec()).await.map_err(machine)?,
            },
            _ = resized.recv() => if let Some(size) = raw::size() {
                link.resize(id, size).await.map_err(machine)?;
            },
        }
    }
}
