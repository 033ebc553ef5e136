//! The two commands of the README, and the steps they are made of.
//!
//! ```text
//! up        installs what is missing, builds, serves          (the README's first command)
//! test      every check this project has                      (the README's second command; .ci/run calls it)
//! build     statics | site | server                           (the parts that cargo alone cannot do)
//! bench     the figures that are promised
//! need/     packages, wasm toolchain, container engine: found or set up
//! build/    static binaries, WASM + bundle, server
//! licences  every dependency's licence against the allow-list
//! shell     running commands so that a person can follow
//! ```

mod bench;
mod build;
mod licences;
mod need;
mod shell;
mod test;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs and tests Bulkhead.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up what is missing, build, and serve on loopback.
    Up(up::Options),
    /// Pass the tests, with an engine, databases and a browser of their own.
    Test(test::Options),
    /// Build one part.
    Build {
        #[arg(value_enum)]
        part: build::Part,
        /// Optimised, as `up` serves it.
        #[arg(long)]
        release: bool,
    },
    /// Print the figures that are promised, beside a peer in the same run.
    Bench(bench::Options),
    /// Check every dependency's licence.
    Licences,
}

fn main() -> ExitCode {
    match carry_out(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("\n✗ {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(options) => up::execute(&options),
        Command::Test(options) => test::execute(&options),
        Command::Build { part, release } => build::part(part, build::Profile::from_release(release)),
        Command::Bench(options) => bench::execute(&options),
        Command::Licences => licences::check(),
    }
}
