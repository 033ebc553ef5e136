//! The `docker` command on a terminal of its own, as somebody would use it who has no Bulkhead.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::AsFd as _,
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use bulkhead_labs::engine::DockerEngine;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
};
use tokio::{
    process::{Child, Command},
    task::{block_in_place, yield_now},
};

use crate::raw::ENVIRONMENT;

/// Milliseconds between two chances for a caller to give up.
const SLICE: u8 = 20;

pub(crate) struct DockerCommand {
    terminal: File,
    process: Child,
}

impl DockerCommand {
    /// `docker exec -it CONTAINER ARGV`.
    pub(crate) fn exec(engine: &DockerEngine, container: &str, argv: &[String]) -> Result<Self> {
        let pair = openpty(None, None)?;
        let process = Command::new("docker")
            .args(["exec", "-it"])
            .args(ENVIRONMENT.iter().flat_map(|variable| ["-e", variable]))
            .arg(container)
            .args(argv)
            .env("DOCKER_HOST", format!("unix://{}", engine.socket()))
            .stdin(Stdio::from(pair.slave.try_clone()?))
            .stdout(Stdio::from(pair.slave.try_clone()?))
            .stderr(Stdio::from(pair.slave))
            .kill_on_drop(true)
            .spawn()
            .context("cannot start docker (package docker.io or docker-cli)")?;
        Ok(Self { terminal: File::from(pair.master), process })
    }

    pub(crate) fn type_in(&mut self, text: &[u8]) -> Result<()> {
        Ok(self.terminal.write_all(text)?)
    }

    /// Waits on this thread: a detour over another would be charged to the command.
    pub(crate) async fn next(&mut self) -> Result<Vec<u8>> {
        let mut buffer = vec![0; 4096];
        while !block_in_place(|| self.readable())? {
            yield_now().await;
        }
        let read = self.terminal.read(&mut buffer)?;
        ensure!(read > 0, "docker exec ended");
        buffer.truncate(read);
        Ok(buffer)
    }

    fn readable(&self) -> Result<bool> {
        let mut waiting = [PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut waiting, PollTimeout::from(SLICE))? > 0)
    }

    /// Its shell in the container ends with its terminal.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.type_in(b"\x15exit\r")?;
        self.process.wait().await?;
        Ok(())
    }
}
