//! Grading: one at a time in each sandbox, told check by check, stored once.
//!
//! ```text
//!   Check ─▶ attempt (running, token) ─▶ look and judge ─▶ attempt done + verdicts + best score   (one transaction)
//!                │ server dies                  └──▶ events, as they come
//!                ▼
//!   next server: the sandbox lives ─▶ new token, graded again      it does not ─▶ abandoned, costs nothing
//! ```
//!
//! Whoever finishes must still hold the attempt's token, so an attempt has one outcome whatever dies when. Checking a
//! single task stores verdicts and no attempt.
//!
//! ```text
//! request   what is asked for: start, join, wait for the turn
//! run       one grading
//! live      what is looked at by itself, when something happened
//! resume    attempts that a dead server left
//! sandbox   how a sandbox is looked at and its engine restarted
//! ```

mod live;
mod request;
mod resume;
mod run;
mod sandbox;

pub use live::Happened;
pub(crate) use run::best_view;
pub(crate) use sandbox::Watched;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use bulkhead_labs::{engine::SandboxId, grade::Scope, manifest::Catalog};
use tokio::sync::Semaphore;

use self::live::Stale;
use super::{events::Events, sandboxes::Sandboxes, terminals::Terminals, text::Texts, variables::Key};
use crate::{
    clock::Clock,
    random::Random,
    store::{ServerId, Store, StoreError},
};

/// Two gradings and a restart between them take less.
const LONGEST: Duration = Duration::from_mins(5);
/// Of all sandboxes.
const AT_ONCE: usize = 2;

#[derive(Debug, thiserror::Error)]
pub enum GradingError {
    #[error("There is nothing to check: the sandbox is not ready. Start the lab first.")]
    NotReady,
    #[error("This lab has no such task.")]
    NoTask,
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub struct Grader {
    store: Store,
    clock: Clock,
    random: Random,
    catalog: Arc<Catalog>,
    texts: Texts,
    key: Key,
    me: ServerId,
    sandboxes: Arc<Sandboxes>,
    terminals: Arc<Terminals>,
    events: Arc<Events>,
    running: Mutex<HashMap<SandboxId, Running>>,
    /// Verdicts that nobody has looked at since something happened. Forgotten with the server; the next one looks anew.
    stale: Mutex<Stale>,
    /// Gradings that nobody asked for, at once.
    by_itself: Semaphore,
}

/// What is being graded in one sandbox, and what comes after it.
#[derive(Debug)]
struct Running {
    scope: Scope,
    next: Option<Scope>,
    /// Checks that are being looked at.
    checks: BTreeSet<String>,
    /// Nobody asked for it, so it is not shown.
    quiet: bool,
}

/// What [`Grader`] is made of.
pub struct Parts {
    pub store: Store,
    pub clock: Clock,
    pub random: Random,
    pub catalog: Arc<Catalog>,
    pub texts: Texts,
    pub key: Key,
    pub me: ServerId,
    pub sandboxes: Arc<Sandboxes>,
    pub terminals: Arc<Terminals>,
    pub events: Arc<Events>,
}

impl Grader {
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, clock, random, catalog, texts, key, me, sandboxes, terminals, events } = parts;
        Arc::new(Self {
            store,
            clock,
            random,
            catalog,
            texts,
            key,
            me,
            sandboxes,
            terminals,
            events,
            running: Mutex::default(),
            stale: Mutex::default(),
            by_itself: Semaphore::new(AT_ONCE),
        })
    }
}
