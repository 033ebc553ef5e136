//! Attempts: one at a time, stored once, whoever dies.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bulkhead::store::{AccountId, AttemptState, Claim, NewAttempt, Sandbox, ServerId};
use bulkhead_agent::look::{FileFacts, FileKind, Look, Seen};
use bulkhead_app::api::lab::{LabEvent, SolutionView, Verdict};
use bulkhead_labs::{grade::Scope, manifest::TaskId};

use crate::bench::{Bench, LAB, Server, eventually, next};

/// The student did what was asked: the file is there with the right mode.
fn done(bench: &Bench) -> Arc<AtomicU32> {
    let looked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&looked);
    bench.engine.behave(move |behaviour| {
        behaviour.look = Arc::new(move |look| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(match look {
                Look::File { .. } => Seen::File(FileFacts {
                    kind: FileKind::File,
                    mode: 0o600,
                    uid: 0,
                    gid: 0,
                    size: 4,
                    real_path: "/srv/key".to_owned(),
                    sha256: None,
                    content: "key\n".to_owned(),
                    truncated: false,
                }),
                _ => Seen::Missing,
            })
        });
    });
    looked
}

async fn answer(server: &Server, row: &Sandbox, text: &str) {
    let at = server.platform.clock.now();
    server.store.lab_state().put_answer(&row.id, row.generation, "told", text, at).await.expect("an answer");
}

async fn check(server: &Server, account: AccountId, scope: Scope) {
    server.live.grader.check(account, server.lab(), scope).await.expect("accepted");
}

/// Every attempt that was ever begun, done or not.
async fn attempts(server: &Server) -> Vec<AttemptState> {
    let mut all = Vec::new();
    for id in 1.. {
        match server.store.attempts().by_id(bulkhead::store::AttemptId::new(id)).await.expect("asked") {
            Some(attempt) => all.push(attempt.state),
            None => break,
        }
    }
    all
}

#[tokio::test]
async fn a_check_tells_each_verdict_and_stores_one_attempt() {
    let bench = Bench::new().await;
    done(&bench);
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    let mut events = server.listen(ada);
    check(&server, ada, Scope::All).await;
    let kept = next(
        &mut events,
        |event| matches!(event, LabEvent::Check { check, .. } if check.id == "kept" && !check.running),
    )
    .await;
    let LabEvent::Check { task, check: kept } = kept else { unreachable!() };
    assert_eq!((task.as_str(), kept.verdict), ("keep", Some(Verdict::Pass)));
    let LabEvent::Score { score, best, attempts: count } =
        next(&mut events, |event| matches!(event, LabEvent::Score { .. })).await
    else {
        unreachable!()
    };
    assert_eq!((score.score, score.passed, best.score, count), (60, true, 60, 1));
    let solution = next(&mut events, |event| matches!(event, LabEvent::Solution { .. })).await;
    assert!(matches!(solution, LabEvent::Solution { solution: SolutionView::Open { .. } }), "it passed");
    next(&mut events, |event| *event == LabEvent::Grading { running: false }).await;

    // What is shown to a page that is loaded now.
    let state = server.live.state(&server.store, ada, server.lab()).await.expect("a state");
    let verdicts: Vec<_> = state.checks.iter().map(|(_, check)| (check.id.as_str(), check.verdict)).collect();
    assert_eq!(verdicts, [("kept", Some(Verdict::Pass)), ("told", Some(Verdict::Fail))]);

    answer(&server, &row, "that").await;
    check(&server, ada, Scope::All).await;
    let better = next(&mut events, |event| matches!(event, LabEvent::Score { .. })).await;
    assert!(matches!(better, LabEvent::Score { ref best, attempts: 2, .. } if best.score == 100), "{better:?}");
    answer(&server, &row, "this").await;
    next(&mut events, |event| *event == LabEvent::Grading { running: false }).await;
    check(&server, ada, Scope::All).await;
    let worse = next(&mut events, |event| matches!(event, LabEvent::Score { .. })).await;
    assert!(
        matches!(worse, LabEvent::Score { ref score, ref best, attempts: 3 } if score.score == 60 && best.score == 100),
        "{worse:?}"
    );
}

#[tokio::test]
async fn a_task_alone_is_no_attempt() {
    let bench = Bench::new().await;
    done(&bench);
    let server = bench.server().await;
    let ada = server.account("ada").await;
    server.ready(ada).await;
    let mut events = server.listen(ada);
    check(&server, ada, Scope::Task(TaskId::parse("keep").expect("an id"))).await;
    next(&mut events, |event| *event == LabEvent::Grading { running: false }).await;
    assert_eq!(attempts(&server).await, []);
    let state = server.live.state(&server.store, ada, server.lab()).await.expect("a state");
    let verdicts: Vec<_> = state.checks.iter().map(|(_, check)| (check.id.as_str(), check.verdict)).collect();
    assert_eq!(verdicts, [("kept", Some(Verdict::Pass)), ("told", None)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_asks_while_it_is_graded_joins() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    server.ready(ada).await;
    // The agent looks only once everybody has asked.
    let asked = Arc::new((Mutex::new(false), Condvar::new()));
    let gate = Arc::clone(&asked);
    bench.engine.behave(move |behaviour| {
        behaviour.look = Arc::new(move |_| {
            let waiting = gate.0.lock().expect("a lock");
            let waited = gate.1.wait_timeout_while(waiting, Duration::from_secs(20), |asked| !*asked);
            drop(waited.expect("a lock"));
            Ok(Seen::Missing)
        });
    });
    let mut events = server.listen(ada);
    futures::future::join_all((0..10).map(|_| check(&server, ada, Scope::All))).await;
    *asked.0.lock().expect("a lock") = true;
    asked.1.notify_all();
    next(&mut events, |event| *event == LabEvent::Grading { running: false }).await;
    assert_eq!(attempts(&server).await.len(), 1);
}

#[tokio::test]
async fn three_tries_open_the_solution() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    server.ready(ada).await;
    let mut events = server.listen(ada);
    for left in [2, 1, 0] {
        check(&server, ada, Scope::All).await;
        let LabEvent::Solution { solution } =
            next(&mut events, |event| matches!(event, LabEvent::Solution { .. })).await
        else {
            unreachable!()
        };
        match (left, solution) {
            (0, SolutionView::Open { html }) => assert!(html.contains("So."), "{html}"),
            (left, solution) => assert_eq!(solution, SolutionView::Locked { tries_left: left }),
        }
        next(&mut events, |event| *event == LabEvent::Grading { running: false }).await;
    }
}

/// An attempt that a dead server had begun.
async fn left(server: &Server, row: &Sandbox) -> bulkhead::store::AttemptId {
    let now = server.platform.clock.now();
    let claim = Claim {
        token: "theirs".to_owned(),
        owner: ServerId::new("dead".to_owned()),
        deadline: now.plus(Duration::from_mins(5)),
    };
    let new = NewAttempt {
        account: row.account,
        lab: LAB,
        sandbox: &row.id,
        generation: row.generation,
        claim: &claim,
        at: now,
    };
    server.store.attempts().begin(&new).await.expect("begun")
}

#[tokio::test]
async fn an_attempt_that_a_dead_server_began_is_graded_once_by_the_next() {
    let bench = Bench::new().await;
    let looked = done(&bench);
    let before = bench.server().await;
    let ada = before.account("ada").await;
    let row = before.ready(ada).await;
    let id = left(&before, &row).await;
    drop(before);
    let after = bench.server().await;
    eventually(
        "graded",
        async || matches!(attempts(&after).await.as_slice(), [AttemptState::Done(outcome)] if outcome.score == 60),
    )
    .await;
    assert!(looked.load(Ordering::SeqCst) > 0);
    // The dead one comes back from the dead, and is too late.
    let grading = bulkhead_labs::grade::Grading {
        results: Vec::new(),
        score: 100,
        certain: 100,
        passed: true,
        gated: false,
        restart_error: None,
        round_trips: 0,
        millis: 0,
    };
    let late = after.store.attempts().finish(id, "theirs", &grading, bench.clock.now()).await.expect("asked");
    assert_eq!(late, None);
    let best = after.store.attempts().best_of(ada).await.expect("asked");
    assert_eq!((best[LAB].score, best[LAB].attempts), (60, 1));
}

#[tokio::test]
async fn an_attempt_whose_sandbox_went_costs_nothing() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    left(&server, &row).await;
    server.live.sandboxes.reset(ada, server.lab()).await.expect("reset");
    eventually("the next generation", async || server.row(ada).await.generation == 2).await;
    let servers = server.live.sandboxes.servers().await.expect("asked");
    server.live.grader.resume(&servers).await.expect("resumed");
    assert!(matches!(attempts(&server).await.as_slice(), [AttemptState::Abandoned { .. }]));
    assert!(server.store.attempts().best_of(ada).await.expect("asked").is_empty());
    // And the student can be graded again.
    server.until(ada, bulkhead::live::sandboxes::phase::Phase::Ready).await;
    let mut events = server.listen(ada);
    check(&server, ada, Scope::All).await;
    next(&mut events, |event| matches!(event, LabEvent::Score { .. })).await;
}

#[tokio::test]
async fn an_attempt_does_not_outlive_its_deadline() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    left(&server, &row).await;
    bench.clock.advance(Duration::from_secs(301));
    let servers = server.live.sandboxes.servers().await.expect("asked");
    server.live.grader.resume(&servers).await.expect("resumed");
    assert!(matches!(attempts(&server).await.as_slice(), [AttemptState::Abandoned { .. }]));
}
