//! observe (IO, through the agent) → judge (pure) → verdict.
//!
//! ```text
//!             ┌────────────── wanted looks, all checks' in one request ─────────────┐
//!             ▼                                                                     │
//!  Observer::observe ──▶ Memory ──▶ Kind::judge (pure, run again each round) ──▶ Eyes
//!                                        │
//!                                        ▼
//!                       Finding ──▶ clean, redact ──▶ CheckResult ──▶ score ──▶ Grading
//!
//! run         the rounds: grade_lab
//! regrade     grade, restart, grade again
//! observer    where looks are taken
//! agent       the sandbox's agent takes them, and restarts the engine
//! eyes        how a judgement asks for looks
//! finding     what a judgement comes to, or why it stops early
//! kinds       one file per kind of check
//! containers  by role; whether the engine's pid is the container's
//! jq, pattern filters and expressions, bounded
//! clean       makes hostile text fit to show
//! programs    which of the student's programs are no longer the image's
//! score       points, weights, gate
//! variables   per student and attempt
//! answer      a student's written answer, bounded
//! verdict     what is stored and shown
//! ```

mod agent;
mod answer;
pub mod clean;
pub mod containers;
mod context;
mod eyes;
mod finding;
pub mod jq;
pub mod kinds;
mod observer;
pub mod pattern;
mod programs;
mod regrade;
mod run;
mod score;
mod variables;
mod verdict;

pub use answer::{Answer, AnswerError, MAX_ANSWER};
pub use context::{Context, Nonce, Scope};
pub use eyes::{Case, Eyes, Key, Memory, Wanted};
pub use finding::{Finding, Halt, Outcome};
pub use observer::{ObserveError, Observer};
pub use regrade::{RestartError, Restarter, grade_with_restart};
pub use run::{GradeEvent, grade_lab};
pub use score::{GATE_CAP, Score, score};
pub use variables::{CourseKey, Variables};
pub use verdict::{CheckResult, Grading, Verdict};

#[cfg(test)]
pub(crate) mod tests;
