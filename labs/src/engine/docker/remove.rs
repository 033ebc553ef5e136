//! The end of a sandbox's container, whatever its student did to it.
//!
//! What is in a frozen group of version 1 does not even die of SIGKILL, and a container in which something lives cannot be
//! removed. The agent thaws when it is asked to end. Where it does not answer, or is gone and left frozen processes
//! behind, they are thawed from a container beside it, which sees the engine's groups and nothing else.

use std::time::Duration;

use bollard::{
    errors::Error,
    models::{ContainerCreateBody, HostConfig, Mount, MountType},
    query_parameters as query,
};
use bulkhead_agent::boot::AGENT_PATH;
use futures::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use super::{Inner, QUICK, SLOW, error::Failure};
use crate::engine::{EngineError, SandboxId};

/// For the agent to end all machines. It takes a fraction of a second.
const ENDING: Duration = Duration::from_secs(4);
/// For the container beside it.
const THAWING: Duration = Duration::from_secs(40);
/// Where every version 1 system has it.
const FREEZER: &str = "/sys/fs/cgroup/freezer";
/// A directory that every sandbox image has.
const INSIDE: &str = "/run";

impl Inner {
    /// Removes the sandbox's container, whatever its state; waits until it is gone.
    pub(super) async fn remove(&self, id: &SandboxId) -> Result<(), EngineError> {
        let name = self.name(id);
        if self.ends_when_asked(&name).await? {
            return self.force(&name).await.map_err(Into::into);
        }
        // Killed first, it could not freeze anything again.
        let (removed, thawed) = tokio::join!(self.force(&name), Box::pin(self.thaw(&name)));
        if let Err(error) = thawed {
            tracing::warn!(sandbox = %id, error = %EngineError::from(error), "could not thaw a sandbox that does not end");
        }
        match removed {
            Ok(()) => Ok(()),
            // The engine gave up while it was still frozen.
            Err(_) => self.force(&name).await.map_err(Into::into),
        }
    }

    /// Asks the agent to end the sandbox. False: it runs still.
    async fn ends_when_asked(&self, name: &str) -> Result<bool, EngineError> {
        let options = query::KillContainerOptionsBuilder::default().signal("SIGTERM").build();
        match self.call("end the sandbox", QUICK, self.docker.kill_container(name, Some(options))).await {
            Ok(()) => {}
            // It is not there, or does not run.
            Err(failure) if failure.missing() || failure.conflict() => return Ok(true),
            Err(failure) => return Err(failure.into()),
        }
        let options = query::WaitContainerOptionsBuilder::default().condition("not-running").build();
        let mut ending = self.docker.wait_container(name, Some(options));
        // An exit code other than 0 is an error here, and an end all the same.
        Ok(timeout(ENDING, ending.next()).await.is_ok())
    }

    async fn force(&self, name: &str) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let options = query::RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            match self.call("remove the sandbox", SLOW, self.docker.remove_container(name, Some(options))).await {
                Ok(()) => return Ok(()),
                Err(failure) if failure.missing() => return Ok(()),
                // Somebody else removes it right now, or it starts: the next try finds it gone, or removes it.
                Err(failure) if failure.conflict() && began.elapsed() < SLOW => {
                    sleep(Duration::from_millis(50)).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Runs the agent's `thaw` in a container of its own.
    async fn thaw(&self, name: &str) -> Result<(), Failure> {
        if self.capabilities.cgroup_version != 1 {
            return Ok(());
        }
        let found = match self.call("look at the sandbox", QUICK, self.docker.inspect_container(name, None)).await {
            Err(failure) if failure.missing() => return Ok(()),
            found => found?,
        };
        let beside = format!("{name}.thaw");
        let body = body(found.id.unwrap_or_default(), found.image.unwrap_or_default());
        let options = query::CreateContainerOptionsBuilder::default().name(&beside).build();
        // A platform that died in the middle left one.
        self.force(&beside).await?;
        self.call("thaw the sandbox", SLOW, self.docker.create_container(Some(options), body)).await?;
        let thawed = async {
            self.call("thaw the sandbox", SLOW, self.docker.start_container(&beside, None)).await?;
            let mut ending = self.docker.wait_container(&beside, None);
            match timeout(THAWING, ending.next()).await {
                Ok(Some(Err(Error::DockerContainerWaitError { code, .. }))) => {
                    let cause = format!("the thawing ended with {code}");
                    Err(EngineError::Refused { what: "thaw the sandbox".to_owned(), cause }.into())
                }
                Ok(Some(Err(error))) => Err(Failure::new("thaw the sandbox", &self.socket, &error)),
                Ok(_) => Ok(()),
                Err(_) => Err(EngineError::TimedOut(THAWING).into()),
            }
        };
        let thawed = thawed.await;
        self.force(&beside).await?;
        thawed
    }
}

/// It may write to what a student's root owns, and sees the freezer alone.
fn body(id: String, image: String) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image),
        entrypoint: Some([AGENT_PATH, "thaw", INSIDE, &id].map(str::to_owned).to_vec()),
        cmd: Some(Vec::new()),
        user: Some("0:0".to_owned()),
        network_disabled: Some(true),
        host_config: Some(HostConfig {
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(vec!["DAC_OVERRIDE".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            network_mode: Some("none".to_owned()),
            readonly_rootfs: Some(true),
            memory: Some(64 << 20),
            pids_limit: Some(8),
            mounts: Some(vec![Mount {
                typ: Some(MountType::BIND),
                source: Some(FREEZER.to_owned()),
                target: Some(INSIDE.to_owned()),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        ..Default::default()
    }
}
