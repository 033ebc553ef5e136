//! A server with one student and his sandbox, and the engine beneath it.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use bollard::query_parameters::ListContainersOptionsBuilder;
use bulkhead_agent::protocol::ExecResult;
use bulkhead_app::api::lab::{LabEvent, SandboxView};
use bulkhead_labs::{
    engine::{DockerEngine, SandboxEngine as _, SandboxId},
    link::AgentLink,
    sandbox::script,
};
use bulkhead_tests::{
    server::Server,
    user::{Events, Terminal, User},
};

pub(crate) const LAB: &str = "read-only-but-alive";
pub(crate) const LESSON: &str = "/learn/container-security/implementing-read-only-containers";
const PATIENCE: Duration = Duration::from_mins(1);

/// Takes figures on a server of its own, which is stopped whatever comes of it, its sandboxes with it.
pub(crate) async fn with_server<T>(options: &[&str], figures: impl AsyncFnOnce(&Server) -> Result<T>) -> Result<T> {
    let server = Server::start(options).await?;
    let taken = figures(&server).await;
    server.stop().await?;
    taken
}

/// The student's sandbox, ready.
pub(crate) struct Sandbox {
    pub(crate) user: User,
    pub(crate) events: Events,
    pub(crate) view: SandboxView,
}

impl Sandbox {
    pub(crate) async fn start(user: User) -> Result<Self> {
        let mut events = user.events(LAB).await?;
        user.start_lab(LAB).await?;
        let view = events.until_ready().await?;
        Ok(Self { user, events, view })
    }

    /// Its first terminal, at its prompt.
    pub(crate) async fn terminal(&self) -> Result<Terminal> {
        let first = self.view.terminals.first().context("the sandbox has no terminal")?;
        prompt(&self.user, &self.view.id, first.id).await
    }

    pub(crate) async fn container(&self) -> Result<Container> {
        Container::of(&self.view.id).await
    }
}

pub(crate) async fn prompt(user: &User, sandbox: &str, terminal: u32) -> Result<Terminal> {
    let mut terminal = user.terminal(sandbox, terminal).await?;
    terminal.until("#", PATIENCE).await?;
    Ok(terminal)
}

/// Stops the lab and waits until nothing is left of it.
pub(crate) async fn stop(user: &User, events: &mut Events) -> Result<()> {
    user.stop_lab(LAB).await?;
    let gone = |event: &LabEvent| matches!(event, LabEvent::Sandbox { sandbox: None }).then_some(());
    events.until("the sandbox is gone", PATIENCE, gone).await
}

/// A sandbox as its engine sees it.
pub(crate) struct Container {
    pub(crate) engine: DockerEngine,
    pub(crate) id: SandboxId,
    pub(crate) name: String,
}

impl Container {
    pub(crate) async fn of(sandbox: &str) -> Result<Self> {
        let any = DockerEngine::connect("figures", None).await?;
        let labels = HashMap::from([("label".to_owned(), vec![format!("bulkhead.sandbox={sandbox}")])]);
        let options = ListContainersOptionsBuilder::default().filters(&labels).build();
        let found = any.docker().list_containers(Some(options)).await?;
        let [container] = found.as_slice() else { bail!("{} containers of sandbox {sandbox}", found.len()) };
        let instance = container.labels.as_ref().and_then(|labels| labels.get("bulkhead.instance"));
        let engine = DockerEngine::connect(instance.context("the sandbox belongs to no installation")?, None).await?;
        let id = SandboxId::parse(sandbox).context("no sandbox's id")?;
        let name = engine.container_name(&id);
        Ok(Self { engine, id, name })
    }

    pub(crate) async fn link(&self) -> Result<AgentLink> {
        Ok(AgentLink::open(self.engine.connect(&self.id).await?).await?)
    }

    /// Runs a script as root on the student's machine.
    pub(crate) async fn run(&self, text: &str) -> Result<ExecResult> {
        let exec = script("host", text, &std::collections::BTreeMap::new(), PATIENCE);
        let result = self.link().await?.exec(exec).await?;
        ensure!(result.code == 0, "a script on the student's machine ended with {}: {}", result.code, result.stderr);
        Ok(result)
    }
}
