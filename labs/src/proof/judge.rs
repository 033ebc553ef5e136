//! From gradings to problems. Pure.

use std::collections::BTreeSet;

use crate::{
    grade::{CheckResult, GATE_CAP, Grading, Verdict},
    manifest::{Lab, WrongFix},
};

/// The untouched start scores under 40 %, nothing passes by accident, and the exploits work.
pub(super) fn start(lab: &Lab, grading: &Grading) -> Vec<String> {
    let mut problems = unknowns(grading);
    problems.extend(tampering(grading));
    if grading.score >= GATE_CAP {
        problems.push(format!("the untouched start scores {}, which is not under {GATE_CAP}", grading.score));
    }
    for (_, check) in lab.checks() {
        let Some(result) = grading.result(check.id.as_str()) else { continue };
        match result.verdict {
            Verdict::Pass if !check.passes_at_start => {
                problems.push(format!(
                    "{} passes on the untouched start ({}); if it guards what could break, set passes_at_start = true",
                    check.id, result.observed
                ));
            }
            Verdict::Fail if check.passes_at_start => {
                problems.push(format!("{} is to pass on the untouched start and fails: {}", check.id, result.observed));
            }
            Verdict::Fail if check.kind.works_at_start() && !result.breach => {
                problems.push(format!(
                    "{} fails on the untouched start, but not because the exploit works: {}",
                    check.id, result.observed
                ));
            }
            _ => {}
        }
    }
    problems
}

/// The reference solution scores 100 %.
pub(super) fn solution(grading: &Grading) -> Vec<String> {
    let mut problems = unknowns(grading);
    problems.extend(tampering(grading));
    let failed = grading.results.iter().filter(|result| result.verdict == Verdict::Fail);
    for result in failed.filter(|_| grading.restart_error.is_none()) {
        problems.push(format!(
            "{} fails after the solution: expected {}; observed {}",
            result.check, result.expected, result.observed
        ));
    }
    if grading.score != 100 && problems.is_empty() {
        problems.push(format!("the solution scores {}", grading.score));
    }
    problems
}

/// A wrong fix scores under the pass mark and fails the named checks.
pub(super) fn wrong_fix(lab: &Lab, wrong: &WrongFix, grading: &Grading) -> Vec<String> {
    let mut problems = unknowns(grading);
    if grading.score >= lab.pass {
        problems.push(format!("the wrong fix scores {}, and {} is enough to pass", grading.score, lab.pass));
    }
    for id in &wrong.fails {
        if let Some(result) = grading.result(id.as_str()).filter(|result| result.verdict == Verdict::Pass) {
            problems.push(format!("{id} is to fail after the wrong fix and passes: {}", result.observed));
        }
    }
    problems
}

/// Two gradings of the same state agree.
pub(super) fn repeat(first: &Grading, second: &Grading) -> Vec<String> {
    let differs = |(a, b): (&CheckResult, &CheckResult)| {
        let (before, after) = (a.verdict.as_str(), b.verdict.as_str());
        (a.verdict != b.verdict)
            .then(|| format!("{} comes to {before}, then to {after}: {}{}", a.check, b.observed, b.reason))
    };
    let mut problems: Vec<String> = first.results.iter().zip(&second.results).filter_map(differs).collect();
    if first.score != second.score {
        problems.push(format!("the score is {}, then {}", first.score, second.score));
    }
    problems
}

/// A lab that changes the programs that grading watches would have every student told of it.
fn tampering(grading: &Grading) -> Vec<String> {
    let told: BTreeSet<&String> = grading.results.iter().flat_map(|result| &result.tampered).collect();
    told.into_iter().map(|what| format!("a program is not the image's any more: {what}")).collect()
}

/// A proof stands on what was seen.
fn unknowns(grading: &Grading) -> Vec<String> {
    // Every check fails then, which proves nothing.
    if let Some(error) = &grading.restart_error {
        return vec![error.clone()];
    }
    let unknown = grading.results.iter().filter(|result| result.verdict == Verdict::Unknown);
    unknown.map(|result| format!("{} could not be looked at: {}", result.check, result.reason)).collect()
}

#[cfg(test)]
mod tests;
