//! A stateful engine in memory, for everything that must be tested without containers.
//!
//! ```text
//! mod      FakeEngine: what exists, with the same rules as the real one
//! agent    an agent in this process that speaks the real frame protocol
//! process  its terminals and piped processes, with ring and credit
//! shell    what its processes understand: echo, exit, env, printenv, sleep, cat, seq, stty size, true, false
//! ```

mod agent;
mod process;
mod shell;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use agent::Agent;
use async_trait::async_trait;
use bulkhead_agent::{
    look::{Look, Seen},
    protocol::{Exec, ExecResult, Fault},
};
use time::OffsetDateTime;

use super::{
    Capabilities, CreateStep, Duplex, EngineError, EngineState, Mode, SandboxEngine, SandboxId, SandboxSpec,
    SandboxSummary, Tier, fault::Faults,
};

type Looker = Arc<dyn Fn(&Look) -> Result<Seen, Fault> + Send + Sync>;
type Runner = Arc<dyn Fn(&Exec) -> Option<ExecResult> + Send + Sync>;

/// How the agents behave; set it with [`FakeEngine::behave`], for every sandbox and every stream at once.
#[derive(Clone)]
pub struct Behaviour {
    /// Answers `Observe`.
    pub look: Looker,
    /// Answers `Exec`; what it leaves (`None`) goes to the built-in shell.
    pub exec: Runner,
    /// Whether docker hosts report their engine as ready.
    pub engine_ready: bool,
    /// What the kernel enforces, as parts of 100 of what was asked for.
    pub limits_percent: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            look: Arc::new(|_| Ok(Seen::Missing)),
            exec: Arc::new(|_| None),
            engine_ready: true,
            limits_percent: 100,
        }
    }
}

/// An engine without containers. Clones are the same engine, seen by another platform process.
#[derive(Clone)]
pub struct FakeEngine {
    inner: Arc<Inner>,
}

struct Inner {
    capabilities: Capabilities,
    instance: String,
    sandboxes: Mutex<HashMap<SandboxId, Sandbox>>,
    missing_images: Mutex<HashSet<String>>,
    stopped: Mutex<bool>,
    behaviour: Arc<Mutex<Behaviour>>,
    faults: Faults,
}

struct Sandbox {
    spec: SandboxSpec,
    state: EngineState,
    agent: Option<Agent>,
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeEngine {
    pub fn new() -> Self {
        let capabilities = Capabilities {
            engine: "fake".to_owned(),
            version: "1".to_owned(),
            api_version: "1".to_owned(),
            cgroup_version: 2,
            kernel: "fake".to_owned(),
            tiers: vec![Tier::Userns],
            details: BTreeMap::new(),
        };
        let inner = Inner {
            capabilities,
            instance: "fake".to_owned(),
            sandboxes: Mutex::default(),
            missing_images: Mutex::default(),
            stopped: Mutex::new(false),
            behaviour: Arc::default(),
            faults: Faults::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Makes the next `create` that comes to `step` fail or crash there.
    pub fn inject(&self, step: CreateStep, mode: Mode) {
        self.inner.faults.inject(step, mode);
    }

    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.inner.behaviour));
    }

    pub fn set_image(&self, image: &str, there: bool) {
        let mut missing = lock(&self.inner.missing_images);
        if there {
            missing.remove(image);
        } else {
            missing.insert(image.to_owned());
        }
    }

    /// Stops the engine, or starts it again. Sandboxes run on; every call fails and every stream ends.
    pub fn set_stopped(&self, stopped: bool) {
        *lock(&self.inner.stopped) = stopped;
        if stopped {
            for sandbox in lock(&self.inner.sandboxes).values() {
                sandbox.agent.iter().for_each(Agent::hang_up);
            }
        }
    }

    /// Ends a sandbox from inside, as a bomb or a bug might.
    pub fn kill(&self, id: &SandboxId) {
        if let Some(sandbox) = lock(&self.inner.sandboxes).get_mut(id) {
            sandbox.state = EngineState::Dead;
            sandbox.agent = None;
        }
    }

    fn answering(&self) -> Result<(), EngineError> {
        if *lock(&self.inner.stopped) {
            return Err(EngineError::Unreachable {
                socket: "fake".to_owned(),
                cause: "it was stopped".to_owned(),
                hint: "Start it with set_stopped(false).".to_owned(),
            });
        }
        Ok(())
    }

    /// What is there for this id and generation; a dead one makes room.
    fn adopt(&self, spec: &SandboxSpec) -> Result<Option<EngineState>, EngineError> {
        let mut sandboxes = lock(&self.inner.sandboxes);
        let Some(sandbox) = sandboxes.get(&spec.id) else { return Ok(None) };
        if sandbox.spec.generation != spec.generation {
            return Err(EngineError::Generation {
                id: spec.id.clone(),
                found: sandbox.spec.generation,
                asked: spec.generation,
            });
        }
        if sandbox.state == EngineState::Dead {
            sandboxes.remove(&spec.id);
            return Ok(None);
        }
        Ok(Some(sandbox.state))
    }

    fn advance(&self, spec: &SandboxSpec, found: Option<EngineState>) -> Result<(), (EngineError, Mode)> {
        let failed = |error| (error, Mode::Fail);
        let strike = |step| {
            self.inner.faults.strike(step).map_err(|struck| {
                let mode = struck.mode;
                (EngineError::from(struck), mode)
            })
        };
        let change = |change: &dyn Fn(&mut Sandbox)| match lock(&self.inner.sandboxes).get_mut(&spec.id) {
            Some(sandbox) => {
                change(sandbox);
                Ok(())
            }
            None => Err(failed(EngineError::Destroyed(spec.id.clone()))),
        };
        if found.is_none() {
            let made = Sandbox { spec: spec.clone(), state: EngineState::Created, agent: None };
            lock(&self.inner.sandboxes).insert(spec.id.clone(), made);
            strike(CreateStep::Make)?;
        }
        if found != Some(EngineState::Running) {
            let agent = Agent::boot(spec.boot.clone(), spec.limits, Arc::clone(&self.inner.behaviour));
            change(&|sandbox| {
                sandbox.state = EngineState::Running;
                sandbox.agent = Some(agent.clone());
            })?;
            strike(CreateStep::Start)?;
        }
        strike(CreateStep::Agent)?;
        if lock(&self.inner.behaviour).limits_percent < 100 {
            return Err(failed(EngineError::Unsupported {
                what: "the memory limit".to_owned(),
                why: "the kernel enforces less".to_owned(),
            }));
        }
        strike(CreateStep::Limits)
    }
}

#[async_trait]
impl SandboxEngine for FakeEngine {
    fn capabilities(&self) -> &Capabilities {
        &self.inner.capabilities
    }

    fn instance(&self) -> &str {
        &self.inner.instance
    }

    async fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        self.answering()?;
        Ok(!lock(&self.inner.missing_images).contains(image))
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<(), EngineError> {
        self.answering()?;
        super::check(spec)?;
        let found = self.adopt(spec)?;
        if found.is_none() && !self.has_image(&spec.image).await? {
            return Err(EngineError::NoImage { image: spec.image.clone() });
        }
        self.advance(spec, found).map_err(|(error, mode)| {
            if mode == Mode::Fail {
                lock(&self.inner.sandboxes).remove(&spec.id);
            }
            error
        })
    }

    async fn status(&self, id: &SandboxId) -> Result<Option<SandboxSummary>, EngineError> {
        self.answering()?;
        Ok(lock(&self.inner.sandboxes).get(id).map(|sandbox| self.summary(sandbox)))
    }

    async fn connect(&self, id: &SandboxId) -> Result<Duplex, EngineError> {
        self.answering()?;
        let sandboxes = lock(&self.inner.sandboxes);
        let sandbox = sandboxes.get(id).ok_or_else(|| EngineError::NotFound(id.clone()))?;
        match &sandbox.agent {
            Some(agent) => Ok(agent.connect()),
            None => Err(EngineError::Died { id: id.clone(), log: "it does not run".to_owned() }),
        }
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), EngineError> {
        self.answering()?;
        lock(&self.inner.sandboxes).remove(id);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<SandboxSummary>, EngineError> {
        self.answering()?;
        Ok(lock(&self.inner.sandboxes).values().map(|sandbox| self.summary(sandbox)).collect())
    }
}

impl FakeEngine {
    fn summary(&self, sandbox: &Sandbox) -> SandboxSummary {
        let SandboxSpec { id, owner, lab, generation, expires, boot, .. } = sandbox.spec.clone();
        // Labels hold whole milliseconds.
        let expires = expires.replace_millisecond(expires.millisecond()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        SandboxSummary {
            id,
            owner,
            lab,
            generation,
            expires,
            state: sandbox.state,
            instance: self.inner.instance.clone(),
            owner_uid: boot.owner_uid,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
