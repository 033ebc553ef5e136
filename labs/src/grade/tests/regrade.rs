//! Before and after a restart.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use bulkhead_agent::{
    look::{Look, Seen},
    protocol::Fault,
};
use tokio::time::Instant;

use super::{context, lab, recorded::Recorded};
use crate::{
    grade::{Answer, GradeEvent, ObserveError, Observer, RestartError, Restarter, Verdict, grade_with_restart},
    manifest::{CheckId, Lab, MachineName, Regrade},
};

/// A sandbox that is another one after its restart.
struct Restartable {
    before: Recorded,
    after: Recorded,
    restart: Result<(), RestartError>,
    restarted: Mutex<u32>,
}

impl Restartable {
    fn new(before: Recorded, after: Recorded) -> Self {
        Self { before, after, restart: Ok(()), restarted: Mutex::new(0) }
    }
}

#[async_trait]
impl Observer for Restartable {
    async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
        let restarted = *self.restarted.lock().unwrap() > 0;
        if restarted { self.after.observe(looks).await } else { self.before.observe(looks).await }
    }
}

#[async_trait]
impl Restarter for Restartable {
    async fn restart_engine(&self, machine: &MachineName, containers: bool) -> Result<(), RestartError> {
        assert_eq!((machine.as_str(), containers), ("host", false));
        *self.restarted.lock().unwrap() += 1;
        self.restart.clone()
    }
}

fn restarting() -> Lab {
    Lab { regrade: Regrade::Engine, ..lab() }
}

#[tokio::test]
async fn what_survives_passes() {
    let sandbox = Restartable::new(Recorded::with(&["hard"]), Recorded::with(&["hard"]));
    let grading = grade_with_restart(&restarting(), &sandbox, &sandbox, &context(), &|_| ()).await;
    assert_eq!(grading.result("a").unwrap().verdict, Verdict::Pass);
    assert_eq!(grading.result("b").unwrap().verdict, Verdict::Pass);
    assert_eq!((grading.round_trips, *sandbox.restarted.lock().unwrap()), (6, 1));
}

#[tokio::test]
async fn what_does_not_survive_fails_and_says_so() {
    let sandbox = Restartable::new(Recorded::with(&["hard"]), Recorded::with(&["gone"]));
    let events = Mutex::new(Vec::new());
    let grading =
        grade_with_restart(&restarting(), &sandbox, &sandbox, &context(), &|e| events.lock().unwrap().push(e)).await;
    let result = grading.result("a").unwrap();
    insta::assert_snapshot!(super::line(result), @"fail | the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs | after a restart: no container with the label bulkhead.role=cms runs (1 that do not run: exited) | It held before the engine restarted, and not after. The root file system is still writable.");
    let events = events.into_inner().unwrap();
    assert!(events.contains(&GradeEvent::Restarting));
    let last = events.iter().rev().find_map(|event| match event {
        GradeEvent::Judged(result) if result.check == "a" => Some(result.verdict),
        _ => None,
    });
    assert_eq!(last, Some(Verdict::Fail), "the last verdict told is the one that counts");
}

#[tokio::test]
async fn a_restart_cannot_mend() {
    let sandbox = Restartable::new(Recorded::with(&["soft"]), Recorded::with(&["hard"]));
    let grading = grade_with_restart(&restarting(), &sandbox, &sandbox, &context(), &|_| ()).await;
    assert_eq!(grading.result("a").unwrap().verdict, Verdict::Fail);
}

/// The restart waits for services; one that was seen to be down before it is waited for no second time.
#[tokio::test(start_paused = true)]
async fn what_failed_before_a_restart_is_not_waited_for_after_it() {
    let down = || {
        let mut recorded = Recorded::with(&["hard"]);
        recorded.http = |_, _| None;
        recorded
    };
    let mut context = context();
    for (answered, asked) in [(false, 0), (true, 1)] {
        if answered {
            // It passes, and comes after the gate, which is asked for its sake.
            let flag = context.variables.get("flag").unwrap().to_owned();
            context.answers.insert(CheckId::parse("c").unwrap(), Answer::parse(&flag).unwrap());
        }
        let sandbox = Restartable::new(down(), down());
        let began = Instant::now();
        let grading = grade_with_restart(&restarting(), &sandbox, &sandbox, &context, &|_| ()).await;
        let verdict = |check: &str| grading.result(check).unwrap().verdict;
        assert_eq!([verdict("a"), verdict("b"), verdict("gate")], [Verdict::Pass, Verdict::Pass, Verdict::Fail]);
        let after = sandbox.after.asked.into_inner().unwrap();
        assert_eq!(after.iter().flatten().filter(|look| matches!(look, Look::Http { .. })).count(), asked);
        assert!(
            after.iter().flatten().any(|look| matches!(look, Look::Process { .. })),
            "what passed is looked at again"
        );
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

/// What passed before is waited for: a service that starts slowly has not failed.
#[tokio::test(start_paused = true)]
async fn what_passed_before_a_restart_is_waited_for_after_it() {
    let mut down = Recorded::with(&["hard"]);
    down.http = |_, _| None;
    let sandbox = Restartable::new(Recorded::with(&["hard"]), down);
    let began = Instant::now();
    let grading = grade_with_restart(&restarting(), &sandbox, &sandbox, &context(), &|_| ()).await;
    assert_eq!(grading.result("gate").unwrap().verdict, Verdict::Fail);
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_engine_that_does_not_restart_fails_and_a_lost_link_does_not() {
    for (error, verdict) in [
        (RestartError::Refused("dockerd: bad daemon.json".into()), Verdict::Fail),
        (RestartError::Unreachable("the link is closed".into()), Verdict::Unknown),
    ] {
        let mut sandbox = Restartable::new(Recorded::with(&["hard"]), Recorded::with(&["hard"]));
        sandbox.restart = Err(error);
        let grading = grade_with_restart(&restarting(), &sandbox, &sandbox, &context(), &|_| ()).await;
        assert_eq!(grading.result("a").unwrap().verdict, verdict, "{grading:?}");
        assert!(!grading.passed);
    }
}

#[tokio::test]
async fn nothing_restarts_where_nothing_is_to_lose() {
    let mut nothing = Recorded::with(&[]);
    nothing.http = |_, _| None;
    let sandbox = Restartable::new(nothing, Recorded::with(&["hard"]));
    grade_with_restart(&restarting(), &sandbox, &sandbox, &context(), &|_| ()).await;
    assert_eq!(*sandbox.restarted.lock().unwrap(), 0);
}
