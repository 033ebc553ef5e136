//! From verdicts to points.
//!
//! A task earns its points in proportion to the weights of its checks that pass. `Unknown` never costs: within its task
//! it is left out of the sum, and a task of which nothing is known is left out of the lab's. It is never a pass either:
//! a lab is passed only if it would be were every `unknown` a failure ([`Score::certain`]), so that nothing is gained
//! by keeping the platform from looking. If a gate check fails, the score is at most [`GATE_CAP`].

use std::collections::HashMap;

use super::{CheckResult, Verdict};
use crate::manifest::{Lab, Task};

/// Most of a lab whose service does not answer.
pub const GATE_CAP: u8 = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Over what could be looked at.
    pub score: u8,
    /// Were every `unknown` a failure.
    pub certain: u8,
    /// A gate check failed.
    pub gated: bool,
}

/// Scores the tasks that `results` hold; a task without a result counts for nothing.
pub fn score(lab: &Lab, results: &[CheckResult]) -> Score {
    let verdicts: HashMap<&str, Verdict> = results.iter().map(|r| (r.check.as_str(), r.verdict)).collect();
    let points = |unknown_costs: bool| {
        let (mut earned, mut possible) = (0.0, 0.0);
        for task in lab.tasks.iter().filter(|task| task.checks.iter().any(|c| verdicts.contains_key(c.id.as_str()))) {
            if let Some(share) = share(task, &verdicts, unknown_costs) {
                earned += f64::from(task.points) * share;
                possible += f64::from(task.points);
            }
        }
        if possible == 0.0 { 0.0 } else { 100.0 * earned / possible }
    };
    let gate = |stops: fn(Verdict) -> bool| {
        lab.gate.iter().filter_map(|id| verdicts.get(id.as_str())).any(|verdict| stops(*verdict))
    };
    let gated = gate(|verdict| verdict == Verdict::Fail);
    let cap = |stopped: bool| if stopped { GATE_CAP } else { 100 };
    Score {
        score: whole(points(false)).min(cap(gated)),
        certain: whole(points(true)).min(cap(gate(|verdict| verdict != Verdict::Pass))),
        gated,
    }
}

/// The part of a task's weights that passes; `None` where nothing is known.
fn share(task: &Task, verdicts: &HashMap<&str, Verdict>, unknown_costs: bool) -> Option<f64> {
    let (mut passed, mut counted) = (0_u32, 0_u32);
    for check in &task.checks {
        let verdict = verdicts.get(check.id.as_str()).copied().unwrap_or(Verdict::Unknown);
        if verdict == Verdict::Pass {
            passed += u32::from(check.weight);
        }
        if verdict != Verdict::Unknown || unknown_costs {
            counted += u32::from(check.weight);
        }
    }
    (counted > 0).then(|| f64::from(passed) / f64::from(counted))
}

/// Down, so that 79.9 is not yet 80; what is only a rounding error below a whole number is that number.
fn whole(points: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100 before")]
    let whole = (points + 1e-9).floor().clamp(0.0, 100.0) as u8;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::tests::lab;

    fn results(verdicts: [Verdict; 4]) -> Vec<CheckResult> {
        // Task one: `a` (weight 1), `b` (weight 3), 60 points. Task two: `c`, `gate`, 40 points.
        [("one", "a"), ("one", "b"), ("two", "c"), ("two", "gate")]
            .into_iter()
            .zip(verdicts)
            .map(|((task, check), verdict)| CheckResult {
                task: task.into(),
                check: check.into(),
                verdict,
                expected: String::new(),
                observed: String::new(),
                reason: String::new(),
                breach: false,
                tampered: Vec::new(),
            })
            .collect()
    }

    fn of(verdicts: [Verdict; 4]) -> (u8, u8, bool) {
        let Score { score, certain, gated } = score(&lab(), &results(verdicts));
        (score, certain, gated)
    }

    use Verdict::{Fail as F, Pass as P, Unknown as U};

    #[test]
    fn weights_share_a_tasks_points() {
        assert_eq!(of([P, P, P, P]), (100, 100, false));
        assert_eq!(of([P, F, P, P]), (55, 55, false));
        assert_eq!(of([F, P, F, P]), (65, 65, false));
        assert_eq!(of([F, F, F, P]), (20, 20, false));
    }

    #[test]
    fn a_failed_gate_caps() {
        assert_eq!(of([P, P, P, F]), (40, 40, true));
        assert_eq!(of([F, F, P, F]), (20, 20, true));
    }

    #[test]
    fn unknown_never_costs_and_never_passes() {
        assert_eq!(of([U, P, P, P]), (100, 85, false));
        assert_eq!(of([U, U, P, P]), (100, 40, false));
        assert_eq!(of([U, U, U, U]), (0, 0, false));
        // A gate that could not be asked does not cap what is shown, and does not let pass.
        assert_eq!(of([P, P, P, U]), (100, 40, false));
    }
}
