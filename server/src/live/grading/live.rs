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

use tokio::{
    sync::SemaphorePermit,
    time::{Instant, sleep, timeout},
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
    /// Looks again at what depends on what happened; what else has a verdict is marked as of the past. How long it
    /// looked.
    pub async fn happened(self: &Arc<Self>, sandbox: &Sandbox, lab: &Lab, what: &Happened) -> StoreResult<Duration> {
        let before = self.store.lab_state().verdicts(&sandbox.id, sandbox.generation).await?;
        let affected = affected(lab, what);
        self.outdate(sandbox, lab, &before, |check| !affected.contains(check));
        if affected.is_empty() {
            return Ok(Duration::ZERO);
        }
        let scope = Scope::Checks(affected);
        let Some(turn) = self.turn(&sandbox.id, &scope).await else {
            // Nobody looked at these either.
            self.outdate(sandbox, lab, &before, |_| true);
            return Ok(Duration::ZERO);
        };
        let began = Instant::now();
        let looked = self.look_by_itself(sandbox, lab, &scope, &before).await;
        drop(turn);
        if let Some(next) = self.leave(&sandbox.id) {
            self.events.publish(sandbox.account, &sandbox.lab, LabEvent::Grading { running: true });
            tokio::spawn(Arc::clone(self).serve(sandbox.clone(), next));
        }
        looked.map(|()| began.elapsed())
    }

    fn outdate(
        &self,
        sandbox: &Sandbox,
        lab: &Lab,
        before: &BTreeMap<String, CheckResult>,
        which: impl Fn(&CheckId) -> bool,
    ) {
        for (task, check) in lab.checks().filter(|(_, check)| which(&check.id)) {
            if let Some(result) = before.get(check.id.as_str())
                && self.age(sandbox, check)
            {
                self.tell(sandbox, task.id.as_str(), check.id.as_str(), Some(result));
            }
        }
    }

    /// Waits until nothing else is graded in this sandbox, and nowhere too much by itself. Who waits for his sandbox keeps
    /// nobody else from theirs. `None`: it is still being graded, and not ours.
    async fn turn(&self, sandbox: &SandboxId, scope: &Scope) -> Option<SemaphorePermit<'_>> {
        let free = async {
            loop {
                let turn = self.by_itself.acquire().await.ok()?;
                if self.enter_quietly(sandbox, scope.clone()) {
                    return Some(turn);
                }
                drop(turn);
                sleep(AGAIN).await;
            }
        };
        timeout(LONGEST, free).await.ok().flatten()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bulkhead_content::Course;
    use bulkhead_labs::{engine::FakeEngine, manifest::Catalog};

    use super::*;
    use crate::{
        clock::{Clock, Moment},
        live::{Live, Needs, images::Images, sandboxes::Places},
        random::Random,
        store::{DatabaseUrl, Store},
    };

    #[tokio::test]
    async fn a_turn_that_does_not_come_is_nobodys() {
        let folder = std::env::temp_dir().join(format!("bulkhead-turn-{}", Random::system().hex::<6>()));
        std::fs::create_dir_all(&folder).expect("a scratch folder");
        let outline = "title = \"Course\"\nsummary = \"A course.\"\n\n[[module]]\nslug = \"one\"\ntitle = \"One\"\n\
                       summary = \"The first.\"\n\n[[module.section]]\ntitle = \"Section\"\n\
                       lessons = [{ slug = \"first\", title = \"First\" }]\n";
        let course = Course::parse(&BTreeMap::from([("course.toml".to_owned(), outline.as_bytes().to_vec())]));
        let live = Live::start(Needs {
            store: Store::open(&DatabaseUrl::sqlite_file(&folder.join("bulkhead.db"))).await.expect("a database"),
            clock: Clock::fixed(Moment::from_millis(1_790_000_000_000)),
            random: Random::system(),
            engine: Arc::new(FakeEngine::new()),
            catalog: Catalog::parse(&BTreeMap::new()),
            images: Images::default(),
            course: Arc::new(course.expect("a course")),
            places: Places::default(),
        });
        let grader = Arc::clone(&live.await.expect("a live side").grader);
        let (one, other) = (SandboxId::parse("graded").expect("an id"), SandboxId::parse("other").expect("an id"));
        let scope = Scope::Checks(BTreeSet::new());
        assert!(grader.enter(&one, Scope::All));
        tokio::time::pause();
        let turns = [(); 2 * super::super::AT_ONCE].map(|()| grader.turn(&one, &scope));
        let waiting = futures::future::join_all(turns);
        let theirs = async {
            sleep(AGAIN * 3).await;
            drop(timeout(AGAIN, grader.turn(&other, &scope)).await.expect("those who wait hold nobody up"));
            grader.leave(&other);
        };
        let (waited, ()) = tokio::join!(waiting, theirs);
        tokio::time::resume();
        assert!(waited.iter().all(Option::is_none));
        assert_eq!(grader.progress(&one), Some(BTreeSet::new()), "whoever has it keeps it");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
