//! `bulkhead doctor`: what this machine can do, and what to do about what it cannot.

use bulkhead_labs::doctor::{Report, Row, RowStatus, Subject, examine};
use clap::Args;

use super::{
    exit::{CliResult, Outcome, machine},
    out,
};
use crate::live::installed::Installed;

#[derive(Args)]
pub(super) struct Options {
    /// For machines.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: Options) -> CliResult {
    let installed = Installed::default();
    let catalog = installed.catalog().map_err(machine)?;
    let images = match installed.plan(&catalog) {
        Ok(plan) => {
            let mut images = vec![plan.host_image().to_owned()];
            images.extend(catalog.labs().iter().filter_map(|lab| plan.lab_image(lab.id.as_str()).map(str::to_owned)));
            images.dedup();
            images
        }
        Err(error) => {
            out::complain(&format!("note: the sandbox images cannot be named: {error}"));
            Vec::new()
        }
    };
    let subject = Subject { instance: "doctor".to_owned(), socket: None, images };
    let show = |row: &Row| {
        if !options.json {
            out::say(&shown(row));
        }
    };
    let report = examine(&subject, &show).await;
    if options.json {
        out::json(&report);
    } else {
        out::say(&summary(&report));
    }
    Ok(Outcome::from_yes(report.worst() != RowStatus::Fail && report.tier.is_some()))
}

fn shown(row: &Row) -> String {
    let mark = match row.status {
        RowStatus::Ok => "✓",
        RowStatus::Warn => "!",
        RowStatus::Fail => "✗",
    };
    let fix =
        row.fix.as_deref().map(|fix| format!("\n    what to do: {}", fix.replace('\n', "\n    "))).unwrap_or_default();
    format!("{mark} {}: {}{fix}", row.title, row.detail)
}

fn summary(report: &Report) -> String {
    let tier =
        report.tier.and_then(|tier| serde_json::to_value(tier).ok()).and_then(|tier| tier.as_str().map(str::to_owned));
    match tier {
        Some(tier) => format!("\nIsolation tier: {tier}. A sandbox was booted, and nothing got out of it."),
        None => "\nIsolation tier: none proved. Start at the first ✗.".to_owned(),
    }
}
