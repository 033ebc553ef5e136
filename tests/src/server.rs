//! The `bulkhead` binary on a free port, with a data folder of its own, ended by its id.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

pub struct Server {
    pub address: String,
    data: TempDir,
    process: Child,
    options: Vec<String>,
}

/// `BULKHEAD_BINARY`, or what the workspace built.
pub fn binary() -> PathBuf {
    std::env::var_os("BULKHEAD_BINARY").map_or_else(|| crate::artefacts::target().join("debug/bulkhead"), PathBuf::from)
}

impl Server {
    /// `options` go to `bulkhead serve`, e.g. `--local`.
    pub async fn start(options: &[&str]) -> Result<Self> {
        let data = TempDir::with_prefix("bulkhead-test-")?;
        let options: Vec<String> = options.iter().map(|&o| o.to_owned()).collect();
        let (process, address) = spawn(data.path(), "127.0.0.1:0", &options).await?;
        Ok(Self { address, data, process, options })
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.data.path().join("server.log"))?)
    }

    /// `kill -9`, then the same server on the same data and address.
    pub async fn crash_and_restart(&mut self) -> Result<()> {
        self.process.kill().await?;
        let listen = self.address.trim_start_matches("http://").to_owned();
        let (process, address) = spawn(self.data.path(), &listen, &self.options).await?;
        self.process = process;
        self.address = address;
        Ok(())
    }

    /// An account with a role that nobody gets by signing up.
    pub async fn create_user(&self, email: &str, role: &str, password: &str) -> Result<()> {
        let mut command = Command::new(binary())
            .args(["user", "create", email, "--role", role, "--password-stdin", "--data"])
            .arg(self.data.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = command.stdin.take().context("no stdin")?;
        stdin.write_all(format!("{password}\n").as_bytes()).await?;
        drop(stdin);
        let output = command.wait_with_output().await?;
        if !output.status.success() {
            bail!("bulkhead user create: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Ends the server in order, its sandboxes with it.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.process.id() {
            Command::new("kill").arg(pid.to_string()).status().await?;
        }
        timeout(Duration::from_secs(30), self.process.wait())
            .await
            .context("the server did not stop within 30 s")??;
        Ok(())
    }
}

async fn spawn(data: &Path, listen: &str, options: &[String]) -> Result<(Child, String)> {
    let binary = binary();
    let mut process = Command::new(&binary)
        .args(["serve", "--stop-sandboxes-on-exit", "--listen", listen, "--data"])
        .arg(data)
        .args(options)
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(data.join("server.log"))?)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let stdout = process.stdout.take().context("no stdout")?;
    let mut lines = BufReader::new(stdout).lines();
    let address = timeout(Duration::from_mins(1), async {
        while let Some(line) = lines.next_line().await? {
            if let Some(at) = line.find("http://") {
                let address = line[at..].split_whitespace().next().unwrap_or_default();
                return Ok(address.trim_end_matches(['/', '.']).to_owned());
            }
        }
        bail!("the server ended: {}", std::fs::read_to_string(data.join("server.log")).unwrap_or_default())
    })
    .await
    .context("the server did not say its address within a minute")??;
    // Whatever else it prints must have a reader, or it would block.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((process, address))
}
