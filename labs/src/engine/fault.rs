//! Failures on purpose, for the contract suite and the crash tests: what a step that goes wrong must leave behind is
//! a property of every engine, so every engine can be told to fail.

use std::sync::{Mutex, PoisonError};

use super::EngineError;

/// What `create` does, in order. A fault strikes after the step's work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateStep {
    /// The container exists, and does not run.
    Make,
    /// It runs.
    Start,
    /// Its agent answered.
    Agent,
    /// Its limits were read back.
    Limits,
}

impl CreateStep {
    pub const ALL: [Self; 4] = [Self::Make, Self::Start, Self::Agent, Self::Limits];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The step fails: everything is undone.
    Fail,
    /// The platform dies there: nothing is undone.
    Crash,
}

/// Faults that wait for their step; each strikes once.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<(CreateStep, Mode)>>);

impl Faults {
    pub(super) fn inject(&self, step: CreateStep, mode: Mode) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((step, mode));
    }

    pub(super) fn strike(&self, step: CreateStep) -> Result<(), Struck> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = waiting.iter().position(|(at, _)| *at == step) else { return Ok(()) };
        let (step, mode) = waiting.swap_remove(place);
        Err(Struck { step, mode })
    }
}

#[derive(Debug)]
pub(super) struct Struck {
    step: CreateStep,
    pub(super) mode: Mode,
}

impl From<Struck> for EngineError {
    fn from(Struck { step, .. }: Struck) -> Self {
        Self::Refused { what: "create the sandbox".to_owned(), cause: format!("a fault was injected after {step:?}") }
    }
}
