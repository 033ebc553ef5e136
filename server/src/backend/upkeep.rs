//! What has to be swept now and then: ended sessions, and who has all his tries back.

use std::{sync::Arc, time::Duration};

use super::{Platform, internal};
use crate::account::AccountResult;

const EVERY: Duration = Duration::from_mins(1);

impl Platform {
    /// Sweeps once, and says how many sessions had ended.
    pub async fn tidy(&self) -> AccountResult<u64> {
        self.accounts.limits().forget_idle();
        Ok(self.store.sessions().purge(self.clock.now()).await?)
    }

    /// Sweeps for as long as the server runs.
    pub async fn upkeep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.tidy().await {
                Ok(0) => {}
                Ok(ended) => tracing::debug!(ended, "sessions swept"),
                Err(error) => drop(internal(&error)),
            }
        }
    }
}
