//! Where sandboxes live. One trait, one real implementation so far, one stateful fake, one contract suite for both.
//!
//! ```text
//!            create                    destroy
//!  (absent) ────────▶ Running ───────────────────▶ (absent)
//!                        │  container died            ▲
//!                        └──────────▶ Dead ───────────┘
//!
//! docker   DockerEngine: over the engine's API
//! fake     FakeEngine: in memory, with an agent in this process
//! fault    failures on purpose, for both
//! seccomp  the profile that sandboxes run under, each opened syscall with its reason
//! ```

pub mod docker;
pub mod fake;
mod fault;
pub mod seccomp;

use std::{collections::BTreeMap, fmt, pin::Pin, time::Duration};

use async_trait::async_trait;
use bulkhead_agent::boot::Boot;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};

pub use docker::DockerEngine;
pub use fake::FakeEngine;
pub use fault::{CreateStep, Mode};

/// Names one student's sandbox for one lab; stays the same over resets, which raise the generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SandboxId(String);

impl SandboxId {
    /// 1 to 40 of `[a-z0-9-]`, so that it fits a container's name and a host name.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SandboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Isolation tier, as `bulkhead doctor` proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Two nested user namespaces on the host's kernel.
    Userns,
}

/// All that an engine needs to make one sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxSpec {
    pub id: SandboxId,
    pub owner: String,
    pub lab: String,
    pub generation: u32,
    /// The reaper ends what no row claims after this moment.
    pub expires: OffsetDateTime,
    /// A baked image, by tag.
    pub image: String,
    pub limits: Limits,
    pub boot: Boot,
    pub tier: Tier,
}

/// Limits on the whole sandbox. The machines' own are in [`Boot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub memory_bytes: u64,
    pub pids: u32,
    pub milli_cpus: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSummary {
    pub id: SandboxId,
    pub owner: String,
    pub lab: String,
    pub generation: u32,
    pub expires: OffsetDateTime,
    pub state: EngineState,
    /// The installation that made it (label `bulkhead.instance`); the reaper touches no other's.
    pub instance: String,
    /// Its [`Boot::owner_uid`], so that no other gets the same.
    pub owner_uid: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineState {
    /// Created, not started: a crash came between.
    Created,
    Running,
    Dead,
}

/// What the engine can do, learned at connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    pub engine: String,
    pub version: String,
    pub api_version: String,
    pub cgroup_version: u8,
    pub kernel: String,
    pub tiers: Vec<Tier>,
    pub details: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine does not answer; `hint` says what to do.
    #[error("the container engine does not answer at {socket}: {cause}. {hint}")]
    Unreachable { socket: String, cause: String, hint: String },
    /// The engine cannot give what was asked, and nothing weaker was started.
    #[error("the engine cannot provide {what}: {why}")]
    Unsupported { what: String, why: String },
    /// `bulkhead images` builds it.
    #[error("the sandbox image {image} is not there; run `bulkhead images build`")]
    NoImage { image: String },
    /// Another generation of this sandbox is there.
    #[error("sandbox {id} exists in generation {found}, not {asked}")]
    Generation { id: SandboxId, found: u32, asked: u32 },
    #[error("there is no sandbox {0}")]
    NotFound(SandboxId),
    /// It started and died; `log` is the tail of what the agent said.
    #[error("sandbox {id} ended while it started: {log}")]
    Died { id: SandboxId, log: String },
    /// `destroy` was called while `create` ran, and won.
    #[error("sandbox {0} was destroyed while it was made")]
    Destroyed(SandboxId),
    #[error("the engine took longer than {0:?}")]
    TimedOut(Duration),
    #[error("the engine refused to {what}: {cause}")]
    Refused { what: String, cause: String },
}

/// The agent's stream.
pub type Duplex = Pin<Box<dyn DuplexStream>>;
pub trait DuplexStream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> DuplexStream for T {}

#[async_trait]
pub trait SandboxEngine: Send + Sync + 'static {
    fn capabilities(&self) -> &Capabilities;

    /// The installation that this engine's sandboxes belong to.
    fn instance(&self) -> &str;

    /// Whether a sandbox image is there.
    async fn has_image(&self, image: &str) -> Result<bool, EngineError>;

    /// Makes and starts the sandbox, and returns once the agent's stream can be opened.
    ///
    /// Idempotent by id and generation: what is already there is adopted (and started, if a crash came between).
    /// Limits are read back; a sandbox that is weaker than `spec` is destroyed and `Unsupported` returned.
    /// When it fails, nothing of the sandbox is left.
    async fn create(&self, spec: &SandboxSpec) -> Result<(), EngineError>;

    async fn status(&self, id: &SandboxId) -> Result<Option<SandboxSummary>, EngineError>;

    /// A new stream to the sandbox's agent.
    async fn connect(&self, id: &SandboxId) -> Result<Duplex, EngineError>;

    /// Idempotent, and safe while `create` runs: afterwards nothing of the sandbox is left.
    async fn destroy(&self, id: &SandboxId) -> Result<(), EngineError>;

    /// All sandboxes of this installation, for the reaper.
    async fn list(&self) -> Result<Vec<SandboxSummary>, EngineError>;
}

/// What no engine can make sense of.
fn check(spec: &SandboxSpec) -> Result<(), EngineError> {
    let refuse = |why: String| Err(EngineError::Unsupported { what: format!("sandbox {}", spec.id), why });
    if spec.boot.sandbox != spec.id.as_str() || spec.boot.generation != spec.generation {
        return refuse(format!("its boot speaks of {} in generation {}", spec.boot.sandbox, spec.boot.generation));
    }
    let Limits { memory_bytes, pids, milli_cpus } = spec.limits;
    if memory_bytes == 0 || pids == 0 || milli_cpus == 0 {
        return refuse(format!("a limit is 0, which an engine takes for none: {:?}", spec.limits));
    }
    if spec.boot.machines.is_empty() {
        return refuse("it has no machine".to_owned());
    }
    Ok(())
}
