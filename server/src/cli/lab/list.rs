//! `bulkhead lab list`

use std::collections::BTreeSet;

use bulkhead_labs::{
    engine::{DockerEngine, SandboxEngine},
    manifest::Lab,
};
use clap::Args;
use serde::Serialize;

use super::sandbox::id_of;
use crate::cli::{
    engine,
    exit::{CliResult, Outcome, machine},
    images::LabsOption,
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    labs: LabsOption,
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    title: String,
    module: u8,
    difficulty: &'static str,
    minutes: u16,
    tasks: usize,
    checks: usize,
    /// A sandbox made by `lab start` is there.
    started: bool,
    /// Why it cannot run on this engine; empty where it can, and where no engine answers.
    unmet: Vec<String>,
}

pub(super) async fn run(options: Options) -> CliResult {
    let catalog = options.labs.installed().catalog().map_err(machine)?;
    // A list is a list even where no engine answers.
    let engine = engine::connect(engine::INSTANCE).await.ok();
    let started = match &engine {
        Some(engine) => started(engine).await,
        None => BTreeSet::new(),
    };
    let unmet = |lab: &Lab| engine.as_ref().map(|engine| lab.requires.unmet(engine.capabilities())).unwrap_or_default();
    let rows: Vec<Row> = catalog
        .labs()
        .iter()
        .map(|lab| Row {
            id: lab.id.to_string(),
            title: lab.title.clone(),
            module: lab.module,
            difficulty: lab.difficulty.as_str(),
            minutes: lab.minutes,
            tasks: lab.tasks.len(),
            checks: lab.checks().count(),
            started: id_of(lab.id.as_str()).is_some_and(|id| started.contains(id.as_str())),
            unmet: unmet(lab),
        })
        .collect();
    if options.json {
        out::json(&rows);
    } else {
        let cell = |row: &Row| {
            let state = match row.unmet.as_slice() {
                [] if row.started => "started".to_owned(),
                [] => String::new(),
                unmet => format!("cannot run here: {}", unmet.join(" ")),
            };
            let (module, minutes) = (row.module.to_string(), format!("{} min", row.minutes));
            vec![row.id.clone(), module, row.difficulty.to_owned(), minutes, row.title.clone(), state]
        };
        out::table(&["ID", "MODULE", "DIFFICULTY", "TIME", "TITLE", ""], &rows.iter().map(cell).collect::<Vec<_>>());
    }
    for finding in catalog.diagnostics() {
        out::complain(&finding.to_string());
    }
    Ok(Outcome::Fine)
}

async fn started(engine: &DockerEngine) -> BTreeSet<String> {
    engine.list().await.unwrap_or_default().into_iter().map(|found| found.id.to_string()).collect()
}
