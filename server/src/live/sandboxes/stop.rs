//! From wherever a sandbox is to nothing left of it.

use std::{sync::Arc, time::Duration};

use super::{
    Sandboxes,
    phase::{Phase, Then},
    tasks::Work,
};
use crate::{
    live::crash,
    store::{Sandbox, StoreResult},
};

/// How long the task that made it may take to notice that it is gone.
const NOTICE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

impl Sandboxes {
    /// `sandbox` was just written as stopping by this server.
    pub(super) fn stop_soon(self: &Arc<Self>, sandbox: Sandbox) {
        let id = sandbox.id.clone();
        let before = self.tasks.take(&id, Work::Stop);
        let work = Arc::clone(self).tear_down(sandbox, before);
        self.tasks.start(&id, Work::Stop, work);
    }

    async fn tear_down(self: Arc<Self>, sandbox: Sandbox, before: Option<tokio::task::JoinHandle<()>>) {
        let reason = match sandbox.phase {
            Phase::Stopping(Then::Restart) => "The lab was reset.",
            Phase::Stopping(Then::Expired) => "The time of this sandbox is up.",
            Phase::Stopping(Then::Failed) => "The sandbox failed.",
            _ => "The lab was stopped.",
        };
        self.terminals.shut(&sandbox.id, reason).await;
        if let Some(before) = before {
            // It destroys the same sandbox, and its last write will be refused.
            let _done = before.await;
        }
        crash::point("stopping");
        self.destroy(&sandbox).await;
        crash::point("destroyed");
        match self.stopped(&sandbox).await {
            Ok(()) => self.wake.notify_one(),
            // The row's deadline brings the keeper here again.
            Err(error) => {
                tracing::error!(sandbox = %sandbox.id, error = &error as &dyn std::error::Error, "the end of a sandbox was not written");
            }
        }
    }

    /// Returns once nothing is left on the engine, however long the engine is away. Who only waits to be told that it
    /// failed is told at once; the keeper destroys what a row that is over left.
    async fn destroy(&self, sandbox: &Sandbox) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.try_destroy(sandbox).await {
            tracing::warn!(sandbox = %sandbox.id, %error, "a sandbox could not be destroyed yet");
            if sandbox.phase == Phase::Stopping(Then::Failed) {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_destroy(&self, sandbox: &Sandbox) -> Result<(), bulkhead_labs::engine::EngineError> {
        self.engine.destroy(&sandbox.id).await?;
        // A making task of ours now meets an engine without its sandbox, gives up, and may not leave anything behind.
        if let Some(mut making) = self.tasks.take(&sandbox.id, Work::Make) {
            if tokio::time::timeout(NOTICE, &mut making).await.is_err() {
                making.abort();
                let _aborted = making.await;
            }
            self.engine.destroy(&sandbox.id).await?;
        }
        Ok(())
    }

    /// Writes the end that the row asks for by now: the student may have changed his mind meanwhile.
    async fn stopped(self: &Arc<Self>, sandbox: &Sandbox) -> StoreResult<()> {
        loop {
            let Some(row) = self.store.sandboxes().by_id(&sandbox.id).await? else { return Ok(()) };
            let Phase::Stopping(then) = row.phase else { return Ok(()) };
            if row.generation != sandbox.generation {
                return Ok(());
            }
            let hand = self.hand();
            let over = match then {
                Then::Restart => row.next_generation(hand),
                Then::Stopped => row.enter(Phase::Stopped, hand),
                Then::Expired => row.enter(Phase::Expired, hand),
                Then::Failed => row.enter(Phase::Failed, hand),
            };
            if self.put(&row, over).await?.is_some() {
                return Ok(());
            }
        }
    }
}

impl Sandboxes {
    /// Stops every sandbox. Whether all were gone within `patience`.
    pub async fn stop_all(self: &Arc<Self>, patience: Duration) -> StoreResult<bool> {
        let all = async {
            while !self.stop_round().await? {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(true)
        };
        tokio::time::timeout(patience, all).await.unwrap_or(Ok(false))
    }

    /// Whether nothing was left. One that changed hands meanwhile is met in the next round.
    async fn stop_round(self: &Arc<Self>) -> StoreResult<bool> {
        let alive = self.store.sandboxes().alive().await?;
        for row in &alive {
            let next = match row.phase {
                Phase::Queued => row.enter(Phase::Stopped, self.hand()),
                Phase::Stopping(Then::Restart) => row.enter(Phase::Stopping(Then::Stopped), self.hand()),
                Phase::Stopping(_) => continue,
                _ => row.enter(Phase::Stopping(Then::Stopped), self.hand()),
            };
            if let Some(stopping) = self.put(row, next).await?
                && matches!(stopping.phase, Phase::Stopping(_))
            {
                self.stop_soon(stopping);
            }
        }
        Ok(alive.is_empty())
    }
}
