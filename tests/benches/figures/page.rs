//! Lesson pages a second on one core, rendered, beside nginx with the same bytes from a file.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use bulkhead_tests::{server::Server, user::User};
use tempfile::TempDir;
use tokio::process::Command;

use crate::report::Report;

const LESSON: &str = "/learn/container-security/implementing-read-only-containers";

pub(crate) async fn take(report: &mut Report) -> Result<()> {
    let server = Server::start(&[]).await?;
    let pid = server.pid().context("the server has no pid")?;
    pin(pid).await?;
    let page = User::anonymous(&server.address)?.get(LESSON).await?.bytes().await?;
    let ours = load(&server.url(LESSON)).await?;
    server.stop().await?;
    let theirs = nginx(&page).await?;
    report.add("lesson page, requests a second on one core", ours.rate, "/s").beside("nginx, same bytes", theirs.rate);
    report
        .add("lesson page, p99 at 16 connections", ours.p99, "ms")
        .beside("nginx, same bytes", theirs.p99)
        .aim("5 ms");
    #[expect(clippy::cast_precision_loss, reason = "kilobytes of a page")]
    report.add("lesson page, HTML", page.len() as f64 / 1000.0, "kB").aim("150 kB");
    Ok(())
}

/// All threads of a process on the first core; the load comes from the second.
async fn pin(pid: u32) -> Result<()> {
    let pinned = Command::new("taskset")
        .args(["-a", "-c", "-p", "0"])
        .arg(pid.to_string())
        .stdout(Stdio::null())
        .status()
        .await?;
    if !pinned.success() {
        bail!("taskset could not pin the server");
    }
    Ok(())
}

async fn nginx(page: &[u8]) -> Result<Load> {
    let folder = TempDir::with_prefix("bulkhead-nginx-")?;
    let path = folder.path();
    std::fs::write(path.join("page.html"), page)?;
    // Its worker is not root and must read the folder.
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let configuration = format!(
        "worker_processes 1; pid {0}/pid; error_log {0}/error.log; events {{ worker_connections 256; }} http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {0}; default_type text/html; }} }}",
        path.display()
    );
    std::fs::write(path.join("nginx.conf"), configuration)?;
    let mut child = Command::new("taskset")
        .args(["-c", "0", "nginx", "-g", "daemon off;", "-c"])
        .arg(path.join("nginx.conf"))
        .kill_on_drop(true)
        .spawn()?;
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let load = load(&format!("http://127.0.0.1:{port}/page.html")).await;
    if let Some(pid) = child.id() {
        Command::new("kill").arg(pid.to_string()).status().await?;
    }
    child.wait().await?;
    load
}

struct Load {
    rate: f64,
    p99: f64,
}

/// 16 connections for ten seconds, from the second core.
async fn load(url: &str) -> Result<Load> {
    let output =
        Command::new("taskset").args(["-c", "1", "wrk", "-t1", "-c16", "-d10s", "--latency", url]).output().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") {
        bail!("not every request was answered with a page:\n{text}");
    }
    let after = |name: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(name))
            .map(str::trim)
            .map(str::to_owned)
            .with_context(|| format!("wrk printed no {name}:\n{text}"))
    };
    Ok(Load { rate: after("Requests/sec:")?.parse()?, p99: milliseconds(&after("99%")?)? })
}

/// `950.00us`, `4.10ms`, `1.20s`.
fn milliseconds(text: &str) -> Result<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit)
            && let Ok(number) = number.parse::<f64>()
        {
            return Ok(number * factor);
        }
    }
    bail!("{text} is no time")
}
