//! What a check came to.

use serde::{Deserialize, Serialize};

/// `Unknown`: the platform could not look. Never costs the student anything and is never a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    Unknown,
}

/// One check's verdict with its evidence, bounded and fit to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    pub task: String,
    pub check: String,
    pub verdict: Verdict,
    pub expected: String,
    pub observed: String,
    /// For a failure the author's `fail` text; for `Unknown` why the platform could not look.
    pub reason: String,
}

/// The outcome of one grading of a whole lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grading {
    pub results: Vec<CheckResult>,
    /// 0 to 100, after the gate.
    pub score: u8,
    pub passed: bool,
    /// The service did not answer the probe, so the score was capped at 40 %.
    pub gated: bool,
    /// Round trips to the agent that it took.
    pub round_trips: u32,
    pub millis: u64,
}
