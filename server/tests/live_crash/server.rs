//! The real server as a process of its own, on a data folder that outlives it.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use bulkhead::{
    random::Random,
    store::{AttemptId, AttemptState, DatabaseUrl, Store},
};
use bulkhead_app::api::{
    lab::{LabEvent, SandboxState, SandboxView, ScoreView, Verdict},
    terminal::{FromBrowser, SNAPSHOT},
};
use bulkhead_labs::engine::{DockerEngine, SandboxEngine};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use crate::wire::{Socket, Stream, post};

pub(crate) const LAB: &str = "read-only-but-alive";
const PATIENCE: Duration = Duration::from_mins(1);

/// The machine's engine, with the images that the lab needs.
pub(crate) struct Machine(());

impl Machine {
    /// `None`: this machine cannot, and need not.
    pub(crate) async fn find() -> Option<Self> {
        let status = binary().args(["images", "status"]).output().await.expect("the binary runs");
        if status.status.success() {
            return Some(Self(()));
        }
        let said = format!("{}{}", String::from_utf8_lossy(&status.stdout), String::from_utf8_lossy(&status.stderr));
        let required = std::env::var_os("BULKHEAD_TEST_ENGINE").is_some_and(|word| word == "required");
        assert!(!required, "an engine with built images is required: {said}");
        let _gone = writeln!(std::io::stderr(), "SKIPPED: there is no engine with built images here: {said}");
        None
    }

    /// Ids of the sandboxes that a data folder's installation has on the engine.
    pub(crate) async fn sandboxes(&self, data: &Ungoverned) -> Vec<String> {
        let engine = DockerEngine::connect(&data.instance().await, None).await.expect("an engine");
        engine.list().await.expect("a list").into_iter().map(|found| found.id.to_string()).collect()
    }
}

/// A data folder between two servers. Dropped, it leaves nothing on the engine.
pub(crate) struct Ungoverned(PathBuf);

impl Ungoverned {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("bulkhead-crash-{}", Random::system().hex::<6>()));
        std::fs::create_dir_all(&folder).expect("a scratch folder");
        Self(folder)
    }

    async fn store(&self) -> Store {
        Store::open(&DatabaseUrl::sqlite_file(&self.0.join("bulkhead.db"))).await.expect("the database")
    }

    async fn instance(&self) -> String {
        self.store().await.sandboxes().key("instance", "none").await.expect("the instance")
    }

    /// What became of every attempt that was ever begun.
    pub(crate) async fn attempts(&self) -> Vec<&'static str> {
        let store = self.store().await;
        let mut all = Vec::new();
        for id in 1.. {
            let Some(attempt) = store.attempts().by_id(AttemptId::new(id)).await.expect("asked") else { break };
            all.push(match attempt.state {
                AttemptState::Running(_) => "running",
                AttemptState::Done(_) => "done",
                AttemptState::Abandoned { .. } => "abandoned",
            });
        }
        all
    }
}

impl Drop for Ungoverned {
    fn drop(&mut self) {
        // A test that failed may have left a sandbox; its server would have stopped it.
        let folder = self.0.clone();
        let swept = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let data = Self(folder.clone());
                let instance = data.instance().await;
                std::mem::forget(data);
                if let Ok(engine) = DockerEngine::connect(&instance, None).await {
                    for found in engine.list().await.unwrap_or_default() {
                        let _gone = engine.destroy(&found.id).await;
                    }
                }
            });
            std::fs::remove_dir_all(folder)
        });
        let _swept = swept.join();
    }
}

pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bulkhead"))
}

impl Server {
    pub(crate) async fn start(data: &Ungoverned) -> Self {
        Self::spawn(data, None).await
    }

    /// Dies there as `kill -9` would have it.
    pub(crate) async fn crashing_at(data: &Ungoverned, step: &str) -> Self {
        Self::spawn(data, Some(step)).await
    }

    async fn spawn(data: &Ungoverned, crash: Option<&str>) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(data.0.join("server.log")).expect("a log");
        let mut command = binary();
        command
            .args(["serve", "--local", "--stop-sandboxes-on-exit", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data.0)
            .env_remove("BULKHEAD_TEST_CRASH_AT")
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        if let Some(step) = crash {
            command.env("BULKHEAD_TEST_CRASH_AT", step);
        }
        let mut process = command.spawn().expect("the server starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let said = timeout(PATIENCE, lines.next_line()).await.expect("an address in time").expect("read");
        let said = said
            .unwrap_or_else(|| panic!("the server ended: {:?}", std::fs::read_to_string(data.0.join("server.log"))));
        let address = said.rsplit("http://").next().and_then(|at| at.trim_end_matches('/').parse().ok());
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, address: address.unwrap_or_else(|| panic!("no address in {said:?}")) }
    }

    /// Calls a server function. A server that dies meanwhile does not answer.
    pub(crate) async fn ask(&self, function: &str, form: &str) {
        if let Some(answer) = post(self.address, &format!("/api/{function}"), form).await {
            assert!(answer.starts_with("HTTP/1.1 200"), "{function}: {answer}");
        }
    }

    pub(crate) async fn until_dead(mut self) {
        let ended =
            timeout(PATIENCE, self.process.wait()).await.expect("the server dies at that step").expect("waited");
        assert!(!ended.success(), "it was to die, and ended in order");
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.expect("killed");
    }

    /// In order, and its sandboxes with it.
    pub(crate) async fn stop(mut self) {
        let pid = self.process.id().expect("it runs").to_string();
        let told = Command::new("kill").arg(pid).status().await.expect("told");
        assert!(told.success());
        let ended = timeout(PATIENCE, self.process.wait()).await.expect("an end in time").expect("waited");
        assert!(ended.success(), "{ended}");
    }

    /// The lab's state as a page gets it.
    async fn state(&self) -> Vec<LabEvent> {
        let (head, mut stream) = Stream::open(self.address, "none=1", LAB).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let mut events = Vec::new();
        loop {
            let event = stream.next().await;
            let last = matches!(event, LabEvent::Solution { .. });
            events.push(event);
            if last {
                return events;
            }
        }
    }

    async fn until_state<T>(&self, what: &str, wanted: impl Fn(&LabEvent) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            let state = self.state().await;
            if let Some(found) = state.iter().find_map(&wanted) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{what} never came: {state:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn until(&self, wanted: SandboxState) -> SandboxView {
        self.until_state("the sandbox's state", |event| match event {
            LabEvent::Sandbox { sandbox: Some(sandbox) }
                if sandbox.state == wanted && (wanted != SandboxState::Ready || !sandbox.terminals.is_empty()) =>
            {
                Some(sandbox.clone())
            }
            LabEvent::Sandbox { sandbox: Some(sandbox) } if sandbox.state == SandboxState::Failed => {
                panic!("it failed: {sandbox:?}")
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn until_none(&self) {
        self.until_state("the end of the sandbox", |event| {
            matches!(event, LabEvent::Sandbox { sandbox: None }).then_some(())
        })
        .await;
    }

    pub(crate) async fn until_attempts(&self, wanted: u32) -> ScoreView {
        self.until_state("the attempt", |event| match event {
            LabEvent::Score { score, attempts, .. } if *attempts == wanted => Some(score.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn verdicts(&self) -> Vec<Option<Verdict>> {
        let state = self.state().await.into_iter();
        state
            .filter_map(|event| match event {
                LabEvent::Check { check, .. } => Some(check.verdict),
                _ => None,
            })
            .collect()
    }

    pub(crate) async fn shell(&self, sandbox: &SandboxView) -> Shell {
        let terminal = sandbox.terminals.first().expect("a terminal").id;
        let path = format!("/ws/sandbox/{}/terminal/{terminal}", sandbox.id);
        let socket = Socket::open(self.address, "none=1", &path, &format!("http://{}", self.address)).await;
        Shell { socket: socket.expect("a socket"), seen: String::new() }
    }
}

/// A terminal's socket, and what came through it.
pub(crate) struct Shell {
    socket: Socket,
    seen: String,
}

impl Shell {
    pub(crate) async fn type_in(&mut self, keys: &str) {
        self.seen.clear();
        self.socket.type_in(keys).await;
    }

    /// What the first message draws.
    pub(crate) async fn first_picture(&mut self) -> String {
        let bytes = self.next().await;
        assert_eq!(bytes[0], SNAPSHOT);
        String::from_utf8_lossy(&bytes[1..]).into_owned()
    }

    pub(crate) async fn until(&mut self, text: &str) {
        let start = Instant::now();
        while !self.seen.contains(text) {
            assert!(start.elapsed() < PATIENCE, "{text:?} never came: {:?}", self.seen);
            self.next().await;
        }
    }

    /// What was printed (not typed) between two marks.
    pub(crate) async fn until_between(&mut self, before: &str, after: &str) -> String {
        let start = Instant::now();
        loop {
            let found = self.seen.match_indices(before).find_map(|(at, _)| {
                let (number, _) = self.seen[at + before.len()..].split_once(after)?;
                (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| number.to_owned())
            });
            if let Some(found) = found {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{before:?} never came: {:?}", self.seen);
            self.next().await;
        }
    }

    async fn next(&mut self) -> Vec<u8> {
        // The server's pings are messages too, and prove nothing about the shell.
        let bytes = timeout(PATIENCE, self.bytes()).await;
        bytes.unwrap_or_else(|_| panic!("nothing more came after {:?}", self.seen))
    }

    async fn bytes(&mut self) -> Vec<u8> {
        loop {
            match self.socket.next().await {
                Some(Message::Binary(bytes)) => {
                    let acknowledged = FromBrowser::Ack { bytes: u32::try_from(bytes.len() - 1).expect("a length") };
                    self.socket.say(&acknowledged).await;
                    self.seen.push_str(&String::from_utf8_lossy(&bytes[1..]));
                    return bytes.to_vec();
                }
                Some(_) => {}
                None => panic!("the socket ended after {:?}", self.seen),
            }
        }
    }
}
