//! The life of sandboxes: rows that say what should be, and tasks that make it so on the engine.
//!
//! ```text
//!            place free      container      agent answers    setup done
//!   Queued ──────────▶ Creating ────▶ Booting ────▶ SettingUp ────▶ Ready
//!     ▲  │                 │             │              │             │ stop, reset, time is up, it died
//!     │  └─▶ Stopped       └─────────────┴──────┬───────┴─────────────┘
//!     │      Failed                             ▼
//!     └───────────── (reset) ────────────── Stopping ──▶ Stopped, Expired, Failed ──▶ (start) Queued
//! ```
//!
//! Every phase that passes has a deadline and an owner (a server). A change names the row as it was read and is refused
//! when another was faster, so whoever took a row over cannot be disturbed by whoever had it before.
//!
//! ```text
//! phase      the phases, what leads where, the steps that a page shows     (pure)
//! change     a row's changes                                               (pure)
//! reconcile  rows and engine compared                                      (pure)
//! command    what a student asks for: start, extend, reset, stop
//! queue      who is next
//! drive      from a place to ready
//! stop       from wherever it is to nothing left
//! keeper     signs of life, expiry, reconciliation; at start and periodically
//! view       a row as the pages see it
//! ```

pub mod change;
mod command;
mod drive;
mod keeper;
pub mod phase;
mod queue;
pub mod reconcile;
mod stop;
mod tasks;
mod view;

use std::sync::Arc;

use bulkhead_labs::{engine::SandboxEngine, manifest::Catalog};
use tokio::sync::{Mutex, Notify, Semaphore};

use self::{change::Hand, tasks::Tasks};
use super::{events::Events, images::Images, terminals::Terminals, variables::Key};
use crate::{
    clock::Clock,
    random::Random,
    store::{Sandbox, ServerId, Store, StoreError, StoreResult},
};

/// How many sandboxes this installation has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// On the engine at once.
    pub total: usize,
    /// Being made at once by this server: more only makes each of them slower.
    pub making: usize,
    /// For one student.
    pub per_account: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self { total: 60, making: 2, per_account: 3 }
    }
}

/// Why a student's wish is not granted.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is none, or it is over.
    #[error("There is no sandbox for this lab. Start the lab first.")]
    None,
    /// In its present phase that makes no sense; says what to do.
    #[error("{0}")]
    NotNow(String),
    /// This machine cannot run the lab.
    #[error("{0}")]
    Unmet(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub struct Sandboxes {
    store: Store,
    clock: Clock,
    random: Random,
    engine: Arc<dyn SandboxEngine>,
    catalog: Arc<Catalog>,
    images: Images,
    key: Key,
    me: ServerId,
    places: Places,
    terminals: Arc<Terminals>,
    events: Arc<Events>,
    tasks: Tasks,
    making: Arc<Semaphore>,
    wake: Notify,
    /// Held from counting what an account has until one more is written.
    starting: Mutex<()>,
    /// Held from reading or writing a row until it is told: what the pages hear last is what is so.
    telling: Mutex<()>,
}

/// What [`Sandboxes`] is made of.
pub struct Parts {
    pub store: Store,
    pub clock: Clock,
    pub random: Random,
    pub engine: Arc<dyn SandboxEngine>,
    pub catalog: Arc<Catalog>,
    pub images: Images,
    pub key: Key,
    pub me: ServerId,
    pub places: Places,
    pub terminals: Arc<Terminals>,
    pub events: Arc<Events>,
}

impl Sandboxes {
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, clock, random, engine, catalog, images, key, me, places, terminals, events } = parts;
        let making = Arc::new(Semaphore::new(places.making));
        Arc::new(Self {
            store,
            clock,
            random,
            engine,
            catalog,
            images,
            key,
            me,
            places,
            terminals,
            events,
            tasks: Tasks::default(),
            making,
            wake: Notify::new(),
            starting: Mutex::new(()),
            telling: Mutex::new(()),
        })
    }

    fn hand(&self) -> Hand<'_> {
        Hand { server: &self.me, now: self.clock.now() }
    }

    /// Writes `new` over `old` and tells the pages. `None`: another was faster.
    async fn put(&self, old: &Sandbox, new: Sandbox) -> StoreResult<Option<Sandbox>> {
        let _told_in_order = self.telling.lock().await;
        let written = self.store.sandboxes().replace(old.fence, new).await?;
        if let Some(sandbox) = &written {
            tracing::info!(sandbox = %sandbox.id, generation = sandbox.generation, phase = sandbox.phase.name(), "sandbox");
            self.announce(sandbox).await;
        }
        Ok(written)
    }
}
