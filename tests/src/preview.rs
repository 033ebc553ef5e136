//! `bulkhead content preview --watch` on a copy of the course, ended by its id.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::server::binary;

pub struct Preview {
    pub address: String,
    process: Child,
    folder: TempDir,
    said: Arc<Mutex<String>>,
}

impl Preview {
    pub async fn start() -> Result<Self> {
        let folder = TempDir::with_prefix("bulkhead-course-")?;
        let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/course");
        copy(&course, folder.path())?;
        let mut process = Command::new(binary())
            .args(["content", "preview", "--watch", "--listen", "127.0.0.1:0", "--course"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the preview")?;
        let mut lines = BufReader::new(process.stdout.take().context("no stdout")?).lines();
        let said = Arc::new(Mutex::new(String::new()));
        let address = timeout(Duration::from_mins(1), address(&mut lines, &said))
            .await
            .context("the preview did not say its address within a minute")??;
        let heard = Arc::clone(&said);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                keep(&heard, &line);
            }
        });
        Ok(Self { address, process, folder, said })
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A file of the course.
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// What it has printed so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub async fn stop(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}

async fn address(lines: &mut Lines<BufReader<ChildStdout>>, said: &Mutex<String>) -> Result<String> {
    while let Some(line) = lines.next_line().await? {
        keep(said, &line);
        if let Some(at) = line.find("http://") {
            let address = line[at..].split_whitespace().next().unwrap_or_default();
            return Ok(address.trim_end_matches('/').to_owned());
        }
    }
    bail!("the preview ended");
}

fn keep(said: &Mutex<String>, line: &str) {
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    said.push_str(line);
    said.push('\n');
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
