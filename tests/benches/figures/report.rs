//! A table for people and a file for machines.

use std::{io::Write as _, time::Duration};

use bulkhead_tests::artefacts;
use serde::Serialize;

#[derive(Default, Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    what: String,
    value: f64,
    unit: &'static str,
    /// The same work by somebody else, in the same run.
    peer: Option<(String, f64)>,
    aim: Option<String>,
}

impl Report {
    pub(crate) fn add(&mut self, what: &str, value: f64, unit: &'static str) -> &mut Self {
        self.rows.push(Row { what: what.to_owned(), value, unit, peer: None, aim: None });
        self
    }

    pub(crate) fn beside(&mut self, peer: &str, value: f64) -> &mut Self {
        if let Some(row) = self.rows.last_mut() {
            row.peer = Some((peer.to_owned(), value));
        }
        self
    }

    pub(crate) fn aim(&mut self, aim: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.aim = Some(aim.to_owned());
        }
    }

    pub(crate) fn print(&self) {
        say(&format!("\n{:44} {:>12}  {:38} {:>7}  aim", "figure", "value", "peer in the same run", "ratio"));
        for row in &self.rows {
            let value = format!("{} {}", number(row.value), row.unit);
            let (peer, ratio) = row.peer.as_ref().map_or((String::new(), String::new()), |(name, peer)| {
                (format!("{name}: {}", number(*peer)), format!("{:.2}", row.value / peer))
            });
            say(&format!("{:44} {value:>12}  {peer:38} {ratio:>7}  {}", row.what, row.aim.as_deref().unwrap_or("")));
        }
        let json = serde_json::to_vec_pretty(self).unwrap_or_default();
        if let Err(error) = artefacts::save("figures.json", &json) {
            say(&format!("{error:#}"));
        }
    }
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Milliseconds at a quantile.
pub(crate) fn quantile(times: &mut [Duration], at: f64) -> f64 {
    times.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index into a short list"
    )]
    let index = ((times.len() - 1) as f64 * at).round() as usize;
    times[index].as_secs_f64() * 1000.0
}
