//! A fake machine's processes: what they printed, who looks, and how much may still be sent there.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use bulkhead_agent::{
    frame::Kind,
    protocol::{Event, INITIAL_CREDIT, Open, ProcessInfo, RING, Size},
};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};

use super::{
    lock,
    shell::{self, Act},
};

/// Frames to one stream.
pub(super) type Outbox = mpsc::UnboundedSender<(Kind, u32, Vec<u8>)>;

pub(super) struct Process {
    pub(super) id: u32,
    open: Open,
    state: Mutex<State>,
    /// Credit came, or another viewer.
    changed: Notify,
    input: AsyncMutex<mpsc::UnboundedReceiver<Vec<u8>>>,
    keys: mpsc::UnboundedSender<Vec<u8>>,
}

struct State {
    size: Option<Size>,
    ring: VecDeque<u8>,
    printed: u64,
    exited: Option<i32>,
    viewer: Option<Viewer>,
}

struct Viewer {
    outbox: Outbox,
    credit: usize,
}

impl Process {
    pub(super) fn new(id: u32, open: Open) -> Self {
        let (keys, input) = mpsc::unbounded_channel();
        let state = State { size: open.tty, ring: VecDeque::new(), printed: 0, exited: None, viewer: None };
        Self { id, open, state: Mutex::new(state), changed: Notify::new(), input: AsyncMutex::new(input), keys }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.open.tty.is_some()
    }

    /// Sends the ring to a new viewer and returns where it begins; the one before is told.
    pub(super) fn attach(&self, outbox: Outbox, respond: impl FnOnce(u64)) {
        let mut state = lock(&self.state);
        if let Some(before) = state.viewer.take()
            && !before.outbox.same_channel(&outbox)
        {
            event(&before.outbox, self.id, &Event::Detached);
        }
        let ring: Vec<u8> = state.ring.iter().copied().collect();
        respond(state.printed - ring.len() as u64);
        for piece in ring.chunks(16 * 1024) {
            let _gone = outbox.send((Kind::Data, self.id, piece.to_vec()));
        }
        if let Some(code) = state.exited {
            event(&outbox, self.id, &Event::Exited { code, stderr: String::new() });
        }
        state.viewer = Some(Viewer { outbox, credit: INITIAL_CREDIT as usize - ring.len() });
        self.changed.notify_one();
    }

    /// That stream is gone.
    pub(super) fn detach(&self, outbox: &Outbox) -> bool {
        let mut state = lock(&self.state);
        let was = state.viewer.as_ref().is_some_and(|viewer| viewer.outbox.same_channel(outbox));
        if was {
            state.viewer = None;
            self.changed.notify_one();
        }
        was
    }

    pub(super) fn credit(&self, more: u32) {
        if let Some(viewer) = &mut lock(&self.state).viewer {
            viewer.credit += more as usize;
        }
        self.changed.notify_one();
    }

    pub(super) fn resize(&self, size: Size) {
        lock(&self.state).size = Some(size);
    }

    /// Nothing waits here, so the credit goes back at once.
    pub(super) fn press(&self, bytes: Vec<u8>) {
        if let (Some(viewer), Ok(taken)) = (&lock(&self.state).viewer, u32::try_from(bytes.len())) {
            let _gone = viewer.outbox.send((Kind::Credit, self.id, taken.to_be_bytes().to_vec()));
        }
        let _ended = self.keys.send(bytes);
    }

    pub(super) fn info(&self) -> ProcessInfo {
        let state = lock(&self.state);
        ProcessInfo {
            process: self.id,
            machine: self.open.machine.clone(),
            uid: self.open.uid,
            tty: state.size,
            offset: state.printed,
            exited: state.exited,
        }
    }

    /// Runs to the end.
    pub(super) async fn run(&self) {
        let code = if self.is_terminal() && self.open.argv.is_empty() {
            self.interact().await
        } else {
            self.run_command().await
        };
        let mut state = lock(&self.state);
        state.exited = Some(code);
        if let Some(viewer) = &state.viewer {
            event(&viewer.outbox, self.id, &Event::Exited { code, stderr: String::new() });
        }
    }

    async fn run_command(&self) -> i32 {
        let plan = shell::plan(&self.open.argv, &BTreeMap::new());
        self.act(plan).await.unwrap_or_else(|code| code)
    }

    /// A login shell: echoes keys, runs each line.
    async fn interact(&self) -> i32 {
        let mut line = Vec::new();
        self.print(b"$ ").await;
        loop {
            let Some(keys) = self.input.lock().await.recv().await else { return 129 };
            for key in keys {
                if !matches!(key, b'\n' | b'\r') {
                    line.push(key);
                    self.print(&[key]).await;
                    continue;
                }
                self.print(b"\r\n").await;
                let command = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                if let Err(code) = self.act(shell::script_plan(&command, &BTreeMap::new())).await {
                    return code;
                }
                self.print(b"$ ").await;
            }
        }
    }

    /// `Err` when the shell was told to exit.
    async fn act(&self, plan: Vec<Act>) -> Result<i32, i32> {
        let mut last = 0;
        for act in plan {
            match act {
                Act::Print(text) if self.is_terminal() => self.print(text.replace('\n', "\r\n").as_bytes()).await,
                Act::Print(text) => self.print(text.as_bytes()).await,
                Act::Sleep(time) => tokio::time::sleep(time).await,
                Act::Cat => {
                    while let Some(bytes) = self.input.lock().await.recv().await.filter(|bytes| !bytes.is_empty()) {
                        self.print(&bytes).await;
                    }
                }
                Act::Size => {
                    let Size { cols, rows } = lock(&self.state).size.unwrap_or(Size { cols: 0, rows: 0 });
                    self.print(format!("{rows} {cols}\r\n").as_bytes()).await;
                }
                Act::Code(code) => last = code,
                Act::Exit(code) => return Err(code),
            }
        }
        Ok(last)
    }

    /// Waits for credit while somebody looks.
    async fn print(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let changed = self.changed.notified();
            let sent = {
                let mut state = lock(&self.state);
                let room =
                    state.viewer.as_ref().map_or(bytes.len(), |viewer| viewer.credit.min(bytes.len()).min(16 * 1024));
                let (now, later) = bytes.split_at(room);
                if room > 0 {
                    state.keep(now);
                    if let Some(viewer) = &mut state.viewer {
                        viewer.credit -= room;
                        let _gone = viewer.outbox.send((Kind::Data, self.id, now.to_vec()));
                    }
                }
                bytes = later;
                room
            };
            if sent == 0 {
                changed.await;
            }
        }
    }
}

impl State {
    fn keep(&mut self, bytes: &[u8]) {
        self.ring.extend(bytes);
        let beyond = self.ring.len().saturating_sub(RING);
        self.ring.drain(..beyond);
        self.printed += bytes.len() as u64;
    }
}

fn event(outbox: &Outbox, process: u32, event: &Event) {
    if let Ok(json) = serde_json::to_vec(event) {
        let _gone = outbox.send((Kind::Event, process, json));
    }
}
