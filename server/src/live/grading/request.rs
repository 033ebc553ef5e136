//! What is asked for: begins at once, joins what runs, or waits for its turn.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, MutexGuard, PoisonError},
};

use bulkhead_app::api::lab::LabEvent;
use bulkhead_labs::{engine::SandboxId, grade::Scope, manifest::Lab};

use super::{Grader, GradingError, Running};
use crate::{
    live::sandboxes::phase::Phase,
    store::{AccountId, Sandbox},
};

impl Grader {
    /// Returns once it is accepted; verdicts arrive as events.
    pub async fn check(self: &Arc<Self>, account: AccountId, lab: &Lab, scope: Scope) -> Result<(), GradingError> {
        if let Scope::Task(task) = &scope
            && lab.task(task.as_str()).is_none()
        {
            return Err(GradingError::NoTask);
        }
        let found = self.sandboxes.find(account, lab.id.as_str()).await?;
        let sandbox = found.filter(|sandbox| sandbox.phase == Phase::Ready).ok_or(GradingError::NotReady)?;
        if self.enter(&sandbox.id, scope.clone()) {
            self.events.publish(account, &sandbox.lab, LabEvent::Grading { running: true });
            tokio::spawn(Arc::clone(self).serve(sandbox, scope));
        }
        Ok(())
    }

    /// Whether something is being graded, and which checks are being looked at.
    pub fn progress(&self, sandbox: &SandboxId) -> Option<BTreeSet<String>> {
        self.running().get(sandbox).filter(|running| !running.quiet).map(|running| running.checks.clone())
    }

    /// Whether the caller may begin. Else it joined, or waits behind what runs.
    pub(super) fn enter(&self, sandbox: &SandboxId, scope: Scope) -> bool {
        let mut all = self.running();
        let Some(running) = all.get_mut(sandbox) else {
            all.insert(sandbox.clone(), Running { scope, next: None, checks: BTreeSet::new(), quiet: false });
            return true;
        };
        if !covers(&running.scope, &scope) && !running.next.as_ref().is_some_and(|next| covers(next, &scope)) {
            // Of two tasks that wait, everything covers both.
            running.next = Some(if running.next.is_none() { scope } else { Scope::All });
        }
        false
    }

    /// Whether nothing else is graded, and we may, unseen.
    pub(super) fn enter_quietly(&self, sandbox: &SandboxId, scope: Scope) -> bool {
        let mut all = self.running();
        let free = !all.contains_key(sandbox);
        if free {
            all.insert(sandbox.clone(), Running { scope, next: None, checks: BTreeSet::new(), quiet: true });
        }
        free
    }

    /// Grades one thing after the other until nobody waits.
    pub(super) async fn serve(self: Arc<Self>, sandbox: Sandbox, mut scope: Scope) {
        loop {
            self.grade(&sandbox, &scope).await;
            let next = self.leave(&sandbox.id);
            match next {
                Some(next) => scope = next,
                None => break,
            }
        }
        self.events.publish(sandbox.account, &sandbox.lab, LabEvent::Grading { running: false });
    }

    /// What waits; with nothing waiting the sandbox is free for the next.
    pub(super) fn leave(&self, sandbox: &SandboxId) -> Option<Scope> {
        let mut all = self.running();
        let next = all.get_mut(sandbox).and_then(|running| running.next.take());
        match &next {
            Some(scope) => {
                all.insert(
                    sandbox.clone(),
                    Running { scope: scope.clone(), next: None, checks: BTreeSet::new(), quiet: false },
                );
            }
            None => drop(all.remove(sandbox)),
        }
        next
    }

    pub(super) fn running(&self) -> MutexGuard<'_, HashMap<SandboxId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn covers(running: &Scope, asked: &Scope) -> bool {
    *running == Scope::All || running == asked
}
