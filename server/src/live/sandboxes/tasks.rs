//! The tasks of this server that work on sandboxes, at most one making and one stopping each.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bulkhead_labs::engine::SandboxId;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Work {
    Make,
    Stop,
}

#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<HashMap<(SandboxId, Work), JoinHandle<()>>>);

impl Tasks {
    pub(super) fn start(&self, sandbox: &SandboxId, work: Work, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        tasks.retain(|_, task| !task.is_finished());
        tasks.insert((sandbox.clone(), work), tokio::spawn(task));
    }

    pub(super) fn is_busy(&self, sandbox: &SandboxId) -> bool {
        [Work::Make, Work::Stop]
            .into_iter()
            .any(|work| self.tasks().get(&(sandbox.clone(), work)).is_some_and(|task| !task.is_finished()))
    }

    /// The task, to be waited for.
    pub(super) fn take(&self, sandbox: &SandboxId, work: Work) -> Option<JoinHandle<()>> {
        self.tasks().remove(&(sandbox.clone(), work))
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<(SandboxId, Work), JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
