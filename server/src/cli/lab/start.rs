//! `bulkhead lab start`

use std::time::Duration;

use bulkhead_labs::{
    engine::SandboxEngine,
    sandbox::{Progress, Step, provision},
};
use clap::Args;
use indicatif::ProgressBar;

use super::sandbox::Bench;
use crate::cli::{
    exit::{CliError, CliResult, Outcome, machine},
    images::LabsOption,
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    id: String,
    /// Destroys what is there and starts clean.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    labs: LabsOption,
}

pub(super) async fn run(options: Options) -> CliResult {
    let bench = Bench::open(&options.labs, &options.id).await?;
    let unmet = bench.lab.requires.unmet(bench.engine.capabilities());
    if !unmet.is_empty() {
        return Err(CliError::Machine(unmet.join(" ").into()));
    }
    if options.fresh {
        bench.engine.destroy(&bench.id()?).await.map_err(machine)?;
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(120));
    let show = |progress| match progress {
        Progress::Began(step) => bar.set_message(word(step)),
        Progress::Done(Step::Ready, _) => {}
        Progress::Done(step, took) => bar.suspend(|| out::say(&format!("✓ {} ({} ms)", word(step), took.as_millis()))),
    };
    let made = provision(&bench.engine, &bench.plan()?, &show).await;
    bar.finish_and_clear();
    made.map_err(machine)?;
    let id = &bench.lab.id;
    out::say(&format!(
        "Ready. A terminal: bulkhead lab shell {id}. Its grading: bulkhead lab check {id}. Its end: bulkhead lab stop {id}"
    ));
    Ok(Outcome::Fine)
}

fn word(step: Step) -> &'static str {
    match step {
        Step::Creating => "creating the sandbox",
        Step::Booting => "booting its machines",
        Step::SettingUp => "setting up the lab",
        Step::Ready => "ready",
    }
}
