//! An agent in this process: the real frames and requests, and fake machines behind them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bulkhead_agent::{
    boot::{Boot, MachineKind},
    frame::{self, Kind},
    protocol::{
        Exec, ExecResult, Fault, FaultKind, MachineStatus, OuterLimits, PROTOCOL, Reply, Request, Response, Size,
        Status,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::{mpsc, watch},
};

use super::{
    Behaviour, lock,
    process::{Outbox, Process},
    shell::{self, Act},
};
use crate::engine::{Duplex, Limits};

/// As much as a Unix socket and the engine hold between them, about.
const PIPE: usize = 256 * 1024;

/// Clones are the same agent. It ends with the last clone.
#[derive(Clone)]
pub(super) struct Agent {
    machines: Arc<Machines>,
    /// Ends every stream: raised by one to hang up, closed when the sandbox is gone.
    streams: Arc<watch::Sender<u32>>,
}

struct Machines {
    boot: Boot,
    limits: Limits,
    behaviour: Arc<Mutex<Behaviour>>,
    last: AtomicU32,
    processes: Mutex<BTreeMap<u32, (Arc<Process>, tokio::task::AbortHandle)>>,
}

impl Drop for Machines {
    fn drop(&mut self) {
        for (_, task) in lock(&self.processes).values() {
            task.abort();
        }
    }
}

impl Agent {
    pub(super) fn boot(boot: Boot, limits: Limits, behaviour: Arc<Mutex<Behaviour>>) -> Self {
        let machines = Machines { boot, limits, behaviour, last: AtomicU32::new(0), processes: Mutex::default() };
        Self { machines: Arc::new(machines), streams: Arc::new(watch::Sender::new(0)) }
    }

    pub(super) fn connect(&self) -> Duplex {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let machines = Arc::clone(&self.machines);
        let mut hung_up = self.streams.subscribe();
        tokio::spawn(async move {
            let (reader, writer) = tokio::io::split(ours);
            let (outbox, frames) = mpsc::unbounded_channel();
            tokio::select! {
                () = read(reader, &machines, &outbox) => {}
                () = write(writer, frames) => {}
                _ = hung_up.changed() => {}
            }
            machines.forget_stream(&outbox);
        });
        Box::pin(theirs)
    }

    pub(super) fn hang_up(&self) {
        self.streams.send_modify(|count| *count += 1);
    }
}

async fn write(mut writer: WriteHalf<DuplexStream>, mut frames: mpsc::UnboundedReceiver<(Kind, u32, Vec<u8>)>) {
    while let Some((kind, channel, payload)) = frames.recv().await {
        let mut bytes = Vec::new();
        frame::encode(kind, channel, &payload, &mut bytes);
        if writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn read(mut reader: ReadHalf<DuplexStream>, machines: &Arc<Machines>, outbox: &Outbox) {
    let mut buffer = Vec::new();
    loop {
        match frame::decode(&buffer) {
            Err(_) => return,
            Ok(Some((frame, size))) => {
                buffer.drain(..size);
                machines.receive(frame.kind, frame.channel, frame.payload, outbox);
            }
            Ok(None) => match reader.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
        }
    }
}

impl Machines {
    fn receive(self: &Arc<Self>, kind: Kind, channel: u32, payload: Vec<u8>, outbox: &Outbox) {
        match kind {
            Kind::Request => match serde_json::from_slice(&payload) {
                Ok(request) => self.request(channel, request, outbox),
                Err(error) => respond(outbox, channel, Err(fault(FaultKind::Invalid, error.to_string()))),
            },
            Kind::Data => drop(self.process(channel).map(|process| process.press(payload))),
            Kind::Credit => {
                if let (Ok(process), Ok(more)) = (self.process(channel), <[u8; 4]>::try_from(payload)) {
                    process.credit(u32::from_be_bytes(more));
                }
            }
            Kind::Response | Kind::Event => {}
        }
    }

    fn request(self: &Arc<Self>, id: u32, request: Request, outbox: &Outbox) {
        let reply = match request {
            Request::Hello { protocol: PROTOCOL } => Ok(Reply::Done),
            Request::Hello { protocol } => {
                Err(fault(FaultKind::Invalid, format!("version {protocol} is not {PROTOCOL}")))
            }
            Request::Status => Ok(Reply::Status(self.status())),
            Request::Open(open) => {
                if let Err(fault) = self.machine(&open.machine) {
                    return respond(outbox, id, Err(fault));
                }
                let process = Arc::new(Process::new(self.last.fetch_add(1, Ordering::Relaxed) + 1, open));
                process.attach(outbox.clone(), |offset| {
                    respond(outbox, id, Ok(Reply::Process { process: process.id, offset }));
                });
                let running = Arc::clone(&process);
                let task = tokio::spawn(async move { running.run().await }).abort_handle();
                lock(&self.processes).insert(process.id, (process, task));
                return;
            }
            Request::Attach { process } => match self.process(process) {
                Ok(process) if process.is_terminal() => {
                    return process.attach(outbox.clone(), |offset| {
                        respond(outbox, id, Ok(Reply::Process { process: process.id, offset }));
                    });
                }
                Ok(_) => Err(fault(FaultKind::Invalid, "it is not a terminal")),
                Err(fault) => Err(fault),
            },
            Request::Processes => {
                let processes = lock(&self.processes).values().map(|(process, _)| process.info()).collect();
                Ok(Reply::Processes { processes })
            }
            Request::Resize { process, cols, rows } => self.process(process).map(|process| {
                process.resize(Size { cols, rows });
                Reply::Done
            }),
            Request::Close { process } => {
                if let Some((_, task)) = lock(&self.processes).remove(&process) {
                    task.abort();
                }
                Ok(Reply::Done)
            }
            Request::Exec(exec) => {
                let (machines, outbox) = (Arc::clone(self), outbox.clone());
                tokio::spawn(async move { respond(&outbox, id, machines.exec(exec).await) });
                return;
            }
            Request::Observe { looks } => {
                let look = Arc::clone(&lock(&self.behaviour).look);
                Ok(Reply::Observe { seen: looks.iter().map(|one| look(one)).collect() })
            }
            Request::Link { machine, .. } => self.machine(&machine).map(|()| Reply::Done),
        };
        respond(outbox, id, reply);
    }

    fn machine(&self, name: &str) -> Result<(), Fault> {
        let known = self.boot.machines.iter().any(|machine| machine.name == name);
        known.then_some(()).ok_or_else(|| fault(FaultKind::NotFound, format!("there is no machine {name}")))
    }

    fn process(&self, id: u32) -> Result<Arc<Process>, Fault> {
        let process = lock(&self.processes).get(&id).map(|(process, _)| Arc::clone(process));
        process.ok_or_else(|| fault(FaultKind::NotFound, format!("there is no process {id}")))
    }

    fn status(&self) -> Status {
        let Behaviour { engine_ready, limits_percent, .. } = *lock(&self.behaviour);
        let part = |asked: u64| Some(asked * limits_percent / 100);
        let machines = self.boot.machines.iter().map(|machine| MachineStatus {
            name: machine.name.clone(),
            up: true,
            engine: engine_ready && machine.kind == MachineKind::DockerHost,
            memory_bytes: part(machine.memory_bytes),
            pids: part(machine.pids.into()),
            disk_bytes: part(machine.disk_bytes),
            memory_used_bytes: 0,
            pids_used: 0,
            disk_used_bytes: 0,
            restarts: 0,
        });
        Status {
            protocol: PROTOCOL,
            sandbox: self.boot.sandbox.clone(),
            generation: self.boot.generation,
            cgroup_version: 2,
            kernel: "fake".to_owned(),
            machines: machines.collect(),
            outer: OuterLimits {
                memory_bytes: part(self.limits.memory_bytes),
                swap_bytes: Some(0),
                pids: part(self.limits.pids.into()),
                milli_cpus: part(self.limits.milli_cpus.into()),
            },
        }
    }

    async fn exec(&self, exec: Exec) -> Response {
        self.machine(&exec.machine)?;
        let answer = Arc::clone(&lock(&self.behaviour).exec);
        if let Some(result) = answer(&exec) {
            return Ok(Reply::Exec(result));
        }
        let began = Instant::now();
        let (mut stdout, mut code) = (String::new(), 0);
        let within = Duration::from_millis(exec.timeout_ms.into());
        let env = exec.env.into_iter().collect();
        let timed_out = tokio::time::timeout(within, async {
            for act in shell::plan(&exec.argv, &env) {
                match act {
                    Act::Print(text) => stdout.push_str(&text),
                    Act::Sleep(time) => tokio::time::sleep(time).await,
                    Act::Cat => stdout.push_str(&exec.stdin),
                    Act::Size => stdout.push_str("0 0\n"),
                    Act::Code(last) => code = last,
                    Act::Exit(last) => {
                        code = last;
                        break;
                    }
                }
            }
        })
        .await
        .is_err();
        let limit = exec.limit as usize;
        let truncated = stdout.len() > limit;
        stdout.truncate(stdout.floor_char_boundary(limit));
        let code = if timed_out { 137 } else { code };
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Reply::Exec(ExecResult { code, stdout, stderr: String::new(), truncated, timed_out, millis }))
    }

    /// Piped processes end with their stream; terminals stay.
    fn forget_stream(&self, outbox: &Outbox) {
        lock(&self.processes).retain(|_, (process, task)| {
            let gone = process.detach(outbox) && !process.is_terminal();
            if gone {
                task.abort();
            }
            !gone
        });
    }
}

fn fault(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault { kind, message: message.into() }
}

fn respond(outbox: &Outbox, id: u32, response: Response) {
    if let Ok(json) = serde_json::to_vec(&response) {
        let _gone = outbox.send((Kind::Response, id, json));
    }
}
