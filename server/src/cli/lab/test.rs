//! `bulkhead lab test`: the five proofs.

use std::path::PathBuf;

use bulkhead_labs::{
    manifest::Lab,
    proof::{self, ProofEvent, Report, junit, prove},
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
    #[command(flatten)]
    labs: LabsOption,
    #[arg(long)]
    json: bool,
    /// Writes a JUnit report as well, for a CI. With several labs, `-<lab>` is put before its extension.
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
    let mut fine = !(options.all && catalog.diagnostics().iter().any(bulkhead_labs::manifest::Diagnostic::is_error));
    for finding in catalog.diagnostics().iter().filter(|_| options.all) {
        out::complain(&finding.to_string());
    }
    let images = installed.images(&catalog).map_err(machine)?;
    let engine = engine::connect("test").await?;
    let mut reports = Vec::new();
    for lab in &labs {
        let image = images.of(lab.id.as_str()).ok_or_else(|| CliError::Machine("the lab has no image".into()))?;
        let proof = proof::Options {
            image: image.to_owned(),
            seed: Random::system().bytes(),
            now: Clock::system().now().to_datetime(),
        };
        let shown = Shown::new(options.json);
        let report = prove(&engine, lab, &proof, &|event| shown.event(&event)).await;
        shown.end();
        fine &= report.stands();
        if !options.json {
            out::say(&report.to_string());
        }
        if let Some(file) = &options.junit {
            write_junit(&report, file, labs.len() > 1)?;
        }
        reports.push(report);
    }
    if options.json {
        out::json(&reports);
    }
    Ok(Outcome::from_yes(fine))
}

fn write_junit(report: &Report, file: &std::path::Path, several: bool) -> CliResult<()> {
    let xml = junit(report).map_err(|why| CliError::Machine(why.into()))?;
    let file = if several {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        file.with_file_name(format!("{stem}-{}.{extension}", report.lab))
    } else {
        file.to_path_buf()
    };
    std::fs::write(&file, xml).map_err(|error| CliError::Machine(format!("{}: {error}", file.display()).into()))
}

/// Which proof is under way, where a person watches.
struct Shown(ProgressBar);

impl Shown {
    fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self(bar)
    }

    fn event(&self, event: &ProofEvent) {
        if let ProofEvent::Began(kind) = event {
            self.0.set_message(kind.to_string());
        }
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}
