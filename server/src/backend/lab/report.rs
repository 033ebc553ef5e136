//! The printable report of one attempt.

use bulkhead_app::api::{ApiError, ApiResult, Caller, Role};
use bulkhead_labs::{
    grade::{CheckResult, Verdict},
    manifest::{Lab, Task},
};
use time::macros::format_description;

use super::{find, page::TIER};
use crate::{
    backend::{Fault, Platform, account_of},
    clock::Moment,
    document::{LabReport, ReportCheck, ReportTask},
    store::{Attempt, AttemptId, AttemptState, Outcome},
};

/// The account's own attempt, or anyone's for instructors (that leaves an audit entry).
pub(in crate::backend) async fn report(
    platform: &Platform,
    caller: &Caller,
    lab: &str,
    attempt: i64,
) -> ApiResult<LabReport> {
    let account = account_of(caller)?;
    let lab = find(platform, lab)?;
    let found = platform.store.attempts().by_id(AttemptId::new(attempt)).await.map_err(Fault::shown)?;
    let found = found.filter(|found| found.lab == lab.id.as_str()).ok_or(ApiError::NotFound)?;
    if found.account != account {
        if !caller.at_least(Role::Instructor) {
            return Err(ApiError::NotFound);
        }
        let detail = serde_json::json!({ "lab": found.lab, "attempt": attempt });
        let audit = platform.accounts.audit(Some(account), "attempt.read", found.account, detail);
        audit.await.map_err(Fault::shown)?;
    }
    let student =
        platform.store.accounts().by_id(found.account).await.map_err(Fault::shown)?.ok_or(ApiError::NotFound)?;
    let Attempt { state: AttemptState::Done(outcome), .. } = found else { return Err(ApiError::NotFound) };
    let module_title = platform.live.texts.of(lab.id.as_str()).map(|text| text.module_title.clone());
    Ok(LabReport {
        lab: lab.id.as_str().to_owned(),
        lab_title: lab.title.clone(),
        module_title: module_title.unwrap_or_default(),
        student: student.name,
        attempt,
        at: for_people(outcome.finished_at),
        score: outcome.score,
        pass: lab.pass,
        passed: outcome.passed,
        gated: outcome.gated,
        tier: TIER.to_owned(),
        tasks: tasks(lab, &outcome),
        assets: platform.site.version().to_string(),
    })
}

/// What was graded then, in the lab's order now. A check that the lab has lost since keeps its evidence.
fn tasks(lab: &Lab, outcome: &Outcome) -> Vec<ReportTask> {
    let of = |task: &str| outcome.results.iter().filter(|result| result.task == task).collect::<Vec<_>>();
    let known = lab.tasks.iter().map(|task| ReportTask {
        title: task.title.clone(),
        points: task.points,
        checks: of(task.id.as_str()).into_iter().map(|result| check(task, result)).collect(),
    });
    known.filter(|task| !task.checks.is_empty()).collect()
}

fn check(task: &Task, result: &CheckResult) -> ReportCheck {
    let known = task.checks.iter().find(|check| check.id.as_str() == result.check);
    ReportCheck {
        title: known.map_or_else(|| result.check.clone(), |check| check.title.clone()),
        verdict: result.verdict.as_str(),
        word: match result.verdict {
            Verdict::Pass => "Passed",
            Verdict::Fail => "Failed",
            Verdict::Unknown => "Could not check",
        },
        expected: result.expected.clone(),
        observed: result.observed.clone(),
        why: match (result.verdict, known) {
            (Verdict::Pass, Some(check)) => check.why.clone(),
            // What makes an answer right gives it away.
            (Verdict::Fail, Some(check)) if check.kind.question().is_some() => result.reason.clone(),
            (Verdict::Fail, Some(check)) => format!("{} {}", result.reason, check.why).trim().to_owned(),
            _ => result.reason.clone(),
        },
        references: known.map(|check| check.refs.clone()).unwrap_or_default(),
        tampered: result.tampered.clone(),
    }
}

/// `24 November 2026, 10:43 UTC`
fn for_people(at: Moment) -> String {
    let format = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    at.to_datetime().format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        assert_eq!(for_people(Moment::from_millis(1_700_000_000_123)), "14 November 2023, 22:13 UTC");
    }
}
