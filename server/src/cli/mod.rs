//! The command line. One file for each command; every one says with its exit code what came of it.
//!
//! ```text
//! out      what a command prints: results on standard output, everything else on standard error
//! exit     what the exit codes mean
//! engine   the container engine, as a command wants it
//! data     the data folder, its lock, its database
//! course   the lessons that the binary brings, or a folder
//!
//! serve    the web server
//! doctor   what this machine can do
//! images   sandbox images: build, status, prune
//! lab      list, new, lint, test; start, shell, check, stop: a sandbox without the web server
//! content  lessons: lint, new, list, preview, run
//! user     accounts: create, list, set-role, set-password
//! ```

mod content;
mod course;
mod data;
mod doctor;
mod engine;
mod exit;
mod images;
mod lab;
mod out;
mod serve;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use self::exit::{CliError, Outcome};

/// A hands-on training lab for container security.
#[derive(Parser)]
#[command(name = "bulkhead", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the course and its labs.
    Serve(serve::Options),
    /// Proves what this machine can do, by booting a sandbox and trying to get out of it.
    Doctor(doctor::Options),
    /// Builds the images that sandboxes run.
    #[command(subcommand)]
    Images(images::Command),
    /// Writes, proves and runs labs.
    #[command(subcommand)]
    Lab(lab::Command),
    /// Writes and checks lessons.
    #[command(subcommand)]
    Content(content::Command),
    /// Makes and changes accounts.
    #[command(subcommand)]
    User(user::Command),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log(matches!(cli.command, Command::Serve(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&CliError::Machine(error.into())),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(options) => serve::run(options).await,
            Command::Doctor(options) => doctor::run(options).await,
            Command::Images(command) => images::run(command).await,
            Command::Lab(command) => lab::run(command).await,
            Command::Content(command) => content::run(command).await,
            Command::User(command) => user::run(command).await,
        }
    });
    // A thread that still waits for a key must not hold the process.
    runtime.shutdown_background();
    match outcome {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Not) => ExitCode::from(exit::NOT),
        Err(error) => exit::failed(&error),
    }
}

/// Logs go to standard error; `RUST_LOG` says how much.
fn log(serving: bool) {
    let usual = if serving { "info" } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::env::var_os("BULKHEAD_LOG").is_some_and(|format| format == "json") {
        log.json().try_init()
    } else {
        log.with_target(false).try_init()
    };
    debug_assert!(started.is_ok(), "the log is set up once");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
