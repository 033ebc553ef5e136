//! What a dead server left, what the engine lost, what no row claims. No row is stuck, nothing is left behind.

use std::time::Duration;

use bulkhead::{
    clock::Moment,
    live::sandboxes::{
        change::Hand,
        phase::{Phase, Then},
    },
    store::{AccountId, Sandbox, ServerId},
};
use bulkhead_labs::{
    engine::{CreateStep, Mode, SandboxEngine, SandboxId},
    grade::Variables,
};

use crate::bench::{Bench, LAB, Server, eventually};

/// A row as a server that died left it.
async fn left(bench: &Bench, server: &Server, phase: Phase) -> (AccountId, Sandbox) {
    let (account, row) = unwritten(bench, server, phase).await;
    bench.store.sandboxes().insert(&row).await.expect("a row");
    (account, row)
}

async fn unwritten(bench: &Bench, server: &Server, phase: Phase) -> (AccountId, Sandbox) {
    let account = server.account("ada").await;
    let dead = ServerId::new("dead".to_owned());
    let id = SandboxId::parse("left-behind").expect("an id");
    let hand = Hand { server: &dead, now: bench.clock.now() };
    let mut row = Sandbox::first(id, account, LAB, hand);
    row.phase = phase;
    row.deadline = phase.time_limit().map(|limit| hand.now.plus(limit));
    for entered in [Phase::Creating, Phase::Booting, Phase::SettingUp, Phase::Ready] {
        row.timeline.enter(entered, hand.now.millis());
        if entered == phase {
            break;
        }
    }
    if phase == Phase::Ready {
        row.ready_at = Some(hand.now);
        row.expires_at = Some(hand.now.plus(Duration::from_hours(1)));
    }
    (account, row)
}

/// Its container, where the server died after it was made.
async fn made(bench: &Bench, server: &Server, row: &Sandbox) {
    let expires = Moment::from_millis(1_800_000_000_000).to_datetime();
    let plan =
        server.lab().plan(row.id.clone(), "1", row.generation, expires, "bulkhead/test:1", &Variables::default());
    bulkhead_labs::sandbox::provision(&bench.engine, &plan, &|_| ()).await.expect("a sandbox");
}

#[tokio::test]
async fn whatever_step_a_server_died_in_the_next_one_gets_to_ready() {
    for phase in [Phase::Queued, Phase::Creating, Phase::Booting, Phase::SettingUp] {
        for with_container in [false, true] {
            let bench = Bench::new().await;
            let before = bench.server().await;
            let (account, row) = unwritten(&bench, &before, phase).await;
            // Before the row: whoever serves the queue may take it from then on.
            if with_container {
                made(&bench, &before, &row).await;
            }
            bench.store.sandboxes().insert(&row).await.expect("a row");
            before.live.sandboxes.reconcile().await.expect("reconciled");
            let ready = before.until(account, Phase::Ready).await;
            assert_eq!(ready.generation, 1, "{phase:?}");
            assert_eq!(bench.on_engine().await, [(row.id.to_string(), 1)], "{phase:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_dies_in_each_step_of_create_leaves_what_the_next_adopts() {
    for step in CreateStep::ALL {
        let bench = Bench::new().await;
        let server = bench.server().await;
        let (account, row) = left(&bench, &server, Phase::Creating).await;
        bench.engine.inject(step, Mode::Crash);
        let plan = server.lab().plan(
            row.id.clone(),
            "1",
            1,
            bench.clock.now().to_datetime(),
            "bulkhead/test:1",
            &Variables::default(),
        );
        // The platform's own undo is what a crash skips, so the step is driven by hand.
        let crashed = bulkhead_labs::sandbox::provision(&Uncleaned(bench.engine.clone()), &plan, &|_| ()).await;
        assert!(crashed.is_err());
        assert_eq!(bench.on_engine().await.len(), 1, "the container of {step:?} is there");
        server.live.sandboxes.reconcile().await.expect("reconciled");
        server.until(account, Phase::Ready).await;
        assert_eq!(bench.on_engine().await, [(row.id.to_string(), 1)]);
    }
}

#[tokio::test]
async fn the_remains_of_an_older_generation_make_room() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let (account, mut row) = left(&bench, &server, Phase::Failed).await;
    made(&bench, &server, &row).await;
    row = server.live.sandboxes.start(account, server.lab()).await.expect("started");
    assert_eq!(row.generation, 2);
    server.until(account, Phase::Ready).await;
    assert_eq!(bench.on_engine().await, [(row.id.to_string(), 2)]);
}

#[tokio::test]
async fn a_stop_that_was_begun_is_finished() {
    for (then, end) in [(Then::Stopped, Phase::Stopped), (Then::Expired, Phase::Expired), (Then::Failed, Phase::Failed)]
    {
        let bench = Bench::new().await;
        let server = bench.server().await;
        let (account, row) = left(&bench, &server, Phase::Stopping(then)).await;
        made(&bench, &server, &row).await;
        server.live.sandboxes.reconcile().await.expect("reconciled");
        server.until(account, end).await;
        assert_eq!(bench.on_engine().await, []);
    }
    let bench = Bench::new().await;
    let server = bench.server().await;
    let (account, row) = left(&bench, &server, Phase::Stopping(Then::Restart)).await;
    made(&bench, &server, &row).await;
    server.live.sandboxes.reconcile().await.expect("reconciled");
    assert_eq!(server.until(account, Phase::Ready).await.generation, 2);
}

#[tokio::test]
async fn a_ready_sandbox_is_served_on() {
    let bench = Bench::new().await;
    let before = bench.server().await;
    let account = before.account("ada").await;
    let row = before.ready(account).await;
    let terminals = before.live.terminals.find(&row.id).expect("a hub").list();
    drop(before);
    let after = bench.server().await;
    assert_eq!(after.row(account).await.fence, row.fence, "nothing had to be changed");
    let hub = after.live.terminals.find(&row.id).expect("a hub, at once");
    eventually("the shells", async || hub.list() == terminals).await;
}

#[tokio::test]
async fn a_sandbox_that_died_is_told_as_failed() {
    for gone in [false, true] {
        let bench = Bench::new().await;
        let server = bench.server().await;
        let account = server.account("ada").await;
        let row = server.ready(account).await;
        if gone {
            bench.engine.destroy(&row.id).await.expect("destroyed");
        } else {
            bench.engine.kill(&row.id);
        }
        server.live.sandboxes.reconcile().await.expect("reconciled");
        let failed = server.until(account, Phase::Failed).await;
        assert!(failed.error.is_some());
        assert_eq!(bench.on_engine().await, []);
    }
}

#[tokio::test]
async fn what_no_row_claims_is_destroyed() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let account = server.account("ada").await;
    let row = server.ready(account).await;
    let mut stray = row.clone();
    stray.id = SandboxId::parse("stray").expect("an id");
    made(&bench, &server, &stray).await;
    assert_eq!(bench.on_engine().await.len(), 2);
    server.live.sandboxes.reconcile().await.expect("reconciled");
    assert_eq!(bench.on_engine().await, [(row.id.to_string(), 1)]);
    assert_eq!(server.row(account).await.phase, Phase::Ready);
}

#[tokio::test]
async fn a_step_that_takes_too_long_is_undone_and_named() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let account = server.account("ada").await;
    bench.engine.behave(|behaviour| behaviour.engine_ready = false);
    server.live.sandboxes.start(account, server.lab()).await.expect("started");
    server.until(account, Phase::Booting).await;
    bench.clock.advance(Phase::Booting.time_limit().expect("a limit"));
    server.live.sandboxes.reconcile().await.expect("reconciled");
    let failed = server.until(account, Phase::Failed).await;
    assert!(
        failed.error.as_deref().is_some_and(|error| error.contains("Booting its machines took longer")),
        "{failed:?}"
    );
    assert_eq!(bench.on_engine().await, []);
}

#[tokio::test]
async fn an_engine_that_is_away_changes_no_row() {
    let bench = Bench::new().await;
    let server = bench.server().await;
    let account = server.account("ada").await;
    let row = server.ready(account).await;
    bench.engine.set_stopped(true);
    server.live.sandboxes.reconcile().await.expect_err("the engine is away");
    drop(server);
    // A server that starts meanwhile serves lessons, and labs once the engine is back.
    let after = bench.server().await;
    assert_eq!(after.row(account).await.phase, Phase::Ready);
    bench.engine.set_stopped(false);
    after.live.sandboxes.reconcile().await.expect("reconciled");
    assert_eq!(after.row(account).await.fence, row.fence);
}

/// The fake engine, whose destroy does nothing: what is left after a crash, when nobody undoes.
struct Uncleaned(bulkhead_labs::engine::FakeEngine);

#[async_trait::async_trait]
impl SandboxEngine for Uncleaned {
    fn capabilities(&self) -> &bulkhead_labs::engine::Capabilities {
        self.0.capabilities()
    }
    fn instance(&self) -> &str {
        self.0.instance()
    }
    async fn has_image(&self, image: &str) -> Result<bool, bulkhead_labs::engine::EngineError> {
        self.0.has_image(image).await
    }
    async fn create(
        &self,
        spec: &bulkhead_labs::engine::SandboxSpec,
    ) -> Result<(), bulkhead_labs::engine::EngineError> {
        self.0.create(spec).await
    }
    async fn status(
        &self,
        id: &SandboxId,
    ) -> Result<Option<bulkhead_labs::engine::SandboxSummary>, bulkhead_labs::engine::EngineError> {
        self.0.status(id).await
    }
    async fn connect(
        &self,
        id: &SandboxId,
    ) -> Result<bulkhead_labs::engine::Duplex, bulkhead_labs::engine::EngineError> {
        self.0.connect(id).await
    }
    async fn destroy(&self, _: &SandboxId) -> Result<(), bulkhead_labs::engine::EngineError> {
        Ok(())
    }
    async fn list(&self) -> Result<Vec<bulkhead_labs::engine::SandboxSummary>, bulkhead_labs::engine::EngineError> {
        self.0.list().await
    }
}
