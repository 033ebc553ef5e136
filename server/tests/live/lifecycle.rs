//! Start, reset, stop, expire, fail, wait.

use std::time::Duration;

use bulkhead::live::{
    sandboxes::{
        Places, SandboxError,
        phase::{Phase, Then},
    },
    terminals::TerminalError,
};
use bulkhead_app::api::lab::{LabEvent, SandboxState, StepStatus};
use bulkhead_labs::engine::{CreateStep, Mode};

use crate::bench::{Bench, LAB, eventually, next};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_start_shows_its_steps_and_ends_with_a_prompt() {
    use SandboxState::{Booting, Creating, Queued, Ready, SettingUp};

    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let mut events = server.listen(ada);
    let first = server.live.sandboxes.start(ada, server.lab()).await.expect("started");
    let mut seen = Vec::new();
    let view = loop {
        let event = next(&mut events, |event| matches!(event, LabEvent::Sandbox { sandbox: Some(_) })).await;
        let LabEvent::Sandbox { sandbox: Some(view) } = event else { unreachable!() };
        seen.push(view.state);
        if view.state == Ready {
            break view;
        }
    };
    seen.dedup();
    assert_eq!(seen, [Queued, Creating, Booting, SettingUp, Ready]);
    assert!(view.steps.iter().all(|step| step.status == StepStatus::Done && step.millis.is_some()), "{:?}", view.steps);
    assert_eq!(view.terminals.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["host 1"]);
    assert_eq!(view.extend_minutes, 15);

    let again = server.live.sandboxes.start(ada, server.lab()).await.expect("started");
    assert_eq!((again.id, again.generation, again.phase), (first.id.clone(), 1, Phase::Ready));
    assert_eq!(bench.on_engine().await, [(first.id.to_string(), 1)]);
}

#[tokio::test]
async fn many_clicks_make_one_sandbox() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let starts = (0..20).map(|_| server.live.sandboxes.start(ada, server.lab()));
    let ids: Vec<_> = futures::future::join_all(starts).await.into_iter().map(|row| row.expect("started").id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    server.until(ada, Phase::Ready).await;
    assert_eq!(bench.on_engine().await.len(), 1);
}

#[tokio::test]
async fn nor_do_clicks_in_many_labs_find_more_places_than_there_are() {
    let mut bench = Bench::new().await;
    bench.places.per_account = 1;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let labs = server.live.catalog.labs();
    let starts = (0..10).flat_map(|_| labs).map(|lab| server.live.sandboxes.start(ada, lab));
    let started = futures::future::join_all(starts).await;
    assert!(started.iter().any(Result::is_err), "{} labs were started", labs.len());
    assert_eq!(server.store.sandboxes().alive().await.expect("asked").len(), 1);
}

/// Who still looked at it when it ended would have its hub look for it until the server ends.
#[tokio::test]
async fn a_sandbox_that_is_over_is_let_go_of() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    server.live.sandboxes.stop(ada, LAB).await.expect("stopped");
    server.until(ada, Phase::Stopped).await;
    let hub = server.live.terminals.of(&row.id, None);
    server.live.sandboxes.reconcile().await.expect("compared");
    assert!(server.live.terminals.find(&row.id).is_none());
    assert!(matches!(hub.link().await, Err(TerminalError::Over)));
    let again = server.ready(ada).await;
    server.live.sandboxes.reconcile().await.expect("compared");
    assert!(server.live.terminals.find(&again.id).is_some());
}

#[tokio::test]
async fn stopping_leaves_nothing_and_starting_again_starts_clean() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    let hub = server.live.terminals.find(&row.id).expect("a hub");
    let mut events = server.listen(ada);
    server.live.sandboxes.stop(ada, LAB).await.expect("stopped");
    server.live.sandboxes.stop(ada, LAB).await.expect("stopping is idempotent");
    next(&mut events, |event| matches!(event, LabEvent::Sandbox { sandbox: None })).await;
    assert_eq!(server.row(ada).await.phase, Phase::Stopped);
    assert_eq!(bench.on_engine().await, []);
    assert!(hub.open("host", 0).await.is_err());
    assert!(server.live.sandboxes.find(ada, LAB).await.expect("asked").is_none());

    let again = server.ready(ada).await;
    assert_eq!((again.id, again.generation), (row.id.clone(), 2));
    assert_eq!(bench.on_engine().await, [(row.id.to_string(), 2)]);
}

#[tokio::test]
async fn a_reset_is_the_next_generation() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    let row = server.ready(ada).await;
    let reset = server.live.sandboxes.reset(ada, server.lab()).await.expect("reset");
    assert_eq!(reset.phase, Phase::Stopping(Then::Restart));
    eventually("the next generation", async || {
        let now = server.row(ada).await;
        now.phase == Phase::Ready && now.generation == 2
    })
    .await;
    assert_eq!(bench.on_engine().await, [(row.id.to_string(), 2)]);
}

#[tokio::test]
async fn a_step_that_fails_says_so_and_leaves_nothing() {
    for step in CreateStep::ALL {
        let bench = Bench::new().await;
        let server = bench.server().await;
        let ada = server.account("ada").await;
        bench.engine.inject(step, Mode::Fail);
        server.live.sandboxes.start(ada, server.lab()).await.expect("asked for");
        let row = server.until(ada, Phase::Failed).await;
        assert!(row.error.as_deref().is_some_and(|error| error.contains("could not be made")), "{row:?}");
        assert_eq!(bench.on_engine().await, [], "after {step:?}");
        let view = server.live.sandboxes.view(&row).await.expect("a view");
        assert!(view.steps.iter().any(|step| step.status == StepStatus::Failed), "{:?}", view.steps);
        server.ready(ada).await;
    }
}

#[tokio::test]
async fn an_image_that_is_missing_is_named_to_the_one_who_can_build_it() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    bench.engine.set_image("bulkhead/test:1", false);
    server.live.sandboxes.start(ada, server.lab()).await.expect("asked for");
    let row = server.until(ada, Phase::Failed).await;
    assert!(row.error.as_deref().is_some_and(|error| error.contains("bulkhead images build")), "{row:?}");
}

#[tokio::test]
async fn an_engine_that_is_away_is_told_at_once() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    bench.engine.set_stopped(true);
    server.live.sandboxes.start(ada, server.lab()).await.expect("asked for");
    let row = server.until(ada, Phase::Failed).await;
    assert!(row.error.as_deref().is_some_and(|error| error.contains("does not answer")), "{row:?}");
    bench.engine.set_stopped(false);
    server.ready(ada).await;
}

#[tokio::test]
async fn a_sandbox_is_stopped_while_it_boots() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    bench.engine.behave(|behaviour| behaviour.engine_ready = false);
    server.live.sandboxes.start(ada, server.lab()).await.expect("started");
    server.until(ada, Phase::Booting).await;
    server.live.sandboxes.stop(ada, LAB).await.expect("stopped");
    let row = server.until(ada, Phase::Stopped).await;
    assert_eq!(row.error, None);
    assert_eq!(bench.on_engine().await, []);
    // Its place is free again.
    bench.engine.behave(|behaviour| behaviour.engine_ready = true);
    server.ready(ada).await;
}

#[tokio::test]
async fn who_starts_while_it_stops_gets_a_clean_one() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    server.ready(ada).await;
    bench.engine.set_stopped(true);
    server.live.sandboxes.stop(ada, LAB).await.expect("stopped");
    let back = server.live.sandboxes.start(ada, server.lab()).await.expect("started");
    assert_eq!(back.phase, Phase::Stopping(Then::Restart));
    bench.engine.set_stopped(false);
    eventually("the next generation", async || {
        let now = server.row(ada).await;
        now.phase == Phase::Ready && now.generation == 2
    })
    .await;
}

#[tokio::test]
async fn who_finds_no_place_waits_for_his_turn() {
    let mut bench = Bench::new().await;
    bench.places = Places { total: 1, making: 1, per_account: 3 };
    let server = bench.server().await;
    let (ada, bob, eve) = (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    server.ready(ada).await;
    bench.clock.advance(Duration::from_secs(1));
    let waiting = server.live.sandboxes.start(bob, server.lab()).await.expect("asked for");
    bench.clock.advance(Duration::from_secs(1));
    let behind = server.live.sandboxes.start(eve, server.lab()).await.expect("asked for");
    let label = async |row| server.live.sandboxes.view(row).await.expect("a view").steps[0].label.clone();
    assert_eq!(label(&waiting).await, "Next in the queue");
    assert_eq!(label(&behind).await, "Waiting for a place: 1 before you");
    server.live.sandboxes.stop(ada, LAB).await.expect("stopped");
    server.until(bob, Phase::Ready).await;
    assert_eq!(server.row(eve).await.phase, Phase::Queued);
    server.live.sandboxes.stop(eve, LAB).await.expect("gave up");
    assert_eq!(server.row(eve).await.phase, Phase::Stopped);
}

#[tokio::test]
async fn one_student_does_not_take_all_places() {
    let mut bench = Bench::new().await;
    bench.places.per_account = 1;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    server.ready(ada).await;
    let other = server.live.catalog.lab("other").expect("a lab");
    let refused = server.live.sandboxes.start(ada, other).await;
    assert!(matches!(&refused, Err(SandboxError::NotNow(why)) if why.contains(LAB)), "{refused:?}");
}

#[tokio::test]
async fn time_is_warned_of_extended_and_up() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let ada = server.account("ada").await;
    server.ready(ada).await;
    let mut events = server.listen(ada);
    let warned = async |events: &mut _| {
        let LabEvent::Warning { minutes } = next(events, |event| matches!(event, LabEvent::Warning { .. })).await
        else {
            unreachable!()
        };
        minutes
    };
    bench.clock.advance(50 * MINUTE);
    assert_eq!(warned(&mut events).await, 10);
    bench.clock.advance(8 * MINUTE);
    assert_eq!(warned(&mut events).await, 2);
    let extended = server.live.sandboxes.extend(ada, server.lab()).await.expect("extended");
    assert_eq!(extended.expires_at, extended.ready_at.map(|at| at.plus(75 * MINUTE)));
    let last = server.live.sandboxes.extend(ada, server.lab()).await.expect("what is left");
    assert_eq!(last.expires_at, last.ready_at.map(|at| at.plus(80 * MINUTE)));
    let refused = server.live.sandboxes.extend(ada, server.lab()).await;
    assert!(matches!(&refused, Err(SandboxError::NotNow(why)) if why.contains("80 minutes")), "{refused:?}");
    bench.clock.advance(22 * MINUTE);
    let row = server.until(ada, Phase::Expired).await;
    assert_eq!(bench.on_engine().await, []);
    let view = server.live.sandboxes.view(&row).await.expect("a view");
    assert_eq!(view.state, SandboxState::Expired);
}
