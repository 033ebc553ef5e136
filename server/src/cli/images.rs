//! `bulkhead images`: the images that sandboxes run.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bulkhead_labs::images::{self, Event, Plan, Progress};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{
    engine,
    exit::{CliResult, Outcome, machine},
    out,
};
use crate::live::installed::Installed;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Builds what is missing. What is there is left alone.
    Build(LabsOption),
    /// Says which images are there.
    Status(Status),
    /// Removes images of ours that no lab needs any more.
    Prune(LabsOption),
}

#[derive(Args, Clone)]
pub(super) struct LabsOption {
    /// A folder of labs, in place of those that the binary brings.
    #[arg(long, env = "BULKHEAD_LABS")]
    pub(super) labs: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Status {
    #[command(flatten)]
    labs: LabsOption,
    #[arg(long)]
    json: bool,
}

impl LabsOption {
    pub(super) fn installed(&self) -> Installed {
        Installed { labs: self.labs.clone() }
    }

    fn plan(&self) -> CliResult<Plan> {
        let installed = self.installed();
        let catalog = installed.catalog().map_err(machine)?;
        for finding in catalog.diagnostics() {
            out::complain(&finding.to_string());
        }
        installed.plan(&catalog).map_err(machine)
    }
}

pub(super) async fn run(command: Command) -> CliResult {
    let engine = engine::connect("images").await?;
    match command {
        Command::Build(labs) => {
            let shown = Arc::new(Shown::default());
            images::build(engine.docker(), &engine, &labs.plan()?, shown).await.map_err(machine)?;
            Ok(Outcome::Fine)
        }
        Command::Status(options) => {
            let found = images::status(engine.docker(), &options.labs.plan()?).await.map_err(machine)?;
            let complete = found.iter().all(|image| image.present);
            let rows: Vec<ImageRow> = found
                .into_iter()
                .map(|image| ImageRow {
                    name: image.name,
                    image: image.image,
                    present: image.present,
                    bytes: image.bytes,
                })
                .collect();
            show(&rows, options.json);
            Ok(Outcome::from_yes(complete))
        }
        Command::Prune(labs) => {
            let removed = images::prune(engine.docker(), &labs.plan()?).await.map_err(machine)?;
            for image in &removed {
                out::say(&format!("removed {image}"));
            }
            if removed.is_empty() {
                out::say("nothing to remove");
            }
            Ok(Outcome::Fine)
        }
    }
}

#[derive(Serialize)]
struct ImageRow {
    name: String,
    image: String,
    present: bool,
    bytes: Option<u64>,
}

fn show(rows: &[ImageRow], json: bool) {
    if json {
        return out::json(&rows);
    }
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| vec![row.image.clone(), if row.present { "there" } else { "missing" }.to_owned(), size(row.bytes)])
        .collect();
    out::table(&["IMAGE", "STATE", "SIZE"], &cells);
}

/// One line for each step; where a person watches, a spinner that shows what it is at.
#[derive(Default)]
struct Shown {
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Progress for Shown {
    fn event(&self, event: Event<'_>) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Present { step, .. } => out::say(&format!("✓ {step} is there")),
            Event::Started { step, number, of } => {
                let bar = ProgressBar::new_spinner().with_style(style()).with_prefix(format!("[{number}/{of}] {step}"));
                if bar.is_hidden() {
                    out::say(&format!("  [{number}/{of}] {step} …"));
                }
                bar.enable_steady_tick(Duration::from_millis(120));
                bars.insert(step.to_owned(), bar);
            }
            Event::Line { step, line } => {
                if let Some(bar) = bars.get(step) {
                    bar.set_message(line.chars().take(80).collect::<String>());
                }
            }
            Event::Bytes { step, bytes } => {
                if let Some(bar) = bars.get(step) {
                    bar.set_message(format!("{} MB", bytes / 1_000_000));
                }
            }
            Event::Finished { step, took, .. } => {
                if let Some(bar) = bars.remove(step) {
                    bar.finish_and_clear();
                }
                out::say(&format!("✓ {step} built in {:.1} s", took.as_secs_f32()));
            }
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {wide_msg:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
