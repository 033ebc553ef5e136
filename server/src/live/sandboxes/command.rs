//! What a student asks for. Each reads, decides, writes; when another was faster it reads again.

use std::sync::Arc;

use bulkhead_labs::{engine::SandboxId, manifest::Lab};

use super::{
    SandboxError, Sandboxes,
    phase::{Phase, Then},
};
use crate::store::{AccountId, Sandbox, StoreError};

impl Sandboxes {
    /// What the account has for this lab; none once it was stopped.
    pub async fn find(&self, account: AccountId, lab: &str) -> Result<Option<Sandbox>, StoreError> {
        Ok(self.store.sandboxes().of(account, lab).await?.filter(|sandbox| sandbox.phase != Phase::Stopped))
    }

    /// Why the lab cannot run on this engine; empty where it can. An engine that never answered has said nothing about
    /// itself: making the sandbox will say what is wrong.
    pub fn unmet(&self, lab: &Lab) -> Vec<String> {
        let capabilities = self.engine.capabilities();
        if capabilities.engine.is_empty() { Vec::new() } else { lab.requires.unmet(capabilities) }
    }

    /// Idempotent: answers with what is there or on its way.
    pub async fn start(&self, account: AccountId, lab: &Lab) -> Result<Sandbox, SandboxError> {
        let unmet = self.unmet(lab);
        if !unmet.is_empty() {
            return Err(SandboxError::Unmet(unmet.join(" ")));
        }
        let _one_by_one = self.starting.lock().await;
        loop {
            let table = self.store.sandboxes();
            let found = table.of(account, lab.id.as_str()).await?;
            let started = match found {
                Some(found) if found.phase.is_over() => {
                    self.check_places(account).await?;
                    self.put(&found, found.next_generation(self.hand())).await?
                }
                // It is going away: let it come back.
                Some(found) if matches!(found.phase, Phase::Stopping(then) if then != Then::Restart) => {
                    let mut back = found.enter(Phase::Stopping(Then::Restart), self.hand());
                    back.owner = found.owner.clone();
                    self.put(&found, back).await?
                }
                Some(found) => return Ok(found),
                None => {
                    self.check_places(account).await?;
                    let new = Sandbox::first(self.new_id(), account, lab.id.as_str(), self.hand());
                    let told_in_order = self.telling.lock().await;
                    let inserted = table.insert(&new).await;
                    if inserted.is_ok() {
                        self.announce(&new).await;
                    }
                    drop(told_in_order);
                    match inserted {
                        Ok(()) => Some(new),
                        Err(StoreError::Taken { .. }) => None,
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            if let Some(started) = started {
                self.wake.notify_one();
                return Ok(started);
            }
        }
    }

    pub async fn extend(&self, account: AccountId, lab: &Lab) -> Result<Sandbox, SandboxError> {
        loop {
            let found = self.open(account, lab).await?;
            if found.phase != Phase::Ready {
                return Err(SandboxError::NotNow("The sandbox is not ready yet; its time has not begun.".to_owned()));
            }
            let extended = found.extended(&lab.time).ok_or_else(|| {
                let longest = lab.time.max.as_secs() / 60;
                SandboxError::NotNow(format!(
                    "This lab lasts {longest} minutes at most. Reset it for a clean start with the full time."
                ))
            })?;
            if let Some(extended) = self.put(&found, extended).await? {
                return Ok(extended);
            }
        }
    }

    /// Destroys what is there; the next generation starts clean.
    pub async fn reset(self: &Arc<Self>, account: AccountId, lab: &Lab) -> Result<Sandbox, SandboxError> {
        loop {
            let found = self.open(account, lab).await?;
            let reset = match found.phase {
                // Nothing was made yet, or it is on its way already: that is a clean start.
                Phase::Queued | Phase::Stopping(Then::Restart) => return Ok(found),
                phase if phase.is_over() => return self.start(account, lab).await,
                _ => found.enter(Phase::Stopping(Then::Restart), self.hand()),
            };
            if let Some(reset) = self.put(&found, reset).await? {
                self.stop_soon(reset.clone());
                return Ok(reset);
            }
        }
    }

    /// Idempotent.
    pub async fn stop(self: &Arc<Self>, account: AccountId, lab: &str) -> Result<(), SandboxError> {
        loop {
            let Some(found) = self.store.sandboxes().of(account, lab).await? else { return Ok(()) };
            let stopped = match found.phase {
                Phase::Stopped | Phase::Stopping(Then::Stopped) => return Ok(()),
                Phase::Queued => found.enter(Phase::Stopped, self.hand()),
                // What is over only has to be out of sight.
                phase if phase.is_over() => {
                    let mut hidden = found.clone();
                    hidden.phase = Phase::Stopped;
                    hidden
                }
                _ => found.enter(Phase::Stopping(Then::Stopped), self.hand()),
            };
            if let Some(stopped) = self.put(&found, stopped).await? {
                if stopped.phase != Phase::Stopped {
                    self.stop_soon(stopped);
                }
                self.wake.notify_one();
                return Ok(());
            }
        }
    }

    async fn open(&self, account: AccountId, lab: &Lab) -> Result<Sandbox, SandboxError> {
        self.find(account, lab.id.as_str()).await?.ok_or(SandboxError::None)
    }

    async fn check_places(&self, account: AccountId) -> Result<(), SandboxError> {
        let open: Vec<_> =
            self.store.sandboxes().open_labs().await?.into_iter().filter(|(owner, _)| *owner == account).collect();
        if open.len() < self.places.per_account {
            return Ok(());
        }
        let labs = open.into_iter().map(|(_, lab)| lab).collect::<Vec<_>>().join(", ");
        Err(SandboxError::NotNow(format!(
            "You have {} labs open ({labs}). Stop one of them first.",
            self.places.per_account
        )))
    }

    fn new_id(&self) -> SandboxId {
        loop {
            if let Some(id) = SandboxId::parse(&self.random.hex::<8>()) {
                return id;
            }
        }
    }
}
