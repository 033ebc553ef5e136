//! A key, from the browser's socket to the shell and back, beside `docker exec -i` with the least that echoes, and the
//! same shell by `docker exec -it`, key by key in turns.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bulkhead_tests::user::{Terminal, User};
use tokio::{
    runtime::Builder,
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};

use crate::{
    command::DockerCommand,
    lab::{self, Sandbox},
    raw::{self, Exec},
    report::{Report, Row},
    sample::Samples,
};

const KEYS: usize = 3000;
const WARM_UP: usize = 100;
/// Then the line is wiped, so that it does not wrap.
const LINE: usize = 40;
/// So that one key's wake-ups do not serve the next. A fast typist leaves twenty times as much.
const PAUSE: Duration = Duration::from_millis(5);
const QUIET: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);

/// Both ends of one comparison.
trait Keyboard {
    async fn press(&mut self, key: u8) -> Result<()>;
    async fn output(&mut self) -> Result<Vec<u8>>;
    async fn parsed(&mut self, bytes: usize) -> Result<()>;
}

impl Keyboard for Terminal {
    async fn press(&mut self, key: u8) -> Result<()> {
        self.type_in(std::str::from_utf8(&[key])?).await
    }
    async fn output(&mut self) -> Result<Vec<u8>> {
        self.receive().await
    }
    async fn parsed(&mut self, bytes: usize) -> Result<()> {
        self.acknowledge(bytes).await
    }
}

impl Keyboard for Exec {
    async fn press(&mut self, key: u8) -> Result<()> {
        self.type_in(&[key]).await
    }
    async fn output(&mut self) -> Result<Vec<u8>> {
        self.next().await?.context("the peer's shell ended")
    }
    async fn parsed(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
}

impl Keyboard for DockerCommand {
    async fn press(&mut self, key: u8) -> Result<()> {
        self.type_in(&[key])
    }
    async fn output(&mut self) -> Result<Vec<u8>> {
        self.next().await
    }
    async fn parsed(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
}

/// Who echoes, in the order of their turns.
struct Peers {
    command: DockerCommand,
    terminal: DockerCommand,
    exec: Exec,
    pipe: Exec,
}

#[derive(Default)]
struct Taken {
    ours: Samples,
    command: Samples,
    terminal: Samples,
    exec: Samples,
    pipe: Samples,
}

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let taken = spawn_blocking(on_one_thread).await??;
    let peers = [
        (&taken.command, "docker exec -i", "`cat` by the command `docker exec -i`: no terminal, no shell", true),
        (&taken.terminal, "docker exec -it", "bash by the command `docker exec -it`", true),
        (&taken.exec, "the exec API", "bash on a terminal by the engine's exec, without the command", true),
        (&taken.pipe, "a pipe", "`cat` by the engine's exec: no command, no terminal, no shell", false),
    ];
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        for (peer, short, is, aim) in peers {
            let row = Row::new("echo", format!("a key, {name}, beside {short}"), taken.ours.percentile(percent), "ms")
                .beside(is, peer.percentile(percent))
                .note(format!("{} keys, in turns, in the same container", taken.ours.count()));
            report.add(if aim && percent == 99 { row.at_most_times(1.3) } else { row });
        }
    }
    Ok(())
}

/// Whoever is asked, the answer is heard by the thread that asked: what a runtime of several needs to tell one of them
/// by another is no part of anybody's echo.
fn on_one_thread() -> Result<Taken> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(lab::with_server(&["--local"], async |server| {
        let sandbox = Sandbox::start(User::local(&server.address)?).await?;
        take(&sandbox).await
    }))
}

async fn take(sandbox: &Sandbox) -> Result<Taken> {
    let mut ours = sandbox.terminal().await?;
    let mut peers = Peers::start(sandbox).await?;
    peers.wipe(&mut ours).await?;
    let mut taken = Taken::default();
    for number in 0..WARM_UP + KEYS {
        let key = b'a' + u8::try_from(number % 26)?;
        let by_us = echo(&mut ours, key).await?;
        let by_command = echo(&mut peers.command, key).await?;
        let by_terminal = echo(&mut peers.terminal, key).await?;
        let by_exec = echo(&mut peers.exec, key).await?;
        let by_pipe = echo(&mut peers.pipe, key).await?;
        if number >= WARM_UP {
            taken.ours.push(by_us);
            taken.command.push(by_command);
            taken.terminal.push(by_terminal);
            taken.exec.push(by_exec);
            taken.pipe.push(by_pipe);
        }
        if number % LINE == LINE - 1 {
            peers.wipe(&mut ours).await?;
        }
    }
    peers.command.end(b"").await?;
    peers.terminal.end(b"\x15exit\r").await?;
    Ok(taken)
}

impl Peers {
    /// With their prompts shown.
    async fn start(sandbox: &Sandbox) -> Result<Self> {
        let container = sandbox.container().await?;
        let (engine, name) = (&container.engine, &container.name);
        let (shell, cat) = (raw::shell(), raw::program("/host/usr/bin/cat"));
        let mut peers = Self {
            command: DockerCommand::on_pipes(engine, name, &cat)?,
            terminal: DockerCommand::on_terminal(engine, name, &shell)?,
            exec: Exec::start(engine.docker(), name, shell, true).await?,
            pipe: Exec::start(engine.docker(), name, cat, false).await?,
        };
        timeout(PATIENCE, peers.terminal.output()).await.context("docker exec shows no prompt")??;
        timeout(PATIENCE, peers.exec.output()).await.context("the engine's exec shows no prompt")??;
        Ok(peers)
    }

    /// Empties each line that a terminal shows.
    async fn wipe(&mut self, ours: &mut Terminal) -> Result<()> {
        wipe(ours).await?;
        wipe(&mut self.terminal).await?;
        wipe(&mut self.exec).await
    }
}

async fn echo(keyboard: &mut impl Keyboard, key: u8) -> Result<Duration> {
    sleep(PAUSE).await;
    let began = Instant::now();
    keyboard.press(key).await?;
    loop {
        let bytes = timeout(PATIENCE, keyboard.output()).await.context("a key was not echoed")??;
        let took = began.elapsed();
        keyboard.parsed(bytes.len()).await?;
        if bytes.contains(&key) {
            return Ok(took);
        }
    }
}

/// Control-U.
async fn wipe(keyboard: &mut impl Keyboard) -> Result<()> {
    keyboard.press(0x15).await?;
    quiet(keyboard).await
}

/// Takes what comes until nothing comes.
async fn quiet(keyboard: &mut impl Keyboard) -> Result<()> {
    while let Ok(bytes) = timeout(QUIET, keyboard.output()).await {
        let bytes = bytes?.len();
        keyboard.parsed(bytes).await?;
    }
    Ok(())
}
