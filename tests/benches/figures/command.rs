//! The command `docker exec`, as somebody would use it who has no Bulkhead: on a terminal of its own, or on pipes.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
};

use anyhow::{Context as _, Result, ensure};
use bulkhead_labs::engine::DockerEngine;
use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
    unistd::pipe2,
};
use tokio::{
    process::{Child, Command},
    task::yield_now,
};

use crate::raw::ENVIRONMENT;

/// Milliseconds between two chances for a caller to give up.
const SLICE: u8 = 20;

pub(crate) struct DockerCommand {
    input: File,
    output: File,
    process: Child,
}

impl DockerCommand {
    /// `docker exec -it CONTAINER ARGV`.
    pub(crate) fn on_terminal(engine: &DockerEngine, container: &str, argv: &[String]) -> Result<Self> {
        let pair = openpty(None, None)?;
        let mut command = exec("-it", engine, container, argv);
        command.stdin(pair.slave.try_clone()?).stdout(pair.slave.try_clone()?).stderr(pair.slave);
        Self::start(command, pair.master.try_clone()?, pair.master)
    }

    /// `docker exec -i CONTAINER ARGV`.
    pub(crate) fn on_pipes(engine: &DockerEngine, container: &str, argv: &[String]) -> Result<Self> {
        let (theirs, input) = pipe2(OFlag::O_CLOEXEC)?;
        let (output, ours) = pipe2(OFlag::O_CLOEXEC)?;
        let mut command = exec("-i", engine, container, argv);
        command.stdin(theirs).stdout(ours);
        Self::start(command, input, output)
    }

    fn start(mut command: Command, input: OwnedFd, output: OwnedFd) -> Result<Self> {
        let process =
            command.kill_on_drop(true).spawn().context("cannot start docker (package docker.io or docker-cli)")?;
        Ok(Self { input: File::from(input), output: File::from(output), process })
    }

    pub(crate) fn type_in(&mut self, text: &[u8]) -> Result<()> {
        Ok(self.input.write_all(text)?)
    }

    /// Waits on this thread, which has nothing else to do.
    pub(crate) async fn next(&mut self) -> Result<Vec<u8>> {
        let mut buffer = vec![0; 4096];
        while !self.readable()? {
            yield_now().await;
        }
        let read = self.output.read(&mut buffer)?;
        ensure!(read > 0, "docker exec ended");
        buffer.truncate(read);
        Ok(buffer)
    }

    fn readable(&self) -> Result<bool> {
        let mut waiting = [PollFd::new(self.output.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut waiting, PollTimeout::from(SLICE))? > 0)
    }

    /// What it runs in the container ends with what it reads.
    pub(crate) async fn end(mut self, farewell: &[u8]) -> Result<()> {
        self.type_in(farewell)?;
        drop(self.input);
        self.process.wait().await?;
        Ok(())
    }
}

fn exec(how: &str, engine: &DockerEngine, container: &str, argv: &[String]) -> Command {
    let mut command = Command::new("docker");
    command
        .args(["exec", how])
        .args(ENVIRONMENT.iter().flat_map(|variable| ["-e", variable]))
        .arg(container)
        .args(argv)
        .env("DOCKER_HOST", format!("unix://{}", engine.socket()));
    command
}
