//! The steps of `create`, and how `destroy` gets past them.
//!
//! ```text
//! find ─▶ Make ─▶ Start ─▶ Agent ─▶ Limits ─▶ there
//!   │       └───────┴────────┴────────┴─ failed, or destroyed meanwhile: remove the container
//!   ├─ Created: from Start      ├─ Running: from Agent      └─ Dead: removed, from Make
//! ```
//!
//! Both run in a task of their own, so that a caller who goes away leaves nothing half done. One sandbox has one turn: a
//! `destroy` first tells every `create` that waits or runs to give up, then takes the turn and removes what is there. A
//! `create` of another process can only lose against it (its container is gone) or come later.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use bollard::query_parameters as query;
use bulkhead_agent::protocol::Status;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{Inner, QUICK, SLOW, container, verify};
use crate::{
    engine::{CreateStep, EngineError, EngineState, Mode, SandboxId, SandboxSpec, fault::Struck},
    link::AgentLink,
};

/// From the container's start to the agent's first word. The prototype needs under a second; a loaded machine ten times that.
const BOOT: Duration = Duration::from_secs(30);
/// One try to reach the agent.
const HELLO: Duration = Duration::from_secs(5);
/// Rounds of adopting what another process makes at the same time.
const ROUNDS: usize = 3;

/// One entry for each sandbox that is being made or unmade in this process.
#[derive(Default)]
pub(super) struct Slots(Mutex<HashMap<SandboxId, Weak<Slot>>>);

struct Slot {
    turn: tokio::sync::Mutex<()>,
    /// How often it was destroyed; a `create` that began under another number gives up.
    destroyed: watch::Sender<u64>,
}

impl Slots {
    fn of(&self, id: &SandboxId) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(id).and_then(Weak::upgrade) {
            return slot;
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Arc::new(Slot { turn: tokio::sync::Mutex::default(), destroyed: watch::Sender::new(0) });
        slots.insert(id.clone(), Arc::downgrade(&slot));
        slot
    }
}

pub(super) async fn create(inner: Arc<Inner>, spec: SandboxSpec) -> Result<(), EngineError> {
    let slot = inner.slots.of(&spec.id);
    let destroyed = slot.destroyed.subscribe();
    let work = async move {
        let _turn = slot.turn.lock().await;
        Making { inner: &inner, spec: &spec, destroyed }.run().await
    };
    joined(tokio::spawn(work).await)
}

pub(super) async fn destroy(inner: Arc<Inner>, id: SandboxId) -> Result<(), EngineError> {
    let slot = inner.slots.of(&id);
    slot.destroyed.send_modify(|count| *count += 1);
    let work = async move {
        let _turn = slot.turn.lock().await;
        inner.remove(&id).await?;
        inner.doors.remove(&id);
        Ok(())
    };
    joined(tokio::spawn(work).await)
}

fn joined(result: Result<Result<(), EngineError>, tokio::task::JoinError>) -> Result<(), EngineError> {
    result.unwrap_or_else(|error| Err(EngineError::Refused { what: "finish".to_owned(), cause: error.to_string() }))
}

struct Making<'a> {
    inner: &'a Inner,
    spec: &'a SandboxSpec,
    destroyed: watch::Receiver<u64>,
}

/// Why a round ended without a sandbox.
enum Stop {
    /// Undo, and report.
    Failed(EngineError),
    /// Somebody else made the container first: look again.
    Again,
    /// A test plays the platform's death: report, undo nothing.
    Crashed(EngineError),
}

impl<E: Into<EngineError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Making<'_> {
    async fn run(mut self) -> Result<(), EngineError> {
        for _ in 0..ROUNDS {
            self.go_on()?;
            let found = self.find().await?;
            match self.advance(found).await {
                Ok(()) => return Ok(()),
                Err(Stop::Again) => {}
                Err(Stop::Crashed(error)) => return Err(error),
                Err(Stop::Failed(error)) => {
                    if let Err(left) = self.inner.remove(&self.spec.id).await {
                        tracing::warn!(sandbox = %self.spec.id, %left, "could not undo; the reaper will");
                    }
                    return Err(error);
                }
            }
        }
        Err(EngineError::Refused {
            what: "create the sandbox".to_owned(),
            cause: "another process makes and removes it again and again".to_owned(),
        })
    }

    /// What is there of this generation. A dead one makes room.
    async fn find(&self) -> Result<Option<EngineState>, EngineError> {
        let Some(found) = self.inner.inspect(&self.spec.id).await? else { return Ok(None) };
        let summary = container::inspected(&found).filter(|summary| summary.instance == self.inner.instance);
        let Some(summary) = summary else {
            let name = self.inner.name(&self.spec.id);
            return Err(EngineError::Refused {
                what: format!("use the name {name}"),
                cause: "a container that is not ours has it".to_owned(),
            });
        };
        if summary.generation != self.spec.generation {
            return Err(EngineError::Generation {
                id: self.spec.id.clone(),
                found: summary.generation,
                asked: self.spec.generation,
            });
        }
        if summary.state == EngineState::Dead {
            self.inner.remove(&self.spec.id).await?;
            return Ok(None);
        }
        Ok(Some(summary.state))
    }

    async fn advance(&mut self, found: Option<EngineState>) -> Result<(), Stop> {
        if found.is_none() {
            self.make().await?;
            self.done(CreateStep::Make)?;
        }
        if found != Some(EngineState::Running) {
            self.start().await?;
            self.done(CreateStep::Start)?;
        }
        let status = self.agent().await?;
        self.done(CreateStep::Agent)?;
        self.limits(&status).await?;
        self.done(CreateStep::Limits)
    }

    async fn make(&self) -> Result<(), Stop> {
        let Inner { docker, instance, architecture, security, .. } = self.inner;
        // Where this fails no door will open, and the engine carries the stream.
        let _without = self.inner.doors.prepare(&self.spec.id);
        let doors = self.inner.doors.folder(&self.spec.id);
        let body = container::body(self.spec, instance, *architecture, security, &doors)?;
        let options = query::CreateContainerOptionsBuilder::default().name(&self.inner.name(&self.spec.id)).build();
        match self.inner.call("create the sandbox", SLOW, docker.create_container(Some(options), body)).await {
            Ok(created) => {
                for warning in created.warnings {
                    tracing::warn!(sandbox = %self.spec.id, %warning, "the engine warned");
                }
                Ok(())
            }
            Err(failure) if failure.conflict() => Err(Stop::Again),
            Err(failure) if failure.missing() => Err(EngineError::NoImage { image: self.spec.image.clone() }.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn start(&self) -> Result<(), Stop> {
        match self
            .inner
            .call("start the sandbox", SLOW, self.inner.docker.start_container(&self.inner.name(&self.spec.id), None))
            .await
        {
            Ok(()) => Ok(()),
            Err(failure) if failure.missing() => Err(EngineError::Destroyed(self.spec.id.clone()).into()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Waits for the agent's first words.
    async fn agent(&mut self) -> Result<Status, Stop> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(10);
        loop {
            let mut destroyed = self.destroyed.clone();
            let heard = tokio::select! {
                heard = timeout(HELLO, self.hello()) => heard,
                _ = destroyed.changed() => return Err(EngineError::Destroyed(self.spec.id.clone()).into()),
            };
            let why = match heard {
                Ok(Ok(status)) => return Ok(status),
                Ok(Err(why)) => why,
                Err(_) => "it did not answer in time".to_owned(),
            };
            match self.inner.inspect(&self.spec.id).await?.map(|found| container::inspected_state(&found)) {
                None => return Err(EngineError::Destroyed(self.spec.id.clone()).into()),
                Some(EngineState::Dead) => {
                    let log = self.inner.log_tail(&self.spec.id).await;
                    return Err(EngineError::Died { id: self.spec.id.clone(), log }.into());
                }
                Some(_) if began.elapsed() > BOOT => {
                    let log = self.inner.log_tail(&self.spec.id).await;
                    tracing::warn!(sandbox = %self.spec.id, %why, %log, "the agent does not answer");
                    return Err(EngineError::TimedOut(BOOT).into());
                }
                Some(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    async fn hello(&self) -> Result<Status, String> {
        let stream = self.inner.open(&self.spec.id).await.map_err(|error| error.to_string())?;
        let link = AgentLink::open(stream).await.map_err(|error| error.to_string())?;
        link.status().await.map_err(|error| error.to_string())
    }

    async fn limits(&self, status: &Status) -> Result<(), Stop> {
        let found = self
            .inner
            .call(
                "look at the sandbox",
                QUICK,
                self.inner.docker.inspect_container(&self.inner.name(&self.spec.id), None),
            )
            .await?;
        let host = found.host_config.unwrap_or_default();
        Ok(verify::verify(self.spec, &host, status)?)
    }

    fn done(&self, step: CreateStep) -> Result<(), Stop> {
        self.go_on()?;
        self.inner.faults.strike(step).map_err(|struck| match struck {
            Struck { mode: Mode::Crash, .. } => Stop::Crashed(struck.into()),
            Struck { mode: Mode::Fail, .. } => Stop::Failed(struck.into()),
        })
    }

    fn go_on(&self) -> Result<(), EngineError> {
        if self.destroyed.has_changed().unwrap_or(false) {
            Err(EngineError::Destroyed(self.spec.id.clone()))
        } else {
            Ok(())
        }
    }
}
