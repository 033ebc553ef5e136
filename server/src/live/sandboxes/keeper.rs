//! Looks after all sandboxes: at start, and then periodically.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bulkhead_app::api::lab::LabEvent;
use bulkhead_labs::engine::EngineError;

use super::{
    Sandboxes,
    phase::{Phase, Then},
    reconcile::{Decision, Present, decide},
};
use crate::store::{Dialect, Sandbox, ServerId, StoreError, StoreResult};

/// How often rows and engine are compared.
const COMPARE: Duration = Duration::from_secs(30);
/// How often the clock of each sandbox is looked at, and a sign of life given.
const TICK: Duration = Duration::from_secs(1);
const BEAT: Duration = Duration::from_secs(5);
/// A server that was silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Sandboxes {
    /// Takes up what the server before this one left, then starts the tasks that run as long as the server.
    ///
    /// An engine that does not answer now is asked again later; the rows stay as they are until then.
    pub async fn begin(self: &Arc<Self>) -> StoreResult<()> {
        let table = self.store.sandboxes();
        if self.store.dialect() == Dialect::Sqlite {
            // The data folder is locked: nobody else can be alive.
            table.leave(None).await?;
        }
        table.beat(&self.me, self.clock.now()).await?;
        if let Err(error) = self.reconcile().await {
            tracing::warn!(%error, "sandboxes were not looked after at start");
        }
        tokio::spawn(Arc::clone(self).serve_queue());
        tokio::spawn(Arc::clone(self).keep());
        Ok(())
    }

    /// What others need not wait for: this server is going.
    pub async fn leave(&self) -> StoreResult<()> {
        self.store.sandboxes().leave(Some(&self.me)).await
    }

    async fn keep(self: Arc<Self>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (beat, compare) = (BEAT.as_secs() / TICK.as_secs(), COMPARE.as_secs() / TICK.as_secs());
        for round in 1_u64.. {
            tick.tick().await;
            if round.is_multiple_of(beat)
                && let Err(error) = self.store.sandboxes().beat(&self.me, self.clock.now()).await
            {
                tracing::error!(error = &error as &dyn std::error::Error, "no sign of life could be given");
            }
            if let Err(error) = self.look_at_clocks().await {
                tracing::error!(error = &error as &dyn std::error::Error, "sandboxes' clocks could not be read");
            }
            if round.is_multiple_of(compare)
                && let Err(error) = self.reconcile().await
            {
                tracing::warn!(%error, "rows and engine could not be compared");
            }
        }
    }

    /// Warns, and ends what has had its time.
    pub async fn look_at_clocks(self: &Arc<Self>) -> StoreResult<()> {
        let now = self.clock.now();
        for row in self.store.sandboxes().alive().await? {
            if row.is_expired(now) {
                self.apply(&row, Decision::Stop(Then::Expired)).await?;
            } else if let Some(lab) = self.catalog.lab(&row.lab)
                && let Some(minutes) = row.warning(&lab.time, now)
            {
                let mut warned = row.clone();
                warned.warned = Some(minutes);
                if self.put(&row, warned).await?.is_some() {
                    self.events.publish(row.account, &row.lab, LabEvent::Warning { minutes });
                }
            }
        }
        Ok(())
    }

    /// Compares rows and engine both ways, and acts.
    pub async fn reconcile(self: &Arc<Self>) -> Result<(), KeeperError> {
        let now = self.clock.now();
        self.let_go().await?;
        let servers = self.servers().await?;
        // Rows first: whatever they say is ready was on the engine before it is asked.
        let rows = self.store.sandboxes().alive().await?;
        let mut objects: HashMap<_, _> =
            self.engine.list().await?.into_iter().map(|object| (object.id.clone(), object)).collect();
        for row in rows {
            let object = objects.remove(&row.id);
            let present = Present { now, me: &self.me, servers: &servers, busy: self.tasks.is_busy(&row.id) };
            let decision = decide(&row, object.as_ref(), &present);
            self.apply(&row, decision).await?;
        }
        for object in objects.into_values() {
            // A row that was written meanwhile claims it.
            let row = self.store.sandboxes().by_id(&object.id).await?;
            if row.is_none_or(|row| row.phase.is_over()) {
                tracing::info!(sandbox = %object.id, lab = object.lab, "destroying a sandbox that no row claims");
                self.engine.destroy(&object.id).await?;
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Whoever looked at a sandbox that was just ending made it a hub again, which would look for it for ever.
    async fn let_go(&self) -> StoreResult<()> {
        for sandbox in self.terminals.sandboxes() {
            let row = self.store.sandboxes().by_id(&sandbox).await?;
            if row.is_none_or(|row| row.phase.is_over()) {
                self.terminals.shut(&sandbox, "The sandbox is over.").await;
            }
        }
        Ok(())
    }

    async fn apply(self: &Arc<Self>, row: &Sandbox, decision: Decision) -> StoreResult<()> {
        let hand = self.hand();
        let new = match decision {
            Decision::Leave => return Ok(()),
            Decision::Adopt => {
                self.terminals.of(&row.id, None);
                return Ok(());
            }
            Decision::Again => row.again(hand),
            Decision::Stop(then) => row.enter(Phase::Stopping(then), hand),
            Decision::Fail(error) => row.failing(&error, hand),
            Decision::TearDown => row.enter(row.phase, hand),
        };
        if let Some(written) = self.put(row, new).await?
            && matches!(written.phase, Phase::Stopping(_))
        {
            self.stop_soon(written);
        }
        Ok(())
    }

    /// Servers that are alive.
    pub async fn servers(&self) -> StoreResult<Vec<ServerId>> {
        self.store.sandboxes().servers(self.clock.now(), SILENCE).await
    }
}
