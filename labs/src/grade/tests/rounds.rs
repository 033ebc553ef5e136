//! How a whole grading goes.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use bulkhead_agent::{
    look::{
        Look, Seen,
        facts::{Change, Tampering},
    },
    protocol::{Fault, FaultKind},
};

use super::{context, lab, lab_with, recorded::Recorded};
use crate::{
    grade::{Answer, GradeEvent, ObserveError, Observer, Scope, Verdict, grade_lab},
    manifest::{CheckId, TaskId},
};

fn answered() -> crate::grade::Context {
    let mut context = context();
    let flag = context.variables.get("flag").unwrap().to_owned();
    context.answers.insert(CheckId::parse("c").unwrap(), Answer::parse(&flag).unwrap());
    context
}

#[tokio::test]
async fn a_hardened_sandbox_scores_all_in_three_round_trips() {
    let recorded = Recorded::with(&["hard"]);
    let grading = grade_lab(&lab(), &recorded, &answered(), &|_| ()).await;
    assert_eq!((grading.score, grading.certain, grading.passed, grading.gated), (100, 100, true, false), "{grading:?}");
    // The machine's programs, the list and the probe; the inspect; the process.
    assert_eq!((grading.round_trips, recorded.requests()), (3, 3));
    // Two checks look at the same container, and ask once.
    let looks: Vec<usize> = recorded.asked.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(looks, [3, 1, 1]);
}

#[tokio::test]
async fn changed_programs_are_evidence_and_no_verdict() {
    let honest = grade_lab(&lab(), &Recorded::with(&["hard"]), &answered(), &|_| ()).await;
    assert!(honest.results.iter().all(|result| result.tampered.is_empty()));
    let changed = Change { path: "/usr/bin/docker".into(), what: Tampering::Changed };
    let fault = Fault { kind: FaultKind::TimedOut, message: "it took too long".into() };
    for (seen, told) in [
        (Ok(Seen::Tampered { changes: vec![changed], truncated: false }), "host: /usr/bin/docker was changed"),
        (Err(fault), "host: its programs could not be looked at (it took too long)"),
    ] {
        let mut recorded = Recorded::with(&["hard"]);
        recorded.also.push((Box::new(|look| matches!(look, Look::Tampered { .. })), seen));
        let grading = grade_lab(&lab(), &recorded, &answered(), &|_| ()).await;
        assert_eq!((grading.score, grading.passed), (honest.score, honest.passed));
        for (result, honest) in grading.results.iter().zip(&honest.results) {
            assert_eq!(result.verdict, honest.verdict);
            // A written answer looks at no machine.
            let expected = if result.check == "c" { vec![] } else { vec![told.to_owned()] };
            assert_eq!(result.tampered, expected, "{result:?}");
        }
    }
}

#[tokio::test]
async fn the_flag_is_never_shown() {
    let grading = grade_lab(&lab(), &Recorded::with(&["hard"]), &answered(), &|_| ()).await;
    let flag = answered().variables.get("flag").unwrap().to_owned();
    assert!(!format!("{grading:?}").contains(&flag));
    assert_eq!(grading.result("c").unwrap().observed, "[hidden]");
}

#[tokio::test]
async fn a_service_that_is_down_caps_the_score() {
    let mut recorded = Recorded::with(&["hard"]);
    recorded.http = |_, _| None;
    let grading = grade_lab(&lab(), &recorded, &answered(), &|_| ()).await;
    assert_eq!((grading.score, grading.passed, grading.gated), (40, false, true));
}

#[tokio::test]
async fn a_link_that_is_lost_costs_nothing() {
    struct Gone;
    #[async_trait]
    impl Observer for Gone {
        async fn observe(&self, _: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
            Err(ObserveError("the link is closed".into()))
        }
    }
    let grading = grade_lab(&lab(), &Gone, &answered(), &|_| ()).await;
    assert!(grading.results.iter().all(|result| result.verdict == Verdict::Unknown), "{grading:?}");
    assert_eq!((grading.results.len(), grading.score, grading.passed, grading.gated), (4, 0, false, false));
    assert_eq!(grading.results[0].reason, "the sandbox's agent did not answer: the link is closed");
}

/// More than one request holds, each of which is in time.
#[tokio::test(start_paused = true)]
async fn a_sandbox_that_stalls_every_request_is_not_waited_for_beyond_the_limit() {
    struct Stalling(Recorded);
    #[async_trait]
    impl Observer for Stalling {
        async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
            tokio::time::sleep(Duration::from_secs(50)).await;
            self.0.observe(looks).await
        }
    }
    let file = |n: u32| format!("kind = \"file\"\npath = \"/srv/{n}\"\nmatches = \"x\"\n");
    let more = (1..60).map(|n| format!("\n[[task.check]]\nid = \"file-{n}\"\nfail = \"Not yet.\"\n{}", file(n)));
    let lab = lab_with(&(file(0) + &more.collect::<String>()));
    let (context, began) = (answered(), tokio::time::Instant::now());
    let grading = grade_lab(&lab, &Stalling(Recorded::with(&["hard"])), &context, &|_| ()).await;
    assert_eq!(grading.round_trips, 2, "{grading:?}");
    assert!(grading.results.iter().any(|result| result.verdict == Verdict::Unknown), "{grading:?}");
    assert!(began.elapsed() <= context.limit + Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn verdicts_come_one_by_one() {
    let events = Mutex::new(Vec::new());
    grade_lab(&lab(), &Recorded::with(&["hard"]), &answered(), &|event| events.lock().unwrap().push(event)).await;
    let told: Vec<String> = events
        .into_inner()
        .unwrap()
        .into_iter()
        .map(|event| match event {
            GradeEvent::Started { check, .. } => format!("{check}?"),
            GradeEvent::Judged(result) => format!("{} {}", result.check, result.verdict.as_str()),
            GradeEvent::Restarting => "restart".into(),
        })
        .collect();
    // `c` waits for the gate.
    assert_eq!(told, ["a?", "b?", "gate?", "gate pass", "c?", "c pass", "a pass", "b pass"]);
}

#[tokio::test]
async fn one_task_brings_what_it_comes_after_and_shows_itself_only() {
    let mut context = answered();
    context.scope = Scope::Task(TaskId::parse("two").unwrap());
    let grading = grade_lab(&lab(), &Recorded::with(&["hard"]), &context, &|_| ()).await;
    assert_eq!(grading.results.iter().map(|r| r.check.as_str()).collect::<Vec<_>>(), ["c", "gate"]);
    assert_eq!((grading.score, grading.passed), (100, false));
}

/// A service that starts up is asked again while there is patience, and not longer.
#[tokio::test(start_paused = true)]
async fn a_service_that_starts_up_is_asked_again() {
    struct Starting(Mutex<u32>, Recorded);
    #[async_trait]
    impl Observer for Starting {
        async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
            let probes = looks.iter().any(|look| matches!(look, Look::Http { .. }));
            let mut seen = self.1.observe(looks.clone()).await?;
            let mut left = self.0.lock().unwrap();
            if probes && *left > 0 {
                *left -= 1;
                for (look, seen) in looks.iter().zip(&mut seen).filter(|(look, _)| matches!(look, Look::Http { .. })) {
                    let _of = look;
                    *seen = Ok(Seen::NoAnswer { why: "connection refused".into() });
                }
            }
            Ok(seen)
        }
    }
    let mut context = answered();
    context.patience = Duration::from_secs(5);
    let soon = Starting(Mutex::new(4), Recorded::with(&["hard"]));
    assert_eq!(grade_lab(&lab(), &soon, &context, &|_| ()).await.score, 100);
    let never = Starting(Mutex::new(u32::MAX), Recorded::with(&["hard"]));
    let grading = grade_lab(&lab(), &never, &context, &|_| ()).await;
    assert_eq!(grading.result("gate").unwrap().verdict, Verdict::Fail);
    assert!((20..30).contains(&grading.round_trips), "{}", grading.round_trips);
}
