//! `cat` of 50 MB through a terminal, and what the server's memory does meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bollard::exec::StartExecResults;
use futures::StreamExt as _;

use crate::{
    bench::{Bench, memory_of},
    peer,
    report::{Report, say},
};

const BYTES: u64 = 50_000_000;
const MAKE: &str =
    "yes 0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz | head -c 50000000 > /tmp/flood";

pub(crate) async fn take(report: &mut Report) -> Result<()> {
    let mut bench = Bench::new().await?;
    let pid = bench.server.pid().context("the server has no pid")?;
    let view = bench.ready().await?;
    let mut terminal = bench.first_terminal(&view).await?;
    terminal.until("# ", Duration::from_secs(20)).await?;
    // The quotes keep the mark out of the echo of what is typed.
    terminal.type_in(&format!("{MAKE}; echo ma''de\n")).await?;
    terminal.until("made", Duration::from_mins(1)).await?;
    let before = terminal.received;
    let start = Instant::now();
    terminal.type_in("cat /tmp/flood; echo pou''red\n").await?;
    let mut tail = Vec::new();
    while !tail.windows(6).any(|window| window == b"poured") {
        let bytes =
            tokio::time::timeout(Duration::from_mins(1), terminal.next()).await.context("the flood stopped")??;
        let keep = tail.len().saturating_sub(6);
        tail.drain(..keep);
        tail.extend_from_slice(&bytes);
    }
    let ours = start.elapsed();
    let received = terminal.received - before;
    let peak = memory_of(pid, "VmHWM")?;
    say(&format!("  {received} bytes arrived"));
    drop(terminal);
    bench.stop().await?;
    bench.server.stop().await?;
    if received < BYTES {
        bail!("only {received} bytes of {BYTES} arrived");
    }
    let raw = raw().await?;
    report
        .add("50 MB through the terminal", ours.as_secs_f64() * 1000.0, "ms")
        .beside("docker exec -it cat", raw.as_secs_f64() * 1000.0);
    report.add("server's peak memory meanwhile (VmHWM)", peak, "MiB");
    Ok(())
}

async fn raw() -> Result<Duration> {
    let docker = peer::docker().await?;
    let container = peer::plain(&docker).await?;
    let time = async {
        let script = format!("{MAKE}; echo made; read go; cat /tmp/flood; echo poured");
        let StartExecResults::Attached { mut output, mut input } =
            peer::exec(&docker, &container, &["sh", "-c", &script], true).await?
        else {
            bail!("the exec is not attached")
        };
        let first = output.next().await.context("the exec ended")??;
        if !String::from_utf8_lossy(&first.into_bytes()).contains("made") {
            bail!("the file was not made");
        }
        let start = Instant::now();
        tokio::io::AsyncWriteExt::write_all(&mut input, b"go\n").await?;
        while let Some(next) = output.next().await {
            next?;
        }
        Ok(start.elapsed())
    }
    .await;
    peer::remove(&docker, &container).await?;
    time
}
