//! observe (IO, through the agent) → judge (pure) → verdict.

mod verdict;

pub use verdict::{CheckResult, Grading, Verdict};
