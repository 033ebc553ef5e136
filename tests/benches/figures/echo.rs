//! A keystroke's round trip, in turn through our terminal and through the engine's own exec.

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use bollard::{container::LogOutput, errors::Error, exec::StartExecResults};
use bulkhead_tests::user::Terminal;
use futures::{Stream, StreamExt as _};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    time::{sleep, timeout},
};

use crate::{
    bench::Bench,
    peer,
    report::{Report, quantile},
};

const KEYS: usize = 1500;
/// A line is cleared before it wraps.
const LINE: usize = 60;

struct Raw {
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Raw {
    async fn start(docker: &bollard::Docker, container: &str, command: &[&str], tty: bool) -> Result<Self> {
        match peer::exec(docker, container, command, tty).await? {
            StartExecResults::Attached { output, input } => Ok(Self { output, input }),
            StartExecResults::Detached => bail!("the exec is not attached"),
        }
    }

    async fn key(&mut self, key: u8) -> Result<Duration> {
        let pressed = Instant::now();
        self.input.write_all(&[key]).await?;
        self.input.flush().await?;
        self.output.next().await.context("the exec ended")??;
        Ok(pressed.elapsed())
    }

    /// Reads until nothing more comes.
    async fn settle(&mut self) {
        while timeout(Duration::from_millis(200), self.output.next()).await.is_ok_and(|next| next.is_some()) {}
    }
}

pub(crate) async fn take(report: &mut Report) -> Result<()> {
    let mut bench = Bench::new().await?;
    let view = bench.ready().await?;
    let mut ours = bench.first_terminal(&view).await?;
    ours.until("# ", Duration::from_secs(20)).await?;
    let docker = peer::docker().await?;
    let container = peer::plain(&docker).await?;
    let result = compare(&docker, &container, &mut ours, report).await;
    peer::remove(&docker, &container).await?;
    bench.stop().await?;
    bench.server.stop().await?;
    result
}

async fn compare(docker: &bollard::Docker, container: &str, ours: &mut Terminal, report: &mut Report) -> Result<()> {
    let mut shell = Raw::start(docker, container, &["bash", "--login"], true).await?;
    let mut pipe = Raw::start(docker, container, &["cat"], false).await?;
    shell.settle().await;
    while timeout(Duration::from_millis(200), ours.next()).await.is_ok() {}
    let (mut through_us, mut through_tty, mut through_pipe) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..KEYS {
        if index % LINE == LINE - 1 {
            ours.type_in("\x15").await?;
            shell.input.write_all(b"\x15").await?;
            while timeout(Duration::from_millis(50), ours.next()).await.is_ok() {}
            shell.settle().await;
            continue;
        }
        let pressed = Instant::now();
        ours.type_in("a").await?;
        ours.next().await?;
        through_us.push(pressed.elapsed());
        through_tty.push(shell.key(b'a').await?);
        through_pipe.push(pipe.key(b'a').await?);
        // As a quick typist, not as a flood.
        sleep(Duration::from_millis(2)).await;
    }
    for (name, at) in [("p50", 0.5), ("p99", 0.99)] {
        let value = quantile(&mut through_us, at);
        report
            .add(&format!("keystroke echo, {name}"), value, "ms")
            .beside("docker exec -it bash", quantile(&mut through_tty, at));
        report.aim(if at > 0.9 { "ratio 1.3 to docker exec" } else { "" });
        report
            .add(&format!("keystroke echo, {name}"), value, "ms")
            .beside("docker exec -i cat", quantile(&mut through_pipe, at));
    }
    Ok(())
}
