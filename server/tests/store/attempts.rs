//! Graded tries, best scores, verdicts, answers, hints.

use std::time::Duration;

use bulkhead::store::{AttemptId, AttemptState, Claim, NewAttempt, Sandbox, ServerId, StoreError};
use bulkhead_labs::grade::{CheckResult, Grading, Verdict};

use crate::{
    engine::Fresh,
    sandboxes::{account, sandbox},
};

fn claim(fresh: &Fresh, token: &str) -> Claim {
    Claim {
        token: token.to_owned(),
        owner: ServerId::new("server".to_owned()),
        deadline: fresh.now().plus(Duration::from_mins(5)),
    }
}

fn grading(score: u8) -> Grading {
    let result = |check: &str, verdict| CheckResult {
        task: "task".to_owned(),
        check: check.to_owned(),
        verdict,
        expected: "\u{1b}[31m it's \"right\"".to_owned(),
        observed: "ä\n".to_owned(),
        reason: String::new(),
        breach: false,
        tampered: vec!["host: /usr/bin/docker was changed".to_owned()],
    };
    Grading {
        results: vec![result("one", Verdict::Pass), result("two", Verdict::Unknown)],
        score,
        certain: score.saturating_sub(10),
        passed: score >= 80,
        gated: score < 40,
        restart_error: None,
        round_trips: 3,
        millis: 12,
    }
}

async fn ready(fresh: &Fresh, name: &str) -> Sandbox {
    let row = sandbox(fresh, name, account(fresh, name).await, "lab");
    fresh.store.sandboxes().insert(&row).await.expect("a row");
    row
}

async fn begin(fresh: &Fresh, row: &Sandbox, token: &str) -> Result<AttemptId, StoreError> {
    let claim = claim(fresh, token);
    let new = NewAttempt {
        account: row.account,
        lab: &row.lab,
        sandbox: &row.id,
        generation: row.generation,
        claim: &claim,
        at: fresh.now(),
    };
    fresh.store.attempts().begin(&new).await
}

pub(crate) async fn a_finished_attempt_comes_with_evidence_verdicts_and_best(fresh: Fresh) {
    let row = ready(&fresh, "ada").await;
    let table = fresh.store.attempts();
    let id = begin(&fresh, &row, "token").await.expect("begun");
    let running = table.running().await.expect("asked");
    assert_eq!((running[0].0.id, running[0].1.clone()), (id, claim(&fresh, "token")));
    fresh.clock.advance(Duration::from_secs(1));
    let best = table.finish(id, "token", &grading(90), fresh.now()).await.expect("asked").expect("finished");
    assert_eq!((best.attempt, best.score, best.passed, best.attempts, best.at), (id, 80, true, 1, fresh.now()));
    let attempt = table.by_id(id).await.expect("asked").expect("the attempt");
    let AttemptState::Done(outcome) = attempt.state else { panic!("{:?}", attempt.state) };
    assert_eq!((outcome.score, outcome.results.clone(), outcome.millis), (90, grading(90).results, 12));
    let verdicts = fresh.store.lab_state().verdicts(&row.id, row.generation).await.expect("asked");
    assert_eq!(verdicts.into_values().collect::<Vec<_>>(), grading(90).results);
    assert!(
        fresh.store.lab_state().verdicts(&row.id, 2).await.expect("asked").is_empty(),
        "the next generation has none"
    );
    assert_eq!(table.running().await.expect("asked"), []);
}

pub(crate) async fn only_who_holds_the_token_finishes_and_only_once(fresh: Fresh) {
    let row = ready(&fresh, "ada").await;
    let table = fresh.store.attempts();
    let id = begin(&fresh, &row, "first").await.expect("begun");
    assert!(!table.take_over(id, "wrong", &claim(&fresh, "second")).await.expect("asked"));
    assert!(table.take_over(id, "first", &claim(&fresh, "second")).await.expect("asked"));
    assert_eq!(table.finish(id, "first", &grading(100), fresh.now()).await.expect("asked"), None);
    assert!(!table.abandon(id, "first", "late", fresh.now()).await.expect("asked"));
    let racers: Vec<_> = (0..8)
        .map(|_| {
            let (store, now) = (fresh.store.clone(), fresh.now());
            tokio::spawn(async move { store.attempts().finish(id, "second", &grading(50), now).await.expect("asked") })
        })
        .collect();
    let mut finished = 0;
    for racer in racers {
        finished += usize::from(racer.await.expect("raced").is_some());
    }
    assert_eq!(finished, 1);
    let best = table.best_of(row.account).await.expect("asked");
    assert_eq!((best["lab"].attempts, best["lab"].score), (1, 40));
    assert!(!table.abandon(id, "second", "late", fresh.now()).await.expect("asked"));
}

pub(crate) async fn one_attempt_runs_in_a_sandbox(fresh: Fresh) {
    let (ada, bob) = (ready(&fresh, "ada").await, ready(&fresh, "bob").await);
    let first = begin(&fresh, &ada, "one").await.expect("begun");
    let second = begin(&fresh, &ada, "two").await;
    assert!(matches!(second, Err(StoreError::Taken { .. })), "{second:?}");
    begin(&fresh, &bob, "three").await.expect("another sandbox");
    fresh.store.attempts().finish(first, "one", &grading(10), fresh.now()).await.expect("asked").expect("finished");
    begin(&fresh, &ada, "four").await.expect("the next");
}

pub(crate) async fn the_best_counts_and_a_pass_stays(fresh: Fresh) {
    let row = ready(&fresh, "ada").await;
    let table = fresh.store.attempts();
    let mut ids = Vec::new();
    for score in [50, 95, 20, 95] {
        let id = begin(&fresh, &row, "token").await.expect("begun");
        table.finish(id, "token", &grading(score), fresh.now()).await.expect("asked").expect("finished");
        ids.push(id);
    }
    let best = table.best_of(row.account).await.expect("asked").remove("lab").expect("a best");
    // The first of two equals.
    assert_eq!((best.attempt, best.score, best.passed, best.attempts, best.gated), (ids[1], 85, true, 4, false));
    assert_eq!(table.all_best().await.expect("asked"), [best]);
    let done: Vec<_> = table.done(row.account, "lab").await.expect("asked").into_iter().map(|(id, _)| id).collect();
    ids.reverse();
    assert_eq!(done, ids, "the latest first");
}

pub(crate) async fn an_abandoned_attempt_costs_nothing(fresh: Fresh) {
    let row = ready(&fresh, "ada").await;
    let table = fresh.store.attempts();
    let id = begin(&fresh, &row, "token").await.expect("begun");
    assert!(table.abandon(id, "token", "it went", fresh.now()).await.expect("asked"));
    assert_eq!(table.finish(id, "token", &grading(100), fresh.now()).await.expect("asked"), None);
    assert!(table.best_of(row.account).await.expect("asked").is_empty());
    assert!(table.done(row.account, "lab").await.expect("asked").is_empty());
    let attempt = table.by_id(id).await.expect("asked").expect("the attempt");
    assert_eq!(attempt.state, AttemptState::Abandoned { reason: "it went".to_owned() });
    begin(&fresh, &row, "again").await.expect("the next");
}

pub(crate) async fn answers_and_hints_are_kept_apart(fresh: Fresh) {
    let (ada, bob) = (ready(&fresh, "ada").await, ready(&fresh, "bob").await);
    let table = fresh.store.lab_state();
    table.put_answer(&ada.id, 1, "check", "first", fresh.now()).await.expect("an answer");
    table.put_answer(&ada.id, 1, "check", "second", fresh.now()).await.expect("a better one");
    assert_eq!(table.answers(&ada.id, 1).await.expect("asked")["check"], "second");
    assert!(table.answers(&ada.id, 2).await.expect("asked").is_empty());
    assert!(table.answers(&bob.id, 1).await.expect("asked").is_empty());
    for _ in 0..2 {
        table.reveal_hint(ada.account, "lab", "task", 1, fresh.now()).await.expect("a hint");
    }
    let hints = table.hints(ada.account, "lab").await.expect("asked");
    assert_eq!(hints.into_iter().collect::<Vec<_>>(), [("task".to_owned(), 1)]);
    assert!(table.hints(bob.account, "lab").await.expect("asked").is_empty());
}
