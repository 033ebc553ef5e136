//! Attempts that a dead server left: graded again where the sandbox lives, else abandoned. Never both, never twice.

use std::{sync::Arc, time::Duration};

use bulkhead_app::api::lab::LabEvent;
use bulkhead_labs::grade::Scope;

use super::Grader;
use crate::{
    live::sandboxes::phase::Phase,
    store::{Attempt, Claim, Sandbox, ServerId, StoreResult},
};

/// How often it is looked whether somebody left an attempt.
const LOOK: Duration = Duration::from_secs(15);

impl Grader {
    /// Takes up what was left, now and for as long as the server runs.
    pub async fn begin(self: Arc<Self>) {
        self.look_for_left().await;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                self.look_for_left().await;
            }
        });
    }

    async fn look_for_left(self: &Arc<Self>) {
        let resumed = async {
            let servers = self.sandboxes.servers().await?;
            self.resume(&servers).await
        };
        if let Err(error) = resumed.await {
            tracing::error!(error = &error as &dyn std::error::Error, "attempts that were left were not looked at");
        }
    }

    /// `servers`: those that are alive.
    pub async fn resume(self: &Arc<Self>, servers: &[ServerId]) -> StoreResult<()> {
        for (attempt, claim) in self.store.attempts().running().await? {
            let late = claim.deadline <= self.clock.now();
            if late {
                self.abandon(&attempt, &claim, "the grading took too long").await?;
            } else if !self.looked_after(&attempt, &claim, servers) {
                self.take_up(attempt, claim).await?;
            }
        }
        Ok(())
    }

    fn looked_after(&self, attempt: &Attempt, claim: &Claim, servers: &[ServerId]) -> bool {
        if claim.owner == self.me {
            self.running().contains_key(&attempt.sandbox)
        } else {
            servers.contains(&claim.owner)
        }
    }

    async fn take_up(self: &Arc<Self>, attempt: Attempt, before: Claim) -> StoreResult<()> {
        let row = self.store.sandboxes().by_id(&attempt.sandbox).await?;
        let row = row.filter(|row| row.phase == Phase::Ready && row.generation == attempt.generation);
        let Some(sandbox) = row.filter(|_| self.catalog.lab(&attempt.lab).is_some()) else {
            return self.abandon(&attempt, &before, "the sandbox ended before it was graded").await;
        };
        // A grading that the student asked for meanwhile goes first; this one is looked at again.
        if !self.enter(&sandbox.id, Scope::All) {
            return Ok(());
        }
        let mut claim = self.claim();
        // However often servers die, an attempt does not outlive its deadline.
        claim.deadline = before.deadline;
        if self.store.attempts().take_over(attempt.id, &before.token, &claim).await? {
            tracing::info!(attempt = %attempt.id, sandbox = %sandbox.id, "grading again what a dead server left");
            tokio::spawn(Arc::clone(self).grade_again(sandbox, attempt, claim));
        } else {
            self.leave(&sandbox.id);
        }
        Ok(())
    }

    async fn grade_again(self: Arc<Self>, sandbox: Sandbox, attempt: Attempt, claim: Claim) {
        self.events.publish(sandbox.account, &sandbox.lab, LabEvent::Grading { running: true });
        if let Some(lab) = self.catalog.lab(&sandbox.lab)
            && let Err(error) = self.finish_attempt(&sandbox, lab, attempt.id, &claim).await
        {
            tracing::error!(attempt = %attempt.id, error = &error as &dyn std::error::Error, "a grading was not stored");
        }
        match self.leave(&sandbox.id) {
            Some(next) => self.serve(sandbox, next).await,
            None => self.events.publish(sandbox.account, &sandbox.lab, LabEvent::Grading { running: false }),
        }
    }

    async fn abandon(&self, attempt: &Attempt, claim: &Claim, reason: &str) -> StoreResult<()> {
        if self.store.attempts().abandon(attempt.id, &claim.token, reason, self.clock.now()).await? {
            tracing::warn!(attempt = %attempt.id, reason, "an attempt was abandoned");
        }
        Ok(())
    }
}
