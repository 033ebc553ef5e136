//! `bulkhead doctor` as people and as machines read it.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use bulkhead_labs::doctor::{Report, RowStatus};
use bulkhead_tests::server::binary;

fn doctor(arguments: &[&str], engine: Option<&str>) -> Result<Output> {
    let mut command = Command::new(binary());
    command.arg("doctor").args(arguments);
    if let Some(engine) = engine {
        command.env("DOCKER_HOST", engine);
    }
    command.output().with_context(|| format!("{command:?}"))
}

#[test]
fn what_it_proved_is_there_for_machines_and_for_people() -> Result<()> {
    let output = doctor(&["--json"], None)?;
    let report: Report = serde_json::from_slice(&output.stdout).with_context(|| format!("{output:?}"))?;
    ensure!(output.status.success() && report.tier.is_some(), "{report:?}");
    for proved in ["engine", "sandbox", "escape-machine", "escape-privileged"] {
        let row = report.rows.iter().find(|row| row.id == proved).with_context(|| format!("no row {proved}"))?;
        ensure!(row.status == RowStatus::Ok, "{row:?}");
    }
    let output = doctor(&[], None)?;
    let text = String::from_utf8(output.stdout)?;
    for row in &report.rows {
        ensure!(text.contains(&row.title), "{} is not told: {text}", row.title);
    }
    ensure!(text.contains("\nIsolation tier: ") && !text.contains('✗'), "{text}");
    Ok(())
}

#[test]
fn without_an_engine_it_proves_nothing_and_says_what_to_do() -> Result<()> {
    let nowhere = Some("unix:///run/bulkhead-no-such.sock");
    let output = doctor(&["--json"], nowhere)?;
    let report: Report = serde_json::from_slice(&output.stdout).with_context(|| format!("{output:?}"))?;
    ensure!(output.status.code() == Some(1) && report.tier.is_none(), "{report:?}");
    ensure!(report.rows.iter().all(|row| (row.status == RowStatus::Ok) == row.fix.is_none()), "{report:?}");
    let output = doctor(&[], nowhere)?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(text.contains("/run/bulkhead-no-such.sock") && text.contains("what to do: "), "{text}");
    Ok(())
}
