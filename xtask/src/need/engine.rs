//! A container engine: the one that answers, or one that is started here.

use std::{
    fs::File,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::packages::{self, Group};
use crate::shell::{command, root, run, say, target, which};

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The engine that DOCKER_HOST or the default socket leads to, if it answers.
fn answering() -> Option<String> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| format!("unix://{DEFAULT_SOCKET}"));
    let Some(socket) = host.strip_prefix("unix://") else { return Some(host) };
    UnixStream::connect(socket).is_ok().then_some(host)
}

/// For `up`: an engine that stays, at the default socket.
pub(crate) fn ensure_for_serving(yes: bool) -> Result<String> {
    if let Some(host) = answering() {
        return Ok(host);
    }
    if Path::new(DEFAULT_SOCKET).exists() && !packages::is_root()? {
        bail!(
            "A Docker engine is there, but you may not talk to it. Type this, log in again, and run this again:\n\n    sudo usermod -aG docker \"$USER\"\n"
        );
    }
    packages::ensure(&[Group::Engine], yes)?;
    if let Some(host) = answering() {
        return Ok(host);
    }
    if !packages::is_root()? {
        bail!("No container engine answers. Type this and run this again:\n\n    sudo systemctl start docker\n");
    }
    if !super::allowed("No container engine answers. Start one now?", yes) {
        bail!("Start an engine and run this again:\n\n    systemctl start docker\n");
    }
    if Path::new("/run/systemd/system").exists() {
        run("Start the engine", command("systemctl").args(["start", "docker"]))?;
    } else {
        let log = root().join(".bulkhead/engine.log");
        std::fs::create_dir_all(root().join(".bulkhead"))?;
        let dockerd = which("dockerd").context("dockerd is not installed")?;
        let engine = detached(Command::new(dockerd), &log)?;
        say(&format!(
            "Started a container engine (pid {}, log {}). It stays; stop it with: kill {}",
            engine.id(),
            log.display(),
            engine.id()
        ));
    }
    let host = format!("unix://{DEFAULT_SOCKET}");
    wait_for(Path::new(DEFAULT_SOCKET), &root().join(".bulkhead/engine.log"))?;
    Ok(host)
}

/// An engine for the tests: the one that answers, or one with its own data root and socket that ends with this value.
pub(crate) struct TestEngine {
    pub(crate) host: String,
    own: Option<(Child, PathBuf)>,
}

impl TestEngine {
    pub(crate) fn start(yes: bool) -> Result<Self> {
        if let Some(host) = answering() {
            say(&format!("Using the container engine at {host}."));
            return Ok(Self { host, own: None });
        }
        packages::ensure(&[Group::Engine], yes)?;
        if !packages::is_root()? {
            bail!("The tests need a container engine. Start one (sudo systemctl start docker) or run them as root.");
        }
        // Not under the checkout: a socket's path has at most 107 bytes.
        let run_folder = PathBuf::from(format!("/run/bulkhead-test-{}", std::process::id()));
        std::fs::create_dir_all(&run_folder)?;
        let socket = run_folder.join("docker.sock");
        let host = format!("unix://{}", socket.display());
        let data = target().join("test-engine");
        std::fs::create_dir_all(&data)?;
        let log = data.join("engine.log");
        let mut dockerd = Command::new(which("dockerd").context("dockerd is not installed")?);
        dockerd
            .arg("--host")
            .arg(&host)
            .arg("--data-root")
            .arg(data.join("data"))
            .arg("--exec-root")
            .arg(run_folder.join("exec"))
            .arg("--pidfile")
            .arg(run_folder.join("pid"));
        let child = detached(dockerd, &log)?;
        let engine = Self { host, own: Some((child, run_folder)) };
        wait_for(&socket, &log)?;
        say(&format!("Started a container engine for the tests at {}.", engine.host));
        Ok(engine)
    }
}

impl Drop for TestEngine {
    fn drop(&mut self) {
        let Some((child, folder)) = &mut self.own else { return };
        // SIGTERM by its id: dockerd then ends its containers and its containerd.
        let _ = command("kill").arg(child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(100));
        }
        let _ = child.kill();
        let _ = child.wait();
        // An engine that was killed leaves its network namespace mounted, and a mount keeps its folder.
        let _ = command("umount").arg(folder.join("exec/netns/default")).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn detached(mut program: Command, log: &Path) -> Result<Child> {
    use std::os::unix::process::CommandExt as _;
    let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    // Its own process group: Ctrl-C at the terminal is for us, not for the engine under the sandboxes.
    program.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    program.spawn().with_context(|| format!("cannot start {}", program.get_program().display()))
}

fn wait_for(socket: &Path, log: &Path) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while Instant::now() < deadline {
        if ping(socket) {
            return Ok(());
        }
        sleep(Duration::from_millis(50));
    }
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let tail: Vec<&str> = text.lines().rev().take(15).collect();
    bail!(
        "the container engine did not answer within a minute; its last words:\n{}",
        tail.into_iter().rev().collect::<Vec<_>>().join("\n")
    )
}

fn ping(socket: &Path) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = UnixStream::connect(socket) else { return false };
    let mut head = [0; 12];
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n").is_ok()
        && stream.read_exact(&mut head).is_ok()
        && head.ends_with(b"200")
}
