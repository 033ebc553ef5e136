//! The promised figures, each beside a peer in the same run: `cargo xtask bench [NAME…] [--rounds N]`.
//!
//! ```text
//! start    start click → prompt and → ready, beside the engine's own create and start of the same container
//! memory   an idle sandbox, and the server with ten open terminals
//! grading  a check of the whole lab
//! echo     a keystroke through our terminal, beside `docker exec -it` and `docker exec -i`
//! flood    50 MB through our terminal, beside `docker exec -it`
//! page     lesson pages a second on one core, beside nginx with the same bytes
//! size     the WASM, raw and brotli
//! ```

mod bench;
mod echo;
mod flood;
mod grading;
mod memory;
mod page;
mod peer;
mod report;
mod size;
mod start;

use std::process::ExitCode;

use anyhow::Result;

use report::Report;

const ALL: [&str; 7] = ["start", "memory", "grading", "echo", "flood", "page", "size"];

fn main() -> ExitCode {
    let mut rounds = 20;
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // What cargo passes to every bench target.
            "--bench" => {}
            "--rounds" => rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(rounds),
            _ => names.push(argument),
        }
    }
    let mut report = Report::default();
    let result = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(take(&names, rounds, &mut report)));
    report.print();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&format!("✗ {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn take(names: &[String], rounds: usize, report: &mut Report) -> Result<()> {
    for name in ALL {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        report::say(&format!("▸ {name}"));
        match name {
            "start" => start::take(rounds, report).await?,
            "memory" => memory::take(report).await?,
            "grading" => grading::take(rounds, report).await?,
            "echo" => echo::take(report).await?,
            "flood" => flood::take(report).await?,
            "page" => page::take(report).await?,
            _ => size::take(report)?,
        }
    }
    Ok(())
}
