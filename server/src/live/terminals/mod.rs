//! Terminals belong to the server; browsers come and go.
//!
//! ```text
//! sandbox's agent ──link──▶ Hub ──▶ Pump (one task a terminal) ──▶ Outbox ──▶ socket ──▶ browser
//!                            ▲        │ Screen: what it shows          ▲                    │
//!                            │        │ Window: who has room ──────────┘   acknowledges ────┘
//!                            └── keys, past the pump, from the one who holds the keyboard
//!
//! hub       one sandbox's terminals and its link, opened again when lost
//! pump      one terminal's task: output to screen and viewers, size, who types
//! terminal  the terminal and its viewers as others hold them
//! screen    the screen model and its snapshot
//! window    how much a viewer may be sent
//! outbox    what waits for one viewer
//! socket    the WebSocket
//! guest     what an instructor at it leaves in the audit log
//! ```

mod guest;
mod hub;
mod outbox;
mod pump;
mod screen;
pub mod socket;
mod terminal;
mod window;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bulkhead_labs::{
    engine::{SandboxEngine, SandboxId},
    link::AgentLink,
};
use tokio::sync::mpsc;

pub use hub::{Hub, MAX_TERMINALS, TerminalError};
pub use terminal::{Rights, Viewer};

/// The hubs of all ready sandboxes.
pub struct Terminals {
    engine: Arc<dyn SandboxEngine>,
    hubs: Mutex<HashMap<SandboxId, Arc<Hub>>>,
    changed: mpsc::UnboundedSender<SandboxId>,
}

impl Terminals {
    /// `changed` is told whenever a sandbox's list of terminals changes.
    pub fn new(engine: Arc<dyn SandboxEngine>, changed: mpsc::UnboundedSender<SandboxId>) -> Self {
        Self { engine, hubs: Mutex::default(), changed }
    }

    /// The hub of a sandbox that is ready; makes one where there is none yet, on `link` if one is open already.
    pub fn of(&self, sandbox: &SandboxId, link: Option<AgentLink>) -> Arc<Hub> {
        let mut hubs = self.hubs();
        let start = || Hub::start(sandbox.clone(), Arc::clone(&self.engine), link, self.changed.clone());
        Arc::clone(hubs.entry(sandbox.clone()).or_insert_with(start))
    }

    pub fn find(&self, sandbox: &SandboxId) -> Option<Arc<Hub>> {
        self.hubs().get(sandbox).cloned()
    }

    /// Those that have a hub.
    pub fn sandboxes(&self) -> Vec<SandboxId> {
        self.hubs().keys().cloned().collect()
    }

    /// The sandbox is over.
    pub async fn shut(&self, sandbox: &SandboxId, reason: &str) {
        let hub = self.hubs().remove(sandbox);
        if let Some(hub) = hub {
            hub.shut(reason).await;
        }
    }

    fn hubs(&self) -> MutexGuard<'_, HashMap<SandboxId, Arc<Hub>>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
