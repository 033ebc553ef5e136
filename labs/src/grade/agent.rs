//! The sandbox's agent as [`Observer`] and [`Restarter`].

use std::time::Duration;

use async_trait::async_trait;
use bulkhead_agent::{
    look::{Look, Seen},
    protocol::{Exec, Fault},
};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{ObserveError, Observer, RestartError, Restarter};
use crate::{
    link::{AgentLink, LinkError},
    manifest::MachineName,
};

/// An engine with containers to stop takes ten seconds for each that ignores its signal, all at once.
const RESTART_TIMEOUT_MS: u32 = 60_000;
const READY: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(100);

#[async_trait]
impl Observer for AgentLink {
    async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
        AgentLink::observe(self, looks).await.map_err(|why| ObserveError(why.to_string()))
    }
}

#[async_trait]
impl Restarter for AgentLink {
    async fn restart_engine(&self, machine: &MachineName, containers: bool) -> Result<(), RestartError> {
        let before = engine_pid(self, machine).await?;
        let running = if containers { running(self, machine).await? } else { Vec::new() };
        let exec = Exec {
            machine: machine.to_string(),
            uid: 0,
            argv: ["systemctl", "restart", "docker"].map(str::to_owned).to_vec(),
            env: Vec::new(),
            stdin: String::new(),
            timeout_ms: RESTART_TIMEOUT_MS,
            limit: 4096,
        };
        let result = self.exec(exec).await.map_err(unreachable)?;
        if result.code != 0 || result.timed_out {
            return Err(RestartError::Refused(format!(
                "systemctl restart docker ended with {}: {}",
                result.code, result.stderr
            )));
        }
        ready(self, machine).await?;
        // `systemctl` is a program of the student's: that it said yes proves nothing.
        if before.is_some() && engine_pid(self, machine).await? == before {
            return Err(RestartError::Refused("systemctl said so, and the same engine process still runs".to_owned()));
        }
        for id in running {
            // One that does not start again is what the second grading is to see.
            let _started = ask(self, machine, "POST", &format!("/containers/{id}/start")).await?;
        }
        Ok(())
    }
}

/// Waits until the engine answers.
async fn ready(link: &AgentLink, machine: &MachineName) -> Result<(), RestartError> {
    let start = Instant::now();
    while start.elapsed() < READY {
        if let Ok(Seen::Http { status: 200, .. }) = ask(link, machine, "GET", "/_ping").await? {
            return Ok(());
        }
        sleep(ASK_AGAIN).await;
    }
    Err(RestartError::Refused(format!("the engine did not answer within {} s", READY.as_secs())))
}

/// What the engine's pid file says; `None` where there is none to read.
async fn engine_pid(link: &AgentLink, machine: &MachineName) -> Result<Option<String>, RestartError> {
    let look = Look::File { machine: machine.to_string(), pid: None, path: "/run/docker.pid".to_owned(), limit: 32 };
    match one(link, look).await? {
        Ok(Seen::File(facts)) => Ok(Some(facts.content)),
        _ => Ok(None),
    }
}

async fn running(link: &AgentLink, machine: &MachineName) -> Result<Vec<String>, RestartError> {
    let Ok(Seen::Http { status: 200, body, .. }) = ask(link, machine, "GET", "/containers/json").await? else {
        return Ok(Vec::new());
    };
    let list: Value = serde_json::from_str(&body).unwrap_or_default();
    let ids = list.as_array().into_iter().flatten().filter_map(|entry| entry["Id"].as_str());
    Ok(ids
        .filter(|id| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()))
        .take(64)
        .map(str::to_owned)
        .collect())
}

async fn ask(
    link: &AgentLink,
    machine: &MachineName,
    method: &str,
    path: &str,
) -> Result<Result<Seen, Fault>, RestartError> {
    let look = Look::Engine {
        machine: machine.to_string(),
        method: method.to_owned(),
        path: path.to_owned(),
        body: None,
        timeout_ms: 15_000,
        limit: 256 * 1024,
    };
    one(link, look).await
}

async fn one(link: &AgentLink, look: Look) -> Result<Result<Seen, Fault>, RestartError> {
    let seen = AgentLink::observe(link, vec![look]).await.map_err(unreachable)?;
    seen.into_iter().next().ok_or_else(|| RestartError::Unreachable("the agent gave no answer".to_owned()))
}

fn unreachable(why: LinkError) -> RestartError {
    RestartError::Unreachable(why.to_string())
}
