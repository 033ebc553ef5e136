//! The rows: what was measured, the peer's, how they compare, what was aimed at.

use std::io::Write as _;

use anyhow::Result;
use bulkhead_tests::{artefacts, server};
use serde::Serialize;

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Aim {
    AtMost(f64),
    /// So many times the peer's.
    Ratio(f64),
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    figure: &'static str,
    what: String,
    unit: &'static str,
    value: f64,
    peer: Option<f64>,
    peer_is: Option<String>,
    ratio: Option<f64>,
    aim: Option<Aim>,
    met: Option<bool>,
    note: String,
}

impl Row {
    pub(crate) fn new(figure: &'static str, what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            figure,
            what: what.into(),
            unit,
            value,
            peer: None,
            peer_is: None,
            ratio: None,
            aim: None,
            met: None,
            note: String::new(),
        }
    }

    pub(crate) fn beside(mut self, peer: impl Into<String>, value: f64) -> Self {
        self.peer_is = Some(peer.into());
        self.peer = Some(value);
        self.ratio = (value > 0.0).then(|| self.value / value);
        self
    }

    pub(crate) fn at_most(mut self, limit: f64) -> Self {
        self.aim = Some(Aim::AtMost(limit));
        self.met = Some(self.value <= limit);
        self
    }

    pub(crate) fn at_most_times(mut self, limit: f64) -> Self {
        self.aim = Some(Aim::Ratio(limit));
        self.met = self.ratio.map(|ratio| ratio <= limit);
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn cells(&self) -> [String; 7] {
        let aim = match self.aim {
            None => String::new(),
            Some(Aim::AtMost(limit)) => format!("≤ {}", short(limit)),
            Some(Aim::Ratio(limit)) => format!("≤ {limit:.1}×"),
        };
        let met = match self.met {
            None => "",
            Some(true) => "met",
            Some(false) => "MISSED",
        };
        [
            self.figure.to_owned(),
            self.what.clone(),
            format!("{} {}", short(self.value), self.unit),
            self.peer.map(|peer| format!("{} {}", short(peer), self.unit)).unwrap_or_default(),
            self.ratio.map(|ratio| format!("{ratio:.2}×")).unwrap_or_default(),
            aim,
            met.to_owned(),
        ]
    }
}

fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.3}"),
    }
}

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn print(&self) -> Result<()> {
        let head = ["FIGURE", "WHAT", "VALUE", "PEER", "RATIO", "AIM", ""].map(str::to_owned);
        let table: Vec<[String; 7]> = std::iter::once(head).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| table.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..7).map(width).collect();
        for cells in &table {
            let line: Vec<String> = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            say(line.join("  ").trim_end())?;
        }
        say("")?;
        for row in &self.rows {
            let peer = row.peer_is.as_ref().map(|peer| format!("peer: {peer}"));
            let parts: Vec<String> = peer.into_iter().chain((!row.note.is_empty()).then(|| row.note.clone())).collect();
            if !parts.is_empty() {
                say(&format!("{} {}: {}", row.figure, row.what, parts.join("; ")))?;
            }
        }
        Ok(())
    }

    pub(crate) fn save(&self) -> Result<()> {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let value = serde_json::json!({
            "kernel": read("/proc/sys/kernel/osrelease"),
            "cores": std::thread::available_parallelism()?.get(),
            "debug_server": server::binary().components().any(|part| part.as_os_str() == "debug"),
            "rows": self.rows,
        });
        artefacts::save("figures.json", &serde_json::to_vec_pretty(&value)?)?;
        say(&format!("\nKept as {}", artefacts::folder().join("figures.json").display()))
    }
}

pub(crate) fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
