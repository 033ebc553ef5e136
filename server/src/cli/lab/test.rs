//! `bulkhead lab test`: the five proofs, of several labs side by side.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use bulkhead_labs::{
    manifest::{Diagnostic, Lab},
    proof::{self, ProofEvent, Table, TestEvent, Tested, junit, prove_all},
};
use clap::Args;
use indicatif::ProgressBar;

use super::find;
use crate::{
    cli::{
        engine,
        exit::{CliError, CliResult, Outcome, machine},
        images::LabsOption,
        out,
    },
    clock::Clock,
    random::Random,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    ids: Vec<String>,
    /// Every lab there is.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Labs at once; without it, as many as there are processors.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    labs: LabsOption,
    #[arg(long)]
    json: bool,
    /// Writes a JUnit report as well, for a CI: a suite for each lab.
    #[arg(long)]
    junit: Option<PathBuf>,
}

pub(super) async fn run(options: Options) -> CliResult {
    let installed = options.labs.installed();
    let catalog = installed.catalog().map_err(machine)?;
    let labs: Vec<&Lab> = match (options.all, options.ids.as_slice()) {
        (true, _) => catalog.labs().iter().collect(),
        (false, []) => return Err(CliError::Usage("name a lab, or say --all".to_owned())),
        (false, ids) => ids.iter().map(|id| find(&catalog, id)).collect::<CliResult<_>>()?,
    };
    // A lab that does not load is not proved.
    let loads = !(options.all && catalog.diagnostics().iter().any(Diagnostic::is_error));
    for finding in catalog.diagnostics().iter().filter(|_| options.all) {
        out::complain(&finding.to_string());
    }
    let images = installed.images(&catalog).map_err(machine)?;
    let engine = engine::connect("test").await?;
    let mut asked = Vec::new();
    for lab in labs {
        let image = images.of(lab.id.as_str()).ok_or_else(|| CliError::Machine("the lab has no image".into()))?;
        let now = Clock::system().now().to_datetime();
        asked.push((lab, proof::Options { image: image.to_owned(), seed: Random::system().bytes(), now }));
    }
    let jobs = options.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let shown = Shown::new(options.json, asked.len());
    let tested = prove_all(&engine, &asked, jobs, &|lab, event| shown.event(lab, event)).await;
    shown.end();
    if options.json {
        out::json(&tested);
    } else if tested.len() > 1 {
        out::say(&Table(&tested).to_string());
    }
    if let Some(file) = &options.junit {
        write_junit(&tested, file)?;
    }
    Ok(Outcome::from_yes(loads && tested.iter().all(Tested::stands)))
}

fn write_junit(tested: &[Tested], file: &Path) -> CliResult<()> {
    let xml = junit(tested).map_err(|why| CliError::Machine(why.into()))?;
    std::fs::write(file, xml).map_err(|error| CliError::Machine(format!("{}: {error}", file.display()).into()))
}

/// Which proofs are under way, where a person watches; what came of a lab, when it ended.
struct Shown {
    bar: ProgressBar,
    quiet: bool,
    total: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ended: usize,
    running: BTreeMap<String, String>,
}

impl Shown {
    fn new(quiet: bool, total: usize) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { bar, quiet, total, state: Mutex::default() }
    }

    fn event(&self, lab: &Lab, event: TestEvent<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            TestEvent::Proof(ProofEvent::Began(kind)) => {
                state.running.insert(lab.id.to_string(), kind.to_string());
            }
            TestEvent::Proof(ProofEvent::Ended(_)) => {}
            TestEvent::Ended(tested) => {
                state.running.remove(lab.id.as_str());
                state.ended += 1;
                if !self.quiet {
                    self.bar.suspend(|| out::say(&told(tested)));
                }
            }
        }
        let running: Vec<String> = state.running.iter().map(|(lab, proof)| format!("{lab}: {proof}")).collect();
        self.bar.set_message(format!("{} of {} labs; {}", state.ended, self.total, running.join("; ")));
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn told(tested: &Tested) -> String {
    match tested {
        Tested::Proved(report) => report.to_string(),
        Tested::Skipped { lab, title, reasons } => format!("{title} ({lab})\n  skipped: {}", reasons.join(" ")),
    }
}
