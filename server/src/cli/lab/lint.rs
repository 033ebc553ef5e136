//! `bulkhead lab lint`

use bulkhead_labs::manifest::lint::lint;
use clap::Args;

use crate::cli::{
    exit::{CliError, CliResult, Outcome, machine},
    images::LabsOption,
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// All labs, if none is named.
    ids: Vec<String>,
    #[command(flatten)]
    labs: LabsOption,
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> CliResult {
    let files = options.labs.installed().files().map_err(machine)?;
    for id in &options.ids {
        if !files.keys().any(|path| path.starts_with(&format!("{id}/"))) {
            return Err(CliError::Usage(format!("there is no lab `{id}`")));
        }
    }
    let mut findings = lint(&files);
    findings.retain(|finding| {
        options.ids.is_empty() || options.ids.iter().any(|id| finding.file.starts_with(&format!("{id}/")))
    });
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    if options.json {
        out::json(&findings);
    } else {
        for finding in &findings {
            out::say(&finding.to_string());
        }
        out::say(&format!("{errors} errors, {} warnings", findings.len() - errors));
    }
    Ok(Outcome::from_yes(errors == 0))
}
