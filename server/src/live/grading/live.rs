//! Checks that are looked at by themselves, because something happened that they depend on; and verdicts that nobody has
//! looked at since something happened.
//!
//! What happens by itself only looks, and does nothing in the sandbox. It tells of what passes now, and of every change of
//! a verdict that is known; a failure that the student did not ask for is not held against him. It is no attempt.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use bulkhead_app::api::lab::LabEvent;
use bulkhead_labs::{
    engine::SandboxId,
    grade::{CheckResult, Scope, Verdict, kinds::Watch},
    manifest::{Check, CheckId, Lab},
};

use super::{Grader, LONGEST};
use crate::store::{AccountId, Sandbox, StoreError, StoreResult};

/// Until a grading that the student asked for is over.
const AGAIN: Duration = Duration::from_millis(500);

/// What is known to have happened in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The engine told of something, or these files of the student's machine changed.
    Seen { engine: bool, paths: Vec<String> },
    /// Nobody watched for a while.
    Unwatched,
    /// Nobody can watch now, so nothing can be looked at by itself either.
    Blind,
}

impl Happened {
    fn concerns(&self, watch: &Watch<'_>) -> bool {
        match self {
            Self::Seen { engine, paths } => {
                (*engine && watch.engine) || watch.files.iter().any(|file| paths.iter().any(|path| path == file))
            }
            Self::Unwatched => true,
            Self::Blind => false,
        }
    }
}

/// Verdicts that are of the past: of the latest sandbox, and which generation of it, that each student had for each lab.
pub(super) type Stale = HashMap<(AccountId, String), (SandboxId, u32, BTreeSet<String>)>;

impl Grader {
    /// Looks again at what depends on what happened; what else has a verdict is marked as of the past.
    pub async fn happened(self: &Arc<Self>, sandbox: &Sandbox, lab: &Lab, what: &Happened) -> StoreResult<()> {
        let before = self.store.lab_state().verdicts(&sandbox.id, sandbox.generation).await?;
        let affected = affected(lab, what);
        for (task, check) in lab.checks().filter(|(_, check)| !affected.contains(&check.id)) {
            if let Some(result) = before.get(check.id.as_str())
                && self.age(sandbox, check)
            {
                self.tell(sandbox, task.id.as_str(), check.id.as_str(), Some(result));
            }
        }
        if affected.is_empty() {
            return Ok(());
        }
        let scope = Scope::Checks(affected);
        self.turn(sandbox, &scope).await;
        let looked = self.look_by_itself(sandbox, lab, &scope, &before).await;
        if let Some(next) = self.leave(&sandbox.id) {
            self.events.publish(sandbox.account, &sandbox.lab, LabEvent::Grading { running: true });
            tokio::spawn(Arc::clone(self).serve(sandbox.clone(), next));
        }
        looked
    }

    /// Waits until nothing else is graded in this sandbox.
    async fn turn(&self, sandbox: &Sandbox, scope: &Scope) {
        let free = async {
            while !self.enter_quietly(&sandbox.id, scope.clone()) {
                tokio::time::sleep(AGAIN).await;
            }
        };
        // A grading takes less; its sandbox's turn is ours then in any case.
        let _late = tokio::time::timeout(LONGEST, free).await;
    }

    async fn look_by_itself(
        &self,
        sandbox: &Sandbox,
        lab: &Lab,
        scope: &Scope,
        before: &BTreeMap<String, CheckResult>,
    ) -> StoreResult<()> {
        let grading = self.observe(sandbox, lab, scope, &|_| ()).await?;
        if !self.still_there(sandbox).await? {
            return Ok(());
        }
        let told: Vec<CheckResult> =
            grading.results.into_iter().filter(|result| is_told(result, before.get(&result.check))).collect();
        let table = self.store.lab_state();
        match table.put_verdicts(&sandbox.id, sandbox.generation, &told, self.clock.now()).await {
            // The row went with its account.
            Err(StoreError::Orphan) => return Ok(()),
            other => other?,
        }
        for result in &told {
            self.freshen(sandbox, &result.check);
            self.tell(sandbox, &result.task, &result.check, Some(result));
        }
        Ok(())
    }

    fn tell(&self, sandbox: &Sandbox, task: &str, check: &str, result: Option<&CheckResult>) {
        if let Some(mut view) = self.texts.of(&sandbox.lab).and_then(|text| text.check(check, result, false)) {
            view.stale = self.is_stale(sandbox, check);
            let event = LabEvent::Check { task: task.to_owned(), check: view };
            self.events.publish(sandbox.account, &sandbox.lab, event);
        }
    }

    /// Whether the check's verdict is of before something that happened.
    pub fn is_stale(&self, sandbox: &Sandbox, check: &str) -> bool {
        self.stale()
            .get(&(sandbox.account, sandbox.lab.clone()))
            .is_some_and(|(id, of, checks)| is_of(sandbox, id, *of) && checks.contains(check))
    }

    /// Whether it was not marked before.
    fn age(&self, sandbox: &Sandbox, check: &Check) -> bool {
        let new = || (sandbox.id.clone(), sandbox.generation, BTreeSet::new());
        let mut stale = self.stale();
        let entry = stale.entry((sandbox.account, sandbox.lab.clone())).or_insert_with(new);
        if !is_of(sandbox, &entry.0, entry.1) {
            *entry = new();
        }
        entry.2.insert(check.id.to_string())
    }

    pub(super) fn freshen(&self, sandbox: &Sandbox, check: &str) {
        if let Some((id, of, checks)) = self.stale().get_mut(&(sandbox.account, sandbox.lab.clone()))
            && is_of(sandbox, id, *of)
        {
            checks.remove(check);
        }
    }

    fn stale(&self) -> MutexGuard<'_, Stale> {
        self.stale.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_of(sandbox: &Sandbox, id: &SandboxId, generation: u32) -> bool {
    *id == sandbox.id && generation == sandbox.generation
}

/// Checks that can be looked at by themselves, and may come to something else now.
fn affected(lab: &Lab, what: &Happened) -> BTreeSet<CheckId> {
    let concerned = |check: &Check| check.kind.watch().is_some_and(|watch| what.concerns(&watch));
    lab.checks().filter(|(_, check)| concerned(check)).map(|(_, check)| check.id.clone()).collect()
}

fn is_told(result: &CheckResult, before: Option<&CheckResult>) -> bool {
    match before {
        // That we could not look just now takes no verdict away.
        Some(_) => result.verdict != Verdict::Unknown,
        None => result.verdict == Verdict::Pass,
    }
}
