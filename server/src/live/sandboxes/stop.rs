//! From wherever a sandbox is to nothing left of it.

use std::{sync::Arc, time::Duration};

use super::{
    Sandboxes,
    phase::{Phase, Then},
    tasks::Work,
};
use crate::store::{Sandbox, StoreResult};

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
        self.destroy(&sandbox).await;
        match self.stopped(&sandbox).await {
            Ok(()) => self.wake.notify_one(),
            // The row's deadline brings the keeper here again.
            Err(error) => tracing::error!(sandbox = %sandbox.id, error = &error as &dyn std::error::Error, "the end of a sandbox was not written"),
        }
    }

    /// Returns once nothing is left on the engine, however long the engine is away.
    async fn destroy(&self, sandbox: &Sandbox) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.try_destroy(sandbox).await {
            tracing::warn!(sandbox = %sandbox.id, %error, "a sandbox could not be destroyed yet");
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
