//! What came of the proofs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::grade::{Grading, Verdict};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub lab: String,
    pub title: String,
    pub proofs: Vec<Proof>,
    pub millis: u64,
}

impl Report {
    /// All five proofs stand.
    pub fn stands(&self) -> bool {
        !self.proofs.is_empty() && self.proofs.iter().all(Proof::stands)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    #[serde(flatten)]
    pub kind: ProofKind,
    /// Empty: it stands.
    pub problems: Vec<String>,
    /// What it was judged by, where it grades.
    pub grading: Option<Grading>,
    pub millis: u64,
}

impl Proof {
    pub fn stands(&self) -> bool {
        self.problems.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum ProofKind {
    Start,
    Solution,
    Repeat,
    WrongFix { script: String, title: String },
    NothingLeft,
}

impl fmt::Display for ProofKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("the untouched start scores under 40 and nothing passes by accident"),
            Self::Solution => f.write_str("the solution scores 100"),
            Self::Repeat => f.write_str("grading again gives the same and changes nothing"),
            Self::WrongFix { script, title } => write!(f, "{script} does not pass ({title})"),
            Self::NothingLeft => f.write_str("nothing is left behind"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.title, self.lab)?;
        for proof in &self.proofs {
            write!(f, "  {} {}", if proof.stands() { "✓" } else { "✗" }, proof.kind)?;
            if let Some(grading) = &proof.grading {
                write!(f, ": {}", summary(grading))?;
            }
            writeln!(f, " [{} s]", Seconds(proof.millis))?;
            for problem in &proof.problems {
                writeln!(f, "      {problem}")?;
            }
        }
        let stand = self.proofs.iter().filter(|proof| proof.stands()).count();
        let verdict = if self.stands() { "proved" } else { "not proved" };
        write!(f, "{verdict}: {stand} of {} proofs stand, {} s", self.proofs.len(), Seconds(self.millis))
    }
}

fn summary(grading: &Grading) -> String {
    let passed = grading.results.iter().filter(|result| result.verdict == Verdict::Pass).count();
    let gate = if grading.gated { ", capped by the gate" } else { "" };
    format!(
        "score {}{gate}, {passed} of {} checks, {} round trips in {} ms",
        grading.score,
        grading.results.len(),
        grading.round_trips,
        grading.millis
    )
}

/// Milliseconds, shown as seconds.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 100)
    }
}
