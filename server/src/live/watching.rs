//! Watches the sandboxes whose pages are open: waits in each for something to happen, and has looked at again what depends
//! on it. A sandbox without a page costs nothing.
//!
//! ```text
//!   page's stream ─▶ ensure ─▶ follow: ready? ─▶ Look::Wait (25 s at a time) ─▶ something happened ─▶ Grader::happened
//!                                  ▲                                                                      │
//!                                  └──────────────── a pause, ten times as long as that took ─────────────┘
//! ```

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bulkhead_agent::look::{Look, Seen, facts::Mark};
use bulkhead_labs::{
    engine::SandboxId,
    grade::Observer,
    manifest::{Catalog, Lab},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    events::Events,
    grading::{Grader, Happened, Watched},
    sandboxes::{Sandboxes, phase::Phase},
    terminals::Terminals,
};
use crate::store::{AccountId, Sandbox, Store};

/// How long one look waits. What happens between two is not lost.
const WAIT_MS: u32 = 25_000;
/// Just to see how things are.
const BASELINE_MS: u32 = 1;
/// Between two gradings at least; and so many times what the last one took.
const PAUSE: Duration = Duration::from_secs(2);
const SHARE: u32 = 10;
/// Until a sandbox that cannot be watched is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// Until it is asked again whether there is a sandbox, and a page.
const IDLE: Duration = Duration::from_secs(30);
/// Paths that one sandbox is watched for.
const MOST_PATHS: usize = 32;

/// Up to where the latest sandbox, and which generation of it, was watched. One for each student and lab, so that what
/// is kept does not grow with every sandbox that ever was.
type Marks = HashMap<(AccountId, String), (SandboxId, u32, Mark)>;

pub struct Watchers {
    store: Store,
    catalog: Arc<Catalog>,
    sandboxes: Arc<Sandboxes>,
    terminals: Arc<Terminals>,
    grader: Arc<Grader>,
    events: Arc<Events>,
    following: Mutex<HashSet<(AccountId, String)>>,
    marks: Mutex<Marks>,
}

impl Watchers {
    pub(super) fn new(
        store: Store,
        catalog: Arc<Catalog>,
        sandboxes: Arc<Sandboxes>,
        terminals: Arc<Terminals>,
        grader: Arc<Grader>,
        events: Arc<Events>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            catalog,
            sandboxes,
            terminals,
            grader,
            events,
            following: Mutex::default(),
            marks: Mutex::default(),
        })
    }

    /// A page listens: its sandbox is watched from now on, until no page does.
    pub fn ensure(self: &Arc<Self>, account: AccountId, lab: &str) {
        if self.following().insert((account, lab.to_owned())) {
            tokio::spawn(Arc::clone(self).follow(account, lab.to_owned()));
        }
    }

    async fn follow(self: Arc<Self>, account: AccountId, lab: String) {
        let mut changes = self.events.subscribe(account, &lab);
        loop {
            {
                let mut following = self.following();
                // Only we are left.
                if self.events.listeners(account, &lab) <= 1 {
                    following.remove(&(account, lab));
                    return;
                }
            }
            if self.watch(account, &lab).await.is_none() {
                while changes.try_recv().is_ok() {}
                let _woken = timeout(IDLE, changes.recv()).await;
            }
        }
    }

    /// Waits once. `None`: there is nothing to watch.
    async fn watch(&self, account: AccountId, lab: &str) -> Option<()> {
        let lab = self.catalog.lab(lab)?;
        let (host, paths) = (lab.host()?, watched(lab)?);
        let sandbox = self.sandboxes.find(account, lab.id.as_str()).await.ok()??;
        if sandbox.phase != Phase::Ready {
            return None;
        }
        let page = (account, lab.id.to_string());
        let known = self.marks().get(&page).cloned();
        let known = known.filter(|(id, of, _)| *id == sandbox.id && *of == sandbox.generation).map(|(_, _, mark)| mark);
        let since = known.clone();
        let timeout_ms = if since.is_some() { WAIT_MS } else { BASELINE_MS };
        let look = Look::Wait { machine: host.name.to_string(), paths, since, timeout_ms };
        let began = Instant::now();
        let seen = Watched::new(self.terminals.of(&sandbox.id, None)).observe(vec![look]).await;
        let Some(Ok(Seen::Happened { mark, engine, paths })) = seen.ok().and_then(|mut seen| seen.pop()) else {
            self.marks().remove(&page);
            self.look_again(&sandbox, lab, &Happened::Blind).await;
            sleep(AGAIN).await;
            return Some(());
        };
        self.marks().insert(page, (sandbox.id.clone(), sandbox.generation, mark));
        let happened = match known {
            None => self.has_verdicts(&sandbox).await.then_some(Happened::Unwatched),
            Some(_) if engine || !paths.is_empty() => Some(Happened::Seen { engine, paths }),
            Some(_) => None,
        };
        match happened {
            Some(happened) => self.look_again(&sandbox, lab, &happened).await,
            // An agent that does not wait must not make us turn round and round.
            None if timeout_ms == WAIT_MS && began.elapsed() < PAUSE => sleep(PAUSE).await,
            None => {}
        }
        Some(())
    }

    async fn look_again(&self, sandbox: &Sandbox, lab: &Lab, happened: &Happened) {
        let looked = self.grader.happened(sandbox, lab, happened).await.unwrap_or_else(|error| {
            tracing::warn!(sandbox = %sandbox.id, error = &error as &dyn std::error::Error, "a change was not looked at");
            Duration::ZERO
        });
        sleep(PAUSE.max(looked * SHARE)).await;
    }

    async fn has_verdicts(&self, sandbox: &Sandbox) -> bool {
        let verdicts = self.store.lab_state().verdicts(&sandbox.id, sandbox.generation).await;
        verdicts.is_ok_and(|verdicts| !verdicts.is_empty())
    }

    fn following(&self) -> MutexGuard<'_, HashSet<(AccountId, String)>> {
        self.following.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Files that checks of the lab depend on. `None`: no check can be looked at by itself.
fn watched(lab: &Lab) -> Option<Vec<String>> {
    let watches: Vec<_> = lab.checks().filter_map(|(_, check)| check.kind.watch()).collect();
    if watches.is_empty() {
        return None;
    }
    let files: BTreeSet<&str> = watches.iter().flat_map(|watch| watch.files.iter().copied()).collect();
    Some(files.into_iter().take(MOST_PATHS).map(str::to_owned).collect())
}
