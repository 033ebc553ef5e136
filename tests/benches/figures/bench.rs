//! A server, its learner, and one ready sandbox.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bulkhead_app::api::lab::{LabEvent, SandboxView};
use bulkhead_tests::{
    server::Server,
    user::{Events, Terminal, User},
};

pub(crate) const LAB: &str = "read-only-but-alive";

pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) user: User,
    pub(crate) events: Events,
}

impl Bench {
    pub(crate) async fn new() -> Result<Self> {
        let server = Server::start(&["--local"]).await?;
        let user = User::local(&server.address).await?;
        let events = user.events(LAB).await?;
        Ok(Self { server, user, events })
    }

    pub(crate) async fn ready(&mut self) -> Result<SandboxView> {
        self.user.start_lab(LAB).await?;
        self.events.until_ready().await
    }

    pub(crate) async fn stop(&mut self) -> Result<()> {
        self.user.stop_lab(LAB).await?;
        let gone = |event: &LabEvent| match event {
            LabEvent::Sandbox { sandbox } => sandbox.as_ref().is_none_or(|view| view.state.is_over()).then_some(()),
            _ => None,
        };
        self.events.until("the sandbox is gone", Duration::from_secs(30), gone).await
    }

    pub(crate) async fn first_terminal(&self, view: &SandboxView) -> Result<Terminal> {
        let first = view.terminals.first().context("a ready sandbox has no terminal")?;
        self.user.terminal(&view.id, first.id).await
    }
}

/// A line of `/proc/PID/status` in MiB.
pub(crate) fn memory_of(pid: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':')).context("no such line")?;
    let kib: f64 = value.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
