//! `cargo xtask up`: from a checkout to a served course.

use std::{
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::{
    build::{self, Profile},
    need::{disk, engine, packages},
    shell::{self, root, say},
};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Do not ask before installing packages or starting an engine.
    #[arg(long, short)]
    yes: bool,
    /// Quicker to build, slower to run.
    #[arg(long)]
    dev: bool,
    /// Where to listen; loopback only.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Set everything up, but do not serve.
    #[arg(long)]
    no_serve: bool,
}

pub(crate) fn execute(options: &Options) -> Result<()> {
    if std::env::consts::ARCH != "x86_64" {
        bail!("Bulkhead's sandboxes are built for x86_64 so far; this machine is {}.", std::env::consts::ARCH);
    }
    disk::ensure(disk::Job::Serve)?;
    packages::ensure(&[packages::Group::Build], options.yes)?;
    let host = engine::ensure_for_serving(options.yes)?;
    let profile = Profile::from_release(!options.dev);
    build::all(profile)?;
    let binary = build::binary(profile);
    // The CLI draws its own progress.
    shell::run(
        "Sandbox images",
        Command::new(&binary)
            .current_dir(root())
            .env("DOCKER_HOST", &host)
            .stdin(Stdio::null())
            .args(["images", "build"]),
    )?;
    if options.no_serve {
        say("\nReady. Serve with: cargo xtask up");
        return Ok(());
    }
    let mut server = Command::new(&binary);
    server
        .current_dir(root())
        .env("DOCKER_HOST", &host)
        .args(["serve", "--local", "--listen", &options.listen, "--data"])
        .arg(root().join(".bulkhead"));
    // In place of this process: signals and the exit code are the server's own.
    bail!("cannot start {}: {}", binary.display(), server.exec())
}
