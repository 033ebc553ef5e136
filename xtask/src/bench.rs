//! `cargo xtask bench`: the figures that are promised, each beside a peer in the same run.

use anyhow::Result;

use crate::{
    build::{self, Profile},
    need::{engine::TestEngine, packages},
    shell::{self, cargo, command},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Do not ask before installing packages.
    #[arg(long, short)]
    yes: bool,
    /// Passed on: names of the figures to take; all by default.
    figures: Vec<String>,
}

pub(crate) fn execute(options: &Options) -> Result<()> {
    packages::ensure(&[packages::Group::Build, packages::Group::Bench], options.yes)?;
    let engine = TestEngine::start(options.yes)?;
    build::all(Profile::Release)?;
    let binary = build::binary(Profile::Release);
    shell::run("Sandbox images", command(&binary).env("DOCKER_HOST", &engine.host).args(["images", "build"]))?;
    shell::run(
        "Figures",
        cargo(&["bench", "--locked", "-p", "bulkhead-tests", "--bench", "figures", "--"])
            .args(&options.figures)
            .env("DOCKER_HOST", &engine.host)
            .env("BULKHEAD_BINARY", &binary),
    )
}
