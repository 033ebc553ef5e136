//! `bulkhead lab stop`

use bulkhead_labs::engine::SandboxEngine;
use clap::Args;

use super::sandbox::Bench;
use crate::cli::{
    exit::{CliResult, Outcome, machine},
    images::LabsOption,
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    id: String,
    #[command(flatten)]
    labs: LabsOption,
}

/// Idempotent.
pub(super) async fn run(options: Options) -> CliResult {
    let bench = Bench::open(&options.labs, &options.id).await?;
    bench.engine.destroy(&bench.id()?).await.map_err(machine)?;
    out::say(&format!("nothing of {} is left", bench.lab.id));
    Ok(Outcome::Fine)
}
