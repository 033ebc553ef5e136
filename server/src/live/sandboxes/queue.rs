//! Who is next: the longest waiting, whichever server has a place.

use std::{sync::Arc, time::Duration};

use tokio::sync::OwnedSemaphorePermit;

use super::{Sandboxes, phase::Phase, tasks::Work};
use crate::store::StoreResult;

/// Another server may have made room without our knowing.
const LOOK: Duration = Duration::from_secs(5);

impl Sandboxes {
    /// Hands out places for as long as the server runs.
    pub(super) async fn serve_queue(self: Arc<Self>) {
        loop {
            let woken = tokio::time::timeout(LOOK, self.wake.notified());
            if let Err(error) = self.fill_places().await {
                tracing::error!(error = &error as &dyn std::error::Error, "the queue could not be served");
            }
            let _looked = woken.await;
        }
    }

    pub(super) async fn fill_places(self: &Arc<Self>) -> StoreResult<()> {
        while let Ok(place) = Arc::clone(&self.making).try_acquire_owned() {
            if !self.start_next(place).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether somebody got the place.
    async fn start_next(self: &Arc<Self>, place: OwnedSemaphorePermit) -> StoreResult<bool> {
        let alive = self.store.sandboxes().alive().await?;
        if alive.iter().filter(|sandbox| sandbox.phase.is_on_engine()).count() >= self.places.total {
            return Ok(false);
        }
        let waiting: Vec<_> = alive.into_iter().filter(|sandbox| sandbox.phase == Phase::Queued).collect();
        for (index, next) in waiting.iter().enumerate() {
            // Another server may have been faster with this one.
            let Some(taken) = self.put(next, next.enter(Phase::Creating, self.hand())).await? else { continue };
            let work = Arc::clone(self).make(taken.clone(), place);
            self.tasks.start(&taken.id, Work::Make, work);
            for behind in &waiting[index + 1..] {
                self.announce_anew(&behind.id).await;
            }
            return Ok(true);
        }
        Ok(false)
    }
}
