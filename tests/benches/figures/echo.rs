//! A key, from the browser's socket to the shell and back, beside the same shell by `docker exec`, key by key in turns.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bulkhead_tests::user::{Terminal, User};
use tokio::time::{Instant, sleep, timeout};

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

#[derive(Default)]
struct Taken {
    ours: Samples,
    command: Samples,
    exec: Samples,
    pipe: Samples,
}

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let taken = lab::with_server(&["--local"], async |server| {
        let sandbox = Sandbox::start(User::local(&server.address)?).await?;
        take(&sandbox).await
    })
    .await?;
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        let row = |peer: &Samples, short: &str, is: &str| {
            Row::new("echo", format!("a key, {name}, beside {short}"), taken.ours.percentile(percent), "ms")
                .beside(is, peer.percentile(percent))
                .note(format!("{} keys, in turns", taken.ours.count()))
        };
        let command =
            row(&taken.command, "docker exec -it", "bash by the command `docker exec -it`, in the same container");
        let exec =
            row(&taken.exec, "the exec API", "bash by the engine's exec, without the command, in the same container");
        let pipe = row(&taken.pipe, "a pipe", "`cat` on a pipe by the engine's exec: no terminal, no shell");
        if percent == 99 {
            report.add(command.at_most_times(1.3));
            report.add(exec.at_most_times(1.3));
        } else {
            report.add(command);
            report.add(exec);
        }
        report.add(pipe);
    }
    Ok(())
}

async fn take(sandbox: &Sandbox) -> Result<Taken> {
    let container = sandbox.container().await?;
    let docker = container.engine.docker();
    let shell = raw::shell();
    let mut ours = sandbox.terminal().await?;
    let mut command = DockerCommand::exec(&container.engine, &container.name, &shell)?;
    let mut exec = Exec::start(docker, &container.name, shell, true).await?;
    let mut pipe = Exec::start(docker, &container.name, raw::program("/host/usr/bin/cat"), false).await?;
    // Their prompts.
    timeout(PATIENCE, command.output()).await.context("docker exec shows no prompt")??;
    timeout(PATIENCE, exec.output()).await.context("the engine's exec shows no prompt")??;
    wipe_all(&mut ours, &mut command, &mut exec).await?;
    let mut taken = Taken::default();
    for number in 0..WARM_UP + KEYS {
        let key = b'a' + u8::try_from(number % 26)?;
        let by_us = echo(&mut ours, key).await?;
        let by_command = echo(&mut command, key).await?;
        let by_exec = echo(&mut exec, key).await?;
        let by_pipe = echo(&mut pipe, key).await?;
        if number >= WARM_UP {
            taken.ours.push(by_us);
            taken.command.push(by_command);
            taken.exec.push(by_exec);
            taken.pipe.push(by_pipe);
        }
        if number % LINE == LINE - 1 {
            wipe_all(&mut ours, &mut command, &mut exec).await?;
        }
    }
    command.end().await?;
    Ok(taken)
}

async fn wipe_all(ours: &mut Terminal, command: &mut DockerCommand, exec: &mut Exec) -> Result<()> {
    wipe(ours).await?;
    wipe(command).await?;
    wipe(exec).await
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
