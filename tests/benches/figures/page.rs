//! A lesson's page on one core, beside nginx with the same bytes from a file. Ours is rendered for each request, for one
//! student: his name, his progress, a nonce of its own. nginx hands out one file to everybody.
//!
//! Two questions: how long one reader waits while others come at a steady rate, which is what was promised, and how many
//! answers a second there are at most. In the second the core is never idle, so its times are those of the queue.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use bulkhead_tests::user::User;
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{Duration, Instant, sleep},
};

use crate::{
    lab::{self, LESSON},
    report::{Report, Row},
    sample::{Samples, number},
    steady,
};

const SERVER_CORE: &str = "0";
const CLIENT_CORE: &str = "1";
const CONNECTIONS: &str = "-c16";
const DURATION: &str = "-d10s";
const WARM_UP: &str = "-d2s";
/// Milliseconds.
const P99: f64 = 5.0;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    lab::with_server(&[], async |server| {
        let user = User::sign_up(&server.address, "Student", "student@example.org", "a long enough password").await?;
        let page = user.get(LESSON).await?.error_for_status()?.bytes().await?;
        let pid = server.pid().context("the server ended")?;
        run(Command::new("taskset").args(["-a", "-c", "-p", SERVER_CORE, &pid.to_string()])).await?;
        let url = server.url(LESSON);
        wrk(&url, WARM_UP, user.cookie(), page.len()).await?;
        let ours = wrk(&url, DURATION, user.cookie(), page.len()).await?;
        let waits = steady(&url, user.cookie()).await?;
        let nginx = Nginx::start(&page).await?;
        let taken = async {
            wrk(&nginx.url, WARM_UP, user.cookie(), page.len()).await?;
            let most = wrk(&nginx.url, DURATION, user.cookie(), page.len()).await?;
            anyhow::Ok((most, steady(&nginx.url, user.cookie()).await?))
        }
        .await;
        nginx.stop().await?;
        let (peer, peer_waits) = taken?;
        let is = "nginx, one worker on the same core, the same bytes from a file";
        let note = format!(
            "{:.1} kB, rendered for each request; wrk {CONNECTIONS} {DURATION} on another core",
            number(page.len() as u64) / 1000.0
        );
        let rate = steady::PER_SECOND;
        report.add(
            Row::new("page", format!("lesson, one core, {rate} readers a second, p99"), waits.percentile(99), "ms")
                .beside(is, peer_waits.percentile(99))
                .at_most(P99)
                .note(format!("{} requests, each timed from when it was due; ours compressed for each", waits.count())),
        );
        report.add(
            Row::new("page", format!("lesson, one core, {rate} readers a second, median"), waits.median(), "ms")
                .beside(is, peer_waits.median()),
        );
        report.add(
            Row::new("page", "lesson, one core, at most", ours.per_second, "requests/s")
                .beside(is, peer.per_second)
                .note(note),
        );
        report
            .add(Row::new("page", "lesson, one core, at most, p99 in the queue", ours.p99, "ms").beside(is, peer.p99));
        Ok(())
    })
    .await
}

/// Keeps this process, which asks, off the server's core for as long.
async fn steady(url: &str, cookie: &str) -> Result<Samples> {
    let own = std::process::id().to_string();
    let bind = async |cores: &str| run(Command::new("taskset").args(["-a", "-c", "-p", cores, &own])).await;
    let last = std::thread::available_parallelism()?.get() - 1;
    bind(CLIENT_CORE).await?;
    let waits = steady::readers(url, cookie).await;
    bind(&format!("0-{last}")).await?;
    waits
}

struct Load {
    per_second: f64,
    /// Milliseconds.
    p99: f64,
}

async fn wrk(url: &str, duration: &str, cookie: &str, page: usize) -> Result<Load> {
    let cookie = format!("Cookie: {cookie}");
    let arguments = ["-c", CLIENT_CORE, "wrk", "-t1", CONNECTIONS, duration, "--latency", "-H", &cookie, url];
    let text = run(Command::new("taskset").args(arguments)).await?;
    load(&text, page).with_context(|| format!("wrk said: {text}"))
}

/// `page`: bytes that each answer must have brought.
fn load(text: &str, page: usize) -> Result<Load> {
    ensure!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "not every request was answered");
    let field = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let per_second = field("Requests/sec:").context("no rate")?.parse()?;
    let read = text.lines().find(|line| line.ends_with(" read")).context("no bytes")?;
    let (requests, bytes) = read.trim().trim_end_matches(" read").split_once(" requests in ").context("no requests")?;
    let bytes = binary(bytes.split_once(", ").context("no bytes")?.1)?;
    // wrk rounds what it prints.
    let least = requests.parse::<f64>()? * number(page as u64) * 0.99;
    ensure!(bytes >= least, "{bytes} bytes in {requests} answers are less than the page each time");
    let p99 = field("99%").context("no p99")?;
    let (digits, unit) = p99.split_at(p99.find(|c: char| c.is_alphabetic()).context("no unit")?);
    let scale = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        other => bail!("an unknown unit: {other}"),
    };
    Ok(Load { per_second, p99: digits.parse::<f64>()? * scale })
}

/// `20.11GB`, by which wrk means 1024³ each.
fn binary(text: &str) -> Result<f64> {
    let (digits, unit) = text.split_at(text.find(|c: char| c.is_alphabetic()).context("no unit")?);
    let power = ["B", "KB", "MB", "GB", "TB"].iter().position(|known| *known == unit).context("an unknown unit")?;
    Ok(digits.parse::<f64>()? * 1024_f64.powi(i32::try_from(power)?))
}

async fn run(command: &mut Command) -> Result<String> {
    let output = command.kill_on_drop(true).output().await.with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

struct Nginx {
    process: Child,
    url: String,
    folder: TempDir,
}

impl Nginx {
    async fn start(page: &[u8]) -> Result<Self> {
        let folder = TempDir::with_prefix("bulkhead-nginx-")?;
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        std::fs::write(folder.path().join("page.html"), page)?;
        std::fs::write(folder.path().join("nginx.conf"), configuration(folder.path(), port))?;
        let process = Command::new("taskset")
            .args(["-c", SERVER_CORE, "nginx", "-e", "stderr", "-p"])
            .arg(folder.path())
            .args(["-c", "nginx.conf"])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("stderr"))?)
            .spawn()
            .context("cannot start nginx")?;
        let nginx = Self { process, url: format!("http://127.0.0.1:{port}/page.html"), folder };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if Instant::now() > deadline {
                let said = std::fs::read_to_string(nginx.folder.path().join("stderr"));
                nginx.stop().await?;
                bail!("nginx does not answer: {}", said.unwrap_or_default());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(nginx)
    }

    /// In order: its worker would outlive a master that is killed.
    async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.process.id() {
            run(Command::new("kill").arg(pid.to_string())).await?;
        }
        self.process.wait().await?;
        Ok(())
    }
}

fn configuration(folder: &Path, port: u16) -> String {
    let root = folder.display();
    let user = if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        // A worker of another account could not read our folder.
        "user root;"
    } else {
        ""
    };
    format!(
        "{user}
daemon off;
worker_processes 1;
pid {root}/pid;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  default_type text/html;
  client_body_temp_path {root}; proxy_temp_path {root}; fastcgi_temp_path {root}; uwsgi_temp_path {root}; scgi_temp_path {root};
  open_file_cache max=16;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"
    )
}
