//! A key, from the browser's socket to the shell and back, beside the same shell by `docker exec`, key by key in turns.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bulkhead_tests::user::{Terminal, User};
use tokio::time::{Instant, sleep, timeout};

use crate::{
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

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let (ours, peer, pipe) = lab::with_server(&["--local"], async |server| {
        let sandbox = Sandbox::start(User::local(&server.address)?).await?;
        let container = sandbox.container().await?;
        let mut terminal = sandbox.terminal().await?;
        let mut argv = raw::program("/host/usr/bin/bash");
        argv.extend(["--norc", "--noprofile", "-i"].map(str::to_owned));
        let mut exec = Exec::start(container.engine.docker(), &container.name, argv, true).await?;
        let mut cat =
            Exec::start(container.engine.docker(), &container.name, raw::program("/host/usr/bin/cat"), false).await?;
        quiet(&mut terminal).await?;
        quiet(&mut exec).await?;
        let (mut ours, mut peer, mut pipe) = (Samples::default(), Samples::default(), Samples::default());
        for number in 0..WARM_UP + KEYS {
            let key = b'a' + u8::try_from(number % 26)?;
            let by_us = echo(&mut terminal, key).await?;
            let by_exec = echo(&mut exec, key).await?;
            let by_pipe = echo(&mut cat, key).await?;
            if number >= WARM_UP {
                ours.push(by_us);
                peer.push(by_exec);
                pipe.push(by_pipe);
            }
            if number % LINE == LINE - 1 {
                wipe(&mut terminal).await?;
                wipe(&mut exec).await?;
            }
        }
        Ok((ours, peer, pipe))
    })
    .await?;
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        let row = Row::new("echo", format!("a key and its echo, {name}"), ours.percentile(percent), "ms")
            .beside("bash on a terminal by `docker exec` in the same container", peer.percentile(percent))
            .note(format!("{} keys, in turns", ours.count()));
        report.add(if percent == 99 { row.at_most_times(1.3) } else { row });
        report.add(
            Row::new("echo", format!("the same, {name}"), ours.percentile(percent), "ms")
                .beside("`cat` on a pipe by `docker exec -i`: no terminal, no shell", pipe.percentile(percent)),
        );
    }
    Ok(())
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
