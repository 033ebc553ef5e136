//! All labs on one page.

use std::fmt;

use super::{Proof, ProofKind, Report, Tested};
use crate::grade::Grading;

const HEAD: [&str; 8] = ["lab", "checks", "start", "solution", "wrong fixes", "check p50/p95", "trips", "seconds"];

/// One line for each lab, and what it came to.
pub struct Table<'a>(pub &'a [Tested]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<([String; 8], String)> = self.0.iter().map(row).collect();
        let widths: Vec<usize> = (0..HEAD.len())
            .map(|column| {
                rows.iter().map(|(row, _)| row[column].chars().count()).chain([HEAD[column].len()]).max().unwrap_or(0)
            })
            .collect();
        let mut line = |cells: &[String; 8], word: &str| {
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                // Names begin, figures end at the same place.
                if column == 0 { write!(f, "{cell:width$}") } else { write!(f, "  {cell:>width$}") }?;
            }
            if word.is_empty() { writeln!(f) } else { writeln!(f, "  {word}") }
        };
        line(&HEAD.map(str::to_owned), "")?;
        for (cells, word) in &rows {
            line(cells, word)?;
        }
        let count = |which: fn(&Tested) -> bool| self.0.iter().filter(|tested| which(tested)).count();
        let skipped = count(|tested| matches!(tested, Tested::Skipped { .. }));
        let bad = count(|tested| !tested.stands());
        write!(f, "{} proved, {bad} not proved, {skipped} skipped", self.0.len() - skipped - bad)
    }
}

fn row(tested: &Tested) -> ([String; 8], String) {
    let none = || "–".to_owned();
    match tested {
        Tested::Skipped { lab, reasons, .. } => {
            let mut cells = [(); 8].map(|()| none());
            cells[0].clone_from(lab);
            (cells, format!("skipped: {}", reasons.join(" ")))
        }
        Tested::Proved(report) => {
            let score = |kind: &ProofKind| of(report, kind).map_or_else(none, |grading| grading.score.to_string());
            let wrong: Vec<&Proof> =
                report.proofs.iter().filter(|proof| matches!(proof.kind, ProofKind::WrongFix { .. })).collect();
            let caught = wrong.iter().filter(|proof| proof.stands()).count();
            let gradings: Vec<&Grading> = report.proofs.iter().filter_map(|proof| proof.grading.as_ref()).collect();
            let mut times: Vec<u64> = gradings.iter().map(|grading| grading.millis).collect();
            times.sort_unstable();
            let cells = [
                report.lab.clone(),
                gradings.first().map_or_else(none, |grading| grading.results.len().to_string()),
                score(&ProofKind::Start),
                score(&ProofKind::Solution),
                if wrong.is_empty() { none() } else { format!("{caught} of {}", wrong.len()) },
                match (percentile(&times, 50), percentile(&times, 95)) {
                    (Some(half), Some(most)) => format!("{half}/{most} ms"),
                    _ => none(),
                },
                gradings.iter().map(|grading| grading.round_trips).max().map_or_else(none, |trips| trips.to_string()),
                format!("{}.{}", report.millis / 1000, report.millis % 1000 / 100),
            ];
            (cells, if report.stands() { "proved" } else { "NOT PROVED" }.to_owned())
        }
    }
}

fn of<'r>(report: &'r Report, kind: &ProofKind) -> Option<&'r Grading> {
    report.proofs.iter().find(|proof| proof.kind == *kind)?.grading.as_ref()
}

/// The smallest that so many of a hundred do not exceed; of sorted times.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}
