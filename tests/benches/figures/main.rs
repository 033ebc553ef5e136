//! `cargo xtask bench`: the figures that are promised, each beside a peer in the same run.
//!
//! ```text
//! start    click → prompt, inner engine, ready       beside create + start of the same container, without the platform
//! memory   an idle sandbox; the server               beside a container of the same image that nobody set up
//! grading  a whole lab, from the click to the score  beside one `docker exec` for each check
//! echo     a key, there and back                     beside `docker exec`, with a terminal and without, in the same container
//! flood    `cat` of 50 MB                            beside the same by `docker exec` in the same container
//! live     a sandbox that is watched while nothing happens  beside the same without a page
//! page     a lesson's page                           beside nginx, serving the same bytes from a file
//! size     what a browser downloads
//!
//! lab      a server with one student and his sandbox; the engine beneath it
//! raw      the peers' containers and programs
//! command  the peer that is the `docker` command
//! steady   readers at a fixed rate
//! sample   medians and percentiles
//! report   the rows, as a table and as figures.json among the artefacts
//! ```
//!
//! Arguments: names of figures (all by default) and `--rounds N` (20) for `start` and `grading`. `DOCKER_HOST` and
//! `BULKHEAD_BINARY` say what is measured.

mod command;
mod echo;
mod flood;
mod grading;
mod lab;
mod live;
mod memory;
mod page;
mod raw;
mod report;
mod sample;
mod size;
mod start;
mod steady;

use anyhow::{Context as _, Result, bail};
use report::Report;

const NAMES: [&str; 8] = ["size", "start", "memory", "grading", "live", "echo", "flood", "page"];
const ROUNDS: usize = 20;

struct Options {
    names: Vec<String>,
    rounds: usize,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { names: Vec::new(), rounds: ROUNDS };
        // Cargo adds `--bench`.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            if argument == "--rounds" {
                let rounds = arguments.next().context("--rounds needs a number")?;
                options.rounds = rounds.parse().ok().filter(|&n| n > 0).context("--rounds needs a number from 1 up")?;
            } else if NAMES.contains(&argument.as_str()) {
                options.names.push(argument);
            } else {
                bail!("no figure is called {argument}; there are: {}", NAMES.join(", "));
            }
        }
        if options.names.is_empty() {
            options.names = NAMES.map(str::to_owned).to_vec();
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let mut report = Report::default();
    let mut failed = Vec::new();
    for name in &options.names {
        report::say(&format!("{name} …"))?;
        let done = match name.as_str() {
            "start" => start::measure(&mut report, options.rounds).await,
            "memory" => memory::measure(&mut report).await,
            "grading" => grading::measure(&mut report, options.rounds).await,
            "live" => live::measure(&mut report).await,
            "echo" => echo::measure(&mut report).await,
            "flood" => flood::measure(&mut report).await,
            "page" => page::measure(&mut report).await,
            _ => size::measure(&mut report),
        };
        if let Err(error) = done {
            report::say(&format!("{name} could not be taken: {error:#}"))?;
            failed.push(name.as_str());
        }
    }
    report.print()?;
    report.save()?;
    if !failed.is_empty() {
        bail!("not taken: {}", failed.join(", "));
    }
    Ok(())
}
