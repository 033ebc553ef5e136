//! A row as the pages see it, and telling them.

use std::time::Duration;

use bulkhead_app::api::lab::{LabEvent, SandboxView};

use super::{Sandboxes, phase::Phase};
use crate::store::{Sandbox, StoreResult};

impl Sandboxes {
    pub async fn view(&self, row: &Sandbox) -> StoreResult<SandboxView> {
        let place = match row.phase {
            Phase::Queued => Some(self.store.sandboxes().place(row).await?),
            _ => None,
        };
        let terminals = match row.phase {
            Phase::Ready => self.terminals.find(&row.id).map(|hub| hub.list()).unwrap_or_default(),
            _ => Vec::new(),
        };
        let extension = self.catalog.lab(&row.lab).map_or(Duration::ZERO, |lab| row.extension(&lab.time));
        Ok(SandboxView {
            id: row.id.to_string(),
            lab: row.lab.clone(),
            state: row.phase.view(),
            steps: row.timeline.steps(row.phase, place),
            expires_at: row.expires_at.map(crate::clock::Moment::millis),
            extend_minutes: u16::try_from(extension.as_secs() / 60).unwrap_or(u16::MAX),
            terminals,
            error: row.error.clone(),
        })
    }

    /// Tells the student's pages how his sandbox is now. The caller holds `telling`.
    pub(super) async fn announce(&self, row: &Sandbox) {
        match self.shown(row).await {
            Ok(sandbox) => self.events.publish(row.account, &row.lab, LabEvent::Sandbox { sandbox }),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a change of a sandbox was not told");
            }
        }
    }

    /// Something beside the row changed: its terminals, its place in the queue.
    pub(crate) async fn announce_anew(&self, id: &bulkhead_labs::engine::SandboxId) {
        let _told_in_order = self.telling.lock().await;
        match self.store.sandboxes().by_id(id).await {
            Ok(Some(row)) if matches!(row.phase, Phase::Ready | Phase::Queued) => self.announce(&row).await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a change beside a sandbox was not told");
            }
        }
    }

    /// A stopped sandbox is none.
    async fn shown(&self, row: &Sandbox) -> StoreResult<Option<SandboxView>> {
        if row.phase == Phase::Stopped { Ok(None) } else { self.view(row).await.map(Some) }
    }
}
