//! The peers: containers as our engine makes them, without the platform, and programs by `docker exec`.

use std::{collections::HashMap, pin::Pin, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use bollard::{
    Docker,
    container::LogOutput,
    exec::{StartExecOptions, StartExecResults},
    models::{ContainerCreateBody, ContainerStatsResponse, ExecConfig},
    query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StatsOptionsBuilder},
};
use bulkhead_agent::protocol::Status;
use bulkhead_labs::{
    engine::{DockerEngine, SandboxEngine as _, SandboxId},
    link::AgentLink,
};
use futures::{Stream, StreamExt as _};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    time::{Instant, sleep, timeout},
};

const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks whether something is there: well below what is measured.
const LOOK: Duration = Duration::from_millis(5);

/// What a terminal of ours has in its environment, and where its terminals are described.
pub(crate) const ENVIRONMENT: [&str; 4] = [
    "TERM=xterm-256color",
    "COLORTERM=truecolor",
    "LANG=C.UTF-8",
    "TERMINFO_DIRS=/host/usr/share/terminfo:/host/usr/lib/terminfo",
];

/// What our engine asked for, taken from a sandbox that is there.
pub(crate) async fn configuration(docker: &Docker, container: &str) -> Result<ContainerCreateBody> {
    let found = docker.inspect_container(container, None).await?;
    let config = found.config.context("a container without configuration")?;
    Ok(ContainerCreateBody {
        image: config.image,
        hostname: config.hostname,
        entrypoint: config.entrypoint,
        cmd: config.cmd,
        user: config.user,
        env: config.env,
        network_disabled: config.network_disabled,
        host_config: found.host_config,
        // Not ours: no server's reaper may take it for a sandbox.
        labels: Some(HashMap::from([("bulkhead.figures".to_owned(), std::process::id().to_string())])),
        ..Default::default()
    })
}

/// A container of that configuration, as fast as the engine makes it.
pub(crate) struct Raw {
    engine: DockerEngine,
    id: SandboxId,
    began: Instant,
    link: AgentLink,
    /// From the first call to the agent's first answer.
    pub(crate) agent: Duration,
}

impl Raw {
    pub(crate) async fn start(body: ContainerCreateBody, number: usize) -> Result<Self> {
        let engine = DockerEngine::connect("figures", None).await?;
        let id = SandboxId::parse(&format!("{}-{number}", std::process::id())).context("no id")?;
        let name = engine.container_name(&id);
        let began = Instant::now();
        let made = timeout(PATIENCE, make(&engine, &id, &name, body)).await;
        match made {
            Ok(Ok(link)) => Ok(Self { engine, id, began, link, agent: began.elapsed() }),
            failed => {
                remove(engine.docker(), &name).await?;
                failed??;
                bail!("the peer's container was not made")
            }
        }
    }

    /// Waits until its inner engine answers; how long that took from the first call.
    pub(crate) async fn engine_ready(&self) -> Result<Duration> {
        let up = |status: &Status| status.machines.iter().any(|machine| machine.engine);
        let answered = async {
            while !up(&self.link.status().await?) {
                sleep(LOOK).await;
            }
            Ok(self.began.elapsed())
        };
        timeout(PATIENCE, answered).await?
    }

    pub(crate) fn name(&self) -> String {
        self.engine.container_name(&self.id)
    }

    pub(crate) async fn remove(self) -> Result<()> {
        remove(self.engine.docker(), &self.name()).await
    }
}

async fn make(engine: &DockerEngine, id: &SandboxId, name: &str, body: ContainerCreateBody) -> Result<AgentLink> {
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    engine.docker().create_container(Some(options), body).await?;
    engine.docker().start_container(name, None).await?;
    loop {
        // It refuses until its agent listens.
        if let Ok(stream) = engine.connect(id).await
            && let Ok(link) = AgentLink::open(stream).await
        {
            return Ok(link);
        }
        sleep(LOOK).await;
    }
}

async fn remove(docker: &Docker, name: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    Ok(docker.remove_container(name, Some(options)).await?)
}

/// Bytes that the engine counts for a container, without what the kernel could drop at once (as `docker stats` shows it).
pub(crate) async fn memory(docker: &Docker, container: &str) -> Result<u64> {
    let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
    let stats: ContainerStatsResponse =
        docker.stats(container, Some(options)).next().await.context("the engine has no statistics")??;
    let memory = stats.memory_stats.context("no memory statistics")?;
    let droppable = memory
        .stats
        .and_then(|stats| ["total_inactive_file", "inactive_file"].iter().find_map(|name| stats.get(*name).copied()));
    Ok(memory.usage.context("no memory usage")?.saturating_sub(droppable.unwrap_or(0)))
}

/// What a container has used up so far.
pub(crate) struct Statistics {
    /// Nanoseconds of processors.
    pub(crate) processor: u64,
    pub(crate) processes: u64,
}

pub(crate) async fn statistics(docker: &Docker, container: &str) -> Result<Statistics> {
    let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
    let stats: ContainerStatsResponse =
        docker.stats(container, Some(options)).next().await.context("the engine has no statistics")??;
    let usage = stats.cpu_stats.and_then(|stats| stats.cpu_usage).and_then(|usage| usage.total_usage);
    let processes = stats.pids_stats.and_then(|stats| stats.current);
    Ok(Statistics {
        processor: usage.context("no processor statistics")?,
        processes: processes.context("no count of processes")?,
    })
}

/// A program of the student's image, by `docker exec` in the outer container: with its loader, since it lies below `/host`.
pub(crate) fn program(path: &str) -> Vec<String> {
    let (loader, libraries) = if cfg!(target_arch = "aarch64") {
        ("/host/usr/lib/ld-linux-aarch64.so.1", "/host/usr/lib/aarch64-linux-gnu")
    } else {
        ("/host/usr/lib64/ld-linux-x86-64.so.2", "/host/usr/lib/x86_64-linux-gnu")
    };
    [loader, "--library-path", libraries, path].map(str::to_owned).to_vec()
}

/// The student's shell as his terminal has it, with its prompt: what a key costs, it costs in the shell too.
pub(crate) fn shell() -> Vec<String> {
    let mut argv = program("/host/usr/bin/bash");
    argv.extend(["--noprofile", "--rcfile", "/host/etc/bash.bashrc", "-i"].map(str::to_owned));
    argv
}

/// `docker exec` with its streams.
pub(crate) struct Exec {
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Exec {
    pub(crate) async fn start(docker: &Docker, container: &str, argv: Vec<String>, tty: bool) -> Result<Self> {
        let config = ExecConfig {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(tty),
            cmd: Some(argv),
            env: Some(ENVIRONMENT.map(str::to_owned).to_vec()),
            ..Default::default()
        };
        let exec = docker.create_exec(container, config).await?;
        let options = StartExecOptions { detach: false, tty, output_capacity: Some(64 * 1024) };
        match docker.start_exec(&exec.id, Some(options)).await? {
            StartExecResults::Attached { output, input } => Ok(Self { output, input }),
            StartExecResults::Detached => bail!("the engine did not attach"),
        }
    }

    pub(crate) async fn type_in(&mut self, text: &[u8]) -> Result<()> {
        self.input.write_all(text).await?;
        Ok(self.input.flush().await?)
    }

    /// `None`: it ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(output) = self.output.next().await.transpose()? else { return Ok(None) };
        Ok(Some(output.into_bytes().to_vec()))
    }

    /// All that it prints until it ends.
    pub(crate) async fn bytes(mut self) -> Result<u64> {
        let mut bytes = 0;
        while let Some(piece) = self.next().await? {
            bytes += piece.len() as u64;
        }
        Ok(bytes)
    }
}

/// Runs a script by `docker exec` to its end.
pub(crate) async fn run(docker: &Docker, container: &str, text: &str) -> Result<()> {
    let mut argv = program("/host/usr/bin/bash");
    argv.extend(["-c".to_owned(), format!("{text}\necho done")]);
    let mut exec = Exec::start(docker, container, argv, false).await?;
    let mut said = Vec::new();
    while let Some(piece) = exec.next().await? {
        said.extend(piece);
    }
    let said = String::from_utf8_lossy(&said);
    ensure!(said.trim() == "done", "the peer said: {said}");
    Ok(())
}
