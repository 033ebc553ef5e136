//! `bulkhead lab`: labs. Authors write and prove them; whoever likes runs one without the web server.
//!
//! ```text
//! list    what labs there are            new     the frame of a new one
//! lint    what is wrong in one           test    the five proofs
//! start   a sandbox, as the server would make it
//! shell   a terminal in it               check   its grading             stop   nothing left of it
//! sandbox what start, shell, check and stop have in common
//! exec    a command in it, with pipes
//! raw     this terminal, handed over to another machine's shell
//! ```

mod check;
mod exec;
mod lint;
mod list;
mod new;
mod raw;
mod sandbox;
mod shell;
mod start;
mod stop;
mod test;

use bulkhead_labs::manifest::{Catalog, Lab, Machine};
use clap::Subcommand;

use super::exit::{CliError, CliResult};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists all labs.
    List(list::Options),
    /// Writes the frame of a new lab.
    New(new::Options),
    /// Checks labs; each finding names file, line and what would be right.
    Lint(lint::Options),
    /// Proves labs on the engine: start, solution, wrong fixes, grading twice, nothing left.
    Test(test::Options),
    /// Makes a lab's sandbox, as the server would.
    Start(start::Options),
    /// Opens a terminal in a started lab.
    Shell(shell::Options),
    /// Runs a command on a started lab's machine; standard input and output are passed on.
    Exec(exec::Options),
    /// Grades a started lab.
    Check(check::Options),
    /// Ends a started lab; nothing of it is left.
    Stop(stop::Options),
}

pub(super) async fn run(command: Command) -> CliResult {
    match command {
        Command::List(options) => list::run(options).await,
        Command::New(options) => new::run(&options),
        Command::Lint(options) => lint::run(&options),
        Command::Test(options) => test::run(options).await,
        Command::Start(options) => start::run(options).await,
        Command::Shell(options) => shell::run(options).await,
        Command::Exec(options) => exec::run(options).await,
        Command::Check(options) => check::run(options).await,
        Command::Stop(options) => stop::run(options).await,
    }
}

/// Where on a lab's machines, and as whom.
#[derive(clap::Args)]
struct Target {
    /// Without it, the student's machine.
    #[arg(long)]
    machine: Option<String>,
    /// A user id on that machine; without it the student's account for a shell, root for a command.
    #[arg(long)]
    uid: Option<u32>,
}

impl Target {
    fn machine<'l>(&self, lab: &'l Lab) -> CliResult<&'l Machine> {
        let known = match &self.machine {
            Some(name) => lab.machine(name),
            None => lab.host(),
        };
        known.ok_or_else(|| {
            let names: Vec<&str> = lab.machines.iter().map(|machine| machine.name.as_str()).collect();
            CliError::Usage(format!("the lab's machines are: {}", names.join(", ")))
        })
    }
}

fn find<'c>(catalog: &'c Catalog, id: &str) -> CliResult<&'c Lab> {
    catalog.lab(id).ok_or_else(|| {
        let known: Vec<&str> = catalog.labs().iter().map(|lab| lab.id.as_str()).collect();
        let broken = catalog.diagnostics().iter().find(|finding| finding.file.starts_with(&format!("{id}/")));
        CliError::Usage(match broken {
            Some(finding) => format!("the lab `{id}` has faults:\n{finding}"),
            None => format!("there is no lab `{id}`; there are: {}", known.join(", ")),
        })
    })
}
