//! A fix that does not survive a restart is not a fix.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{CheckResult, Context, GradeEvent, Grading, Observer, Scope, Verdict, clean, grade_lab, run};
use crate::manifest::{CheckId, Lab, MachineName, Regrade};

/// Restarts the student's engine.
#[async_trait]
pub trait Restarter: Send + Sync {
    /// Restarts the engine of a machine, as its administrator would, and returns once it answers again.
    /// With `containers`, what ran before runs again afterwards, whatever its restart policy.
    async fn restart_engine(&self, machine: &MachineName, containers: bool) -> Result<(), RestartError>;
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestartError {
    /// The student's machine refused, or its engine did not come back: his doing, so what passed before fails.
    #[error("the engine did not restart: {0}")]
    Refused(String),
    /// The platform could not ask.
    #[error("the platform could not restart the engine: {0}")]
    Unreachable(String),
}

/// Grades as the lab says: once, or before and after a restart, where a check passes only if it passes both times.
/// The restart happens only where something passed that it could undo, and what did not pass before it is not looked at
/// again: a service that is down would be waited for, and nothing that comes of it could mend the verdict.
pub async fn grade_with_restart(
    lab: &Lab,
    observer: &dyn Observer,
    restarter: &dyn Restarter,
    context: &Context,
    events: &(dyn Fn(GradeEvent) + Send + Sync),
) -> Grading {
    let first = grade_lab(lab, observer, context, events).await;
    let containers = match lab.regrade {
        Regrade::Never => return first,
        Regrade::Engine => false,
        Regrade::EngineAndContainers => true,
    };
    let Some(host) = lab.host().filter(|_| context.scope == Scope::All && worth_it(lab, &first)) else {
        return first;
    };
    events(GradeEvent::Restarting);
    let (second, restart_error) = match restarter.restart_engine(&host.name, containers).await {
        Ok(()) => {
            let patience = context.patience.max(AFTER_RESTART);
            let (looks, hurried) = second(lab, &first);
            let nonce = context.nonce.next();
            let again = Context { nonce, patience, hurried, scope: Scope::Checks(looks), ..context.clone() };
            (grade_lab(lab, observer, &again, &|_| ()).await, None)
        }
        Err(error) => (stopped(lab, &first, &error), Some(clean::clean(&error.to_string()))),
    };
    let both = |before: &CheckResult| match second.result(&before.check) {
        Some(after) => worse(before, after),
        None => before.clone(),
    };
    let results: Vec<CheckResult> = first.results.iter().map(both).collect();
    for result in &results {
        events(GradeEvent::Judged(result.clone()));
    }
    let (round_trips, millis) = (first.round_trips + second.round_trips, first.millis + second.millis);
    Grading { restart_error, ..run::assemble(lab, &context.scope, results, round_trips, millis) }
}

/// Services start again; asking again is cheaper than a wrong verdict.
const AFTER_RESTART: std::time::Duration = std::time::Duration::from_secs(10);

/// Which checks the second grading looks at: what passed, and what that comes after. The latter may have been seen to
/// fail; then it is not waited for.
fn second(lab: &Lab, first: &Grading) -> (BTreeSet<CheckId>, BTreeSet<CheckId>) {
    let passed = |id: &CheckId| first.result(id.as_str()).is_some_and(|result| result.verdict == Verdict::Pass);
    let mut open: Vec<&CheckId> = lab.checks().map(|(_, check)| &check.id).filter(|id| passed(id)).collect();
    let mut looks = BTreeSet::new();
    while let Some(id) = open.pop() {
        if looks.insert(id.clone())
            && let Some((_, check)) = lab.check(id.as_str())
        {
            open.extend(&check.after);
        }
    }
    let hurried = looks.iter().filter(|id| !passed(id)).cloned().collect();
    (looks, hurried)
}

/// A first grading with nothing to lose is not worth a restart under the student's hands.
fn worth_it(lab: &Lab, first: &Grading) -> bool {
    first.results.iter().any(|result| {
        result.verdict == Verdict::Pass && lab.check(&result.check).is_some_and(|(_, check)| !check.passes_at_start)
    })
}

/// Every check after a restart that did not come about.
fn stopped(lab: &Lab, first: &Grading, error: &RestartError) -> Grading {
    let verdict = match error {
        RestartError::Refused(_) => Verdict::Fail,
        RestartError::Unreachable(_) => Verdict::Unknown,
    };
    let results = first.results.iter().map(|result| CheckResult {
        verdict,
        observed: clean::clean(&error.to_string()),
        reason: clean::clean(&error.to_string()),
        breach: false,
        ..result.clone()
    });
    run::assemble(lab, &Scope::All, results.collect(), 0, 0)
}

/// What a check came to over both gradings.
fn worse(before: &CheckResult, after: &CheckResult) -> CheckResult {
    match (before.verdict, after.verdict) {
        (Verdict::Pass, Verdict::Fail) => CheckResult {
            reason: format!("It held before the engine restarted, and not after. {}", after.reason),
            observed: format!("after a restart: {}", after.observed),
            ..after.clone()
        },
        (Verdict::Pass, Verdict::Unknown) => after.clone(),
        _ => before.clone(),
    }
}
