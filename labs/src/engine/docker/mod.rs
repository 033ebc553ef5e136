//! The Docker engine, over its API (1.41 and newer).
//!
//! ```text
//! mod        DockerEngine: what the trait promises, call by call
//! connect    finding the engine, the API version both speak, what it can do, what to say when it does not answer
//! create     the steps of `create`, with their undo, and how `destroy` gets past them
//! container  spec -> container, container -> summary (pure)
//! remove     the end of a container, even where its student froze what is in it
//! verify     whether what was made is as strong as what was asked (pure)
//! direct     a stream past the engine, where it is on the same machine
//! stream     an exec's stdin and stdout as one stream
//! error      the engine's refusals in our words
//! ```

mod connect;
mod container;
mod create;
mod direct;
mod error;
mod remove;
mod stream;
mod verify;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bollard::{Docker, models::ContainerInspectResponse, query_parameters as query};
use bulkhead_agent::boot::AGENT_PATH;
use error::Failure;
use futures::StreamExt;

use super::{
    Capabilities, CreateStep, Duplex, EngineError, Mode, SandboxEngine, SandboxId, SandboxSpec, SandboxSummary,
    fault::Faults, seccomp::Architecture,
};

/// For a call that the engine answers from memory.
const QUICK: Duration = Duration::from_secs(20);
/// For a call that makes, starts or removes a container; a loaded engine takes seconds.
const SLOW: Duration = Duration::from_mins(1);

/// The sandboxes of one installation on one Docker engine. Clones are the same engine.
#[derive(Clone)]
pub struct DockerEngine {
    inner: Arc<Inner>,
}

struct Inner {
    docker: Docker,
    socket: String,
    instance: String,
    capabilities: Capabilities,
    architecture: Architecture,
    security: container::Security,
    faults: Faults,
    slots: create::Slots,
    doors: direct::Doors,
}

impl DockerEngine {
    /// Connects to the engine at `socket` (a path or `unix://` address), else at `DOCKER_HOST`, else where engines usually listen.
    ///
    /// `instance` (1 to 24 of `[a-z0-9]`) names this installation: it sees and touches no other's sandboxes.
    pub async fn connect(instance: &str, socket: Option<&str>) -> Result<Self, EngineError> {
        connect::connect(instance, socket).await
    }

    /// The client beneath, for building images on the same engine.
    pub fn docker(&self) -> &Docker {
        &self.inner.docker
    }

    /// Where it listens.
    pub fn socket(&self) -> &str {
        &self.inner.socket
    }

    /// For tests: makes the next `create` that comes to `step` fail or crash there.
    pub fn inject(&self, step: CreateStep, mode: Mode) {
        self.inner.faults.inject(step, mode);
    }

    /// The container that holds (or would hold) this sandbox.
    pub fn container_name(&self, id: &SandboxId) -> String {
        self.inner.name(id)
    }
}

impl std::fmt::Debug for DockerEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DockerEngine")
            .field("socket", &self.inner.socket)
            .field("instance", &self.inner.instance)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn name(&self, id: &SandboxId) -> String {
        format!("bulkhead-{}-{id}", self.instance)
    }

    /// Bounds a call to the engine and puts its error into our words.
    async fn call<T>(
        &self,
        what: &str,
        within: Duration,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(within, call).await {
            Ok(result) => result.map_err(|error| Failure::new(what, &self.socket, &error)),
            Err(_) => Err(Failure::from(EngineError::TimedOut(within))),
        }
    }

    /// The sandbox's container, if it is there and ours.
    async fn inspect(&self, id: &SandboxId) -> Result<Option<ContainerInspectResponse>, EngineError> {
        let found = self.call("look at the sandbox", QUICK, self.docker.inspect_container(&self.name(id), None)).await;
        match found {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.missing() => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn open(&self, id: &SandboxId) -> Result<Duplex, EngineError> {
        let door = self.doors.open(id).ok();
        let through = door.iter().map(|door| door.inside.clone());
        let config = bollard::models::ExecConfig {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            cmd: Some([AGENT_PATH.to_owned(), "connect".to_owned()].into_iter().chain(through).collect()),
            ..Default::default()
        };
        let exec = match self
            .call("reach the sandbox's agent", QUICK, self.docker.create_exec(&self.name(id), config))
            .await
        {
            Ok(exec) => exec,
            Err(failure) if failure.missing() => return Err(EngineError::NotFound(id.clone())),
            Err(failure) if failure.conflict() => {
                return Err(EngineError::Died { id: id.clone(), log: self.log_tail(id).await });
            }
            Err(failure) => return Err(failure.into()),
        };
        let options =
            bollard::exec::StartExecOptions { detach: false, tty: false, output_capacity: Some(stream::CAPACITY) };
        let started =
            self.call("reach the sandbox's agent", QUICK, self.docker.start_exec(&exec.id, Some(options))).await?;
        let exec = stream::duplex(started)?;
        let Some(door) = door else { return Ok(exec) };
        match tokio::time::timeout(QUICK, door.meet(exec)).await {
            Ok(met) => met.map_err(|error| EngineError::Refused {
                what: "reach the sandbox's agent".to_owned(),
                cause: error.to_string(),
            }),
            Err(_) => Err(EngineError::TimedOut(QUICK)),
        }
    }

    async fn log_tail(&self, id: &SandboxId) -> String {
        let options = query::LogsOptionsBuilder::default().stdout(true).stderr(true).tail("20").build();
        let mut lines = self.docker.logs(&self.name(id), Some(options));
        let mut text = String::new();
        let read = async {
            while let Some(Ok(line)) = lines.next().await {
                text.push_str(&line.to_string());
            }
        };
        // What came in time is enough.
        let _late = tokio::time::timeout(QUICK, read).await;
        let text = text.trim();
        let from = text.len().saturating_sub(2000);
        let tail = text.get(text.ceil_char_boundary(from)..).unwrap_or_default();
        if tail.is_empty() { "it said nothing".to_owned() } else { tail.to_owned() }
    }
}

#[async_trait]
impl SandboxEngine for DockerEngine {
    fn capabilities(&self) -> &Capabilities {
        &self.inner.capabilities
    }

    fn instance(&self) -> &str {
        &self.inner.instance
    }

    async fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        match self.inner.call("look for an image", QUICK, self.inner.docker.inspect_image(image)).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.missing() => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn create(&self, spec: &SandboxSpec) -> Result<(), EngineError> {
        super::check(spec)?;
        create::create(Arc::clone(&self.inner), spec.clone()).await
    }

    async fn status(&self, id: &SandboxId) -> Result<Option<SandboxSummary>, EngineError> {
        Ok(self.inner.inspect(id).await?.and_then(|found| container::inspected(&found)))
    }

    async fn connect(&self, id: &SandboxId) -> Result<Duplex, EngineError> {
        self.inner.open(id).await
    }

    async fn destroy(&self, id: &SandboxId) -> Result<(), EngineError> {
        create::destroy(Arc::clone(&self.inner), id.clone()).await
    }

    async fn list(&self) -> Result<Vec<SandboxSummary>, EngineError> {
        let ours =
            HashMap::from([("label".to_owned(), vec![format!("{}={}", container::INSTANCE, self.inner.instance)])]);
        let options = query::ListContainersOptionsBuilder::default().all(true).filters(&ours).build();
        let found =
            self.inner.call("list the sandboxes", QUICK, self.inner.docker.list_containers(Some(options))).await?;
        Ok(found.iter().filter_map(container::listed).collect())
    }
}
