//! `cat` of 50 MB through the browser's socket, beside the same bytes by `docker exec`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bulkhead_tests::{
    process,
    user::{Terminal, User},
};
use tokio::time::{Instant, timeout};

use crate::{
    lab::{self, Container, Sandbox},
    raw::{self, Exec},
    report::{Report, Row},
    sample::megabytes,
};

const BYTES: u64 = 50_000_000;
const ROUNDS: usize = 3;
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    lab::with_server(&["--local"], async |server| {
        let pid = server.pid().context("the server ended")?;
        let sandbox = Sandbox::start(User::local(&server.address)?).await?;
        let container = sandbox.container().await?;
        container.run(&format!("base64 -w 98 /usr/sbin/dockerd | head -c {BYTES} > /root/flood.txt")).await?;
        raw::run(
            container.engine.docker(),
            &container.name,
            &format!(
                "{} -w 98 /host/usr/sbin/dockerd | {} -c {BYTES} > /dev/shm/flood.txt",
                raw::program("/host/usr/bin/base64").join(" "),
                raw::program("/host/usr/bin/head").join(" "),
            ),
        )
        .await?;
        let mut terminal = sandbox.terminal().await?;
        process::forget_peak(pid)?;
        let before = process::memory(pid)?;
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            ours.push(through_the_platform(&mut terminal, round).await?);
            peer.push(by_exec(&container).await?);
        }
        let after = process::memory(pid)?;
        raw::run(container.engine.docker(), &container.name, ": > /dev/shm/flood.txt").await?;
        let (ours, peer) = (middle(ours), middle(peer));
        let is = "the same bytes on a terminal by `docker exec` in the same container";
        let note = format!("median of {ROUNDS}, in turns; each piece acknowledged as it comes");
        report.add(Row::new("flood", "cat of 50 MB", ours, "s").beside(is, peer).note(note));
        report.add(Row::new("flood", "its speed", megabytes(BYTES) / ours, "MB/s").beside(is, megabytes(BYTES) / peer));
        report.add(
            Row::new("flood", "server's peak in it, resident", megabytes(after.peak), "MB")
                .note(format!("{:.1} MB resident before", megabytes(before.resident))),
        );
        Ok(())
    })
    .await
}

async fn through_the_platform(terminal: &mut Terminal, round: usize) -> Result<f64> {
    let end = format!("end-{round}-42");
    let before = terminal.received;
    let began = Instant::now();
    terminal.type_in(&format!("cat /root/flood.txt; echo end-{round}-$((40+2))\r")).await?;
    let read = async {
        let mut tail = Vec::new();
        loop {
            let bytes = terminal.next().await?;
            tail.extend_from_slice(&bytes[bytes.len().saturating_sub(4096)..]);
            tail.drain(..tail.len().saturating_sub(4096));
            if tail.windows(end.len()).any(|window| window == end.as_bytes()) {
                return Ok::<_, anyhow::Error>(());
            }
        }
    };
    timeout(PATIENCE, read).await.context("the flood did not end")??;
    let took = began.elapsed().as_secs_f64();
    let received = terminal.received - before;
    ensure!(received >= BYTES, "only {received} bytes of {BYTES} came");
    Ok(took)
}

async fn by_exec(container: &Container) -> Result<f64> {
    let mut argv = raw::program("/host/usr/bin/cat");
    argv.push("/dev/shm/flood.txt".to_owned());
    let began = Instant::now();
    let exec = Exec::start(container.engine.docker(), &container.name, argv, true).await?;
    let received = timeout(PATIENCE, exec.bytes()).await.context("the peer's flood did not end")??;
    ensure!(received >= BYTES, "only {received} bytes of {BYTES} came by exec");
    Ok(began.elapsed().as_secs_f64())
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
