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

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
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
    /// For an `attack` that fails: the exploit was seen to work, rather than being stopped for a wrong reason.
    #[serde(default)]
    pub breach: bool,
    /// Programs of the machines it looked at that are not the image's, each in words. The verdict does not rest on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tampered: Vec<String>,
}

/// The outcome of one grading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grading {
    /// In the manifest's order. Of one task only, if the scope was one task.
    pub results: Vec<CheckResult>,
    /// 0 to 100, after the gate, over what could be looked at. Of one task only, if the scope was one task.
    pub score: u8,
    /// The score if every `unknown` were a failure. Equal to `score` unless something is unknown. What counts for a
    /// best score, so that a student gains nothing by keeping the platform from looking.
    #[serde(default)]
    pub certain: u8,
    /// `certain` reaches the lab's pass mark. Never for a single task.
    pub passed: bool,
    /// The service did not answer the probe, so the score was capped at 40 %.
    pub gated: bool,
    /// The engine was to restart between two gradings and did not; why.
    #[serde(default)]
    pub restart_error: Option<String>,
    /// Round trips to the agent that it took.
    pub round_trips: u32,
    pub millis: u64,
}

impl Grading {
    pub fn result(&self, check: &str) -> Option<&CheckResult> {
        self.results.iter().find(|r| r.check == check)
    }
}
