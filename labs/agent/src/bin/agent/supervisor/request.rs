//! What the platform asks, and where its answers go.

use std::{fmt::Display, time::Instant};

use bulkhead_agent::{
    frame::{Frame, Kind},
    look::{Look, Seen},
    protocol::{Event, Fault, FaultKind, Open, PROTOCOL, ProcessInfo, Reply, Request, Response, Size},
};
use nix::{fcntl::OFlag, unistd::pipe2};

use super::{
    Supervisor,
    job::{Answer, For, Task},
    process::{Ends, Phase, Process},
    stream::StreamId,
};
use crate::{
    enter::{self, Command, Stdio},
    exec,
    fault::{Doing, Outcome, fault},
    sys::{descriptor, terminal},
};

/// Open at once, over all machines.
const MOST_PROCESSES: usize = 48;
const MOST_LOOKS: usize = 256;

/// The answers to one request for looks, as far as they are there.
pub(super) struct Batch {
    seen: Vec<Option<Result<Seen, Fault>>>,
}

fn missing(what: impl Display) -> Fault {
    fault(FaultKind::NotFound, format!("there is no {what}"))
}

impl Supervisor {
    pub(super) fn frame(&mut self, id: StreamId, frame: Frame) {
        match frame.kind {
            Kind::Request => self.request(id, frame.channel, &frame.payload),
            Kind::Data => self.input(id, frame.channel, &frame.payload),
            Kind::Credit => self.credit(id, frame.channel, &frame.payload),
            Kind::Response | Kind::Event => self.end_stream(id),
        }
    }

    fn request(&mut self, id: StreamId, channel: u32, payload: &[u8]) {
        let greeted = self.streams.get(&id).is_some_and(|stream| stream.greeted);
        let request = serde_json::from_slice(payload)
            .map_err(|error| fault(FaultKind::Invalid, format!("not a request: {error}")));
        let response = match request {
            Ok(Request::Hello { protocol }) => self.hello(id, protocol).map(Some),
            Ok(_) if !greeted => Err(fault(FaultKind::Invalid, "say hello first")),
            Ok(request) => self.answer(id, channel, request),
            Err(fault) => Err(fault),
        };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match response {
            Ok(Some(reply)) => stream.answer(channel, &Ok(reply)),
            Ok(None) => {}
            Err(fault) => stream.answer(channel, &Err(fault)),
        }
        if !stream.greeted {
            stream.end_after_this();
        }
    }

    fn hello(&mut self, id: StreamId, protocol: u32) -> Outcome<Reply> {
        if protocol != PROTOCOL {
            return Err(fault(FaultKind::Invalid, format!("this agent speaks protocol {PROTOCOL}, not {protocol}")));
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.greeted = true;
        }
        Ok(Reply::Done)
    }

    /// `None`: the answer comes later.
    fn answer(&mut self, id: StreamId, channel: u32, request: Request) -> Outcome<Option<Reply>> {
        let whose = For { stream: id, request: channel, part: 0 };
        match request {
            Request::Hello { .. } => Ok(Some(Reply::Done)),
            Request::Status => self.jobs.add(Task::Status, whose).map(|()| None),
            Request::Exec(exec) => self.jobs.add(Task::Exec(exec), whose).map(|()| None),
            Request::Observe { looks } => self.observe(whose, looks),
            Request::Open(open) => self.open(id, channel, open).map(|()| None),
            Request::Attach { process } => self.attach(id, process).map(Some),
            Request::Processes => Ok(Some(self.list())),
            Request::Resize { process, cols, rows } => self.resize(process, Size { cols, rows }).map(Some),
            Request::Close { process } => {
                self.end_process(process);
                Ok(Some(Reply::Done))
            }
            Request::Link { machine, network, up } => {
                let found = self.sandbox.machines.iter_mut().find(|found| found.spec.name == machine);
                let found = found.ok_or_else(|| missing(format!("machine {machine}")))?;
                match (found.set_link(network.as_deref(), up)?, network) {
                    (false, Some(network)) => Err(missing(format!("cable from {machine} to {network}"))),
                    _ => Ok(Some(Reply::Done)),
                }
            }
        }
    }

    fn open(&mut self, stream: StreamId, request: u32, open: Open) -> Outcome<()> {
        let (index, machine) =
            self.sandbox.machine(&open.machine).ok_or_else(|| missing(format!("machine {}", open.machine)))?;
        if self.processes.len() >= MOST_PROCESSES {
            return Err(fault(FaultKind::Exhausted, format!("{MOST_PROCESSES} terminals and pipes are open already")));
        }
        let (stdio, ends) = match open.tty {
            Some(size) => (Stdio::Terminal(size), Ends::Terminal { master: None, size }),
            None => pipes()?,
        };
        let command = Command { uid: open.uid, argv: open.argv, env: Vec::new(), stdio };
        let launch = enter::launch(machine, &self.sandbox.cgroups, &command)?;
        let phase = Phase::Starting { launch, deadline: Instant::now() + exec::LAUNCH, stream, request };
        let id = self.fresh_id();
        self.processes.insert(id, Process::new(index, open.uid, phase, ends, stream));
        Ok(())
    }

    fn attach(&mut self, stream: StreamId, id: u32) -> Outcome<Reply> {
        let process = self
            .processes
            .get_mut(&id)
            .filter(|process| process.is_running())
            .ok_or_else(|| missing(format!("process {id}")))?;
        if !process.is_terminal() {
            return Err(fault(FaultKind::Invalid, "pipes belong to the stream that opened them"));
        }
        let before = process.attached.as_ref().map(|attached| attached.stream).filter(|before| *before != stream);
        let offset = process.attach(stream);
        if let Some(before) = before.and_then(|before| self.streams.get_mut(&before)) {
            before.event(id, &Event::Detached);
        }
        Ok(Reply::Process { process: id, offset })
    }

    fn list(&self) -> Reply {
        let name = |index: usize| {
            self.sandbox.machines.get(index).map(|machine| machine.spec.name.clone()).unwrap_or_default()
        };
        let running = self.processes.iter().filter(|(_, process)| process.is_running());
        let info = |(id, process): (&u32, &Process)| ProcessInfo {
            process: *id,
            machine: name(process.machine),
            uid: process.uid,
            tty: process.size(),
            offset: process.ring.end(),
            exited: process.exit,
        };
        Reply::Processes { processes: running.map(info).collect() }
    }

    fn resize(&mut self, id: u32, to: Size) -> Outcome<Reply> {
        match self.processes.get_mut(&id).map(|process| &mut process.ends) {
            Some(Ends::Terminal { master, size }) => {
                *size = to;
                if let Some(master) = master {
                    terminal::resize(master, to).doing(|| "resize the terminal".into())?;
                }
                Ok(Reply::Done)
            }
            _ => Err(missing(format!("terminal {id}"))),
        }
    }

    fn observe(&mut self, whose: For, looks: Vec<Look>) -> Outcome<Option<Reply>> {
        if looks.len() > MOST_LOOKS {
            return Err(fault(FaultKind::Invalid, format!("{} looks at once, at most {MOST_LOOKS}", looks.len())));
        }
        if looks.is_empty() {
            return Ok(Some(Reply::Observe { seen: Vec::new() }));
        }
        let mut batch = Batch { seen: vec![None; looks.len()] };
        for (part, (look, seen)) in looks.into_iter().zip(&mut batch.seen).enumerate() {
            if let Err(fault) = self.jobs.add(Task::Look(look), For { part, ..whose }) {
                *seen = Some(Err(fault));
            }
        }
        if batch.seen.iter().all(Option::is_some) {
            return Err(fault(FaultKind::Exhausted, "too many requests are waiting"));
        }
        self.batches.insert((whose.stream, whose.request), batch);
        Ok(None)
    }

    /// Brings a job's answer to who asked.
    pub(super) fn deliver(&mut self, whose: For, answer: Answer) {
        let key = (whose.stream, whose.request);
        let Some(stream) = self.streams.get_mut(&whose.stream) else { return };
        let Some(batch) = self.batches.get_mut(&key) else {
            match answer {
                Ok(encoded) => stream.answer_encoded(whose.request, encoded),
                Err(fault) => stream.answer(whose.request, &Err(fault)),
            }
            return;
        };
        let seen = answer.and_then(|bytes| {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|error| Err(fault(FaultKind::Failed, format!("a look was not understood: {error}"))))
        });
        if let Some(place) = batch.seen.get_mut(whose.part) {
            *place = Some(seen);
        }
        if batch.seen.iter().all(Option::is_some) {
            let response: Option<Response> = self
                .batches
                .remove(&key)
                .map(|batch| Ok(Reply::Observe { seen: batch.seen.into_iter().flatten().collect() }));
            if let Some(response) = response {
                stream.answer(whose.request, &response);
            }
        }
    }

    fn input(&mut self, stream: StreamId, id: u32, bytes: &[u8]) {
        let attached =
            |process: &&mut Process| process.attached.as_ref().is_some_and(|attached| attached.stream == stream);
        if let Some(process) = self.processes.get_mut(&id).filter(attached)
            && !process.take_input(bytes)
        {
            crate::log::say("a process got more input than its credit and was ended");
            self.end_process(id);
            if let Some(stream) = self.streams.get_mut(&stream) {
                let stderr = "it got more input than its credit".to_owned();
                stream.event(id, &Event::Exited { code: KILLED, stderr });
            }
        }
    }

    fn credit(&mut self, stream: StreamId, id: u32, payload: &[u8]) {
        let Ok(more) = payload.try_into().map(u32::from_be_bytes) else { return self.end_stream(stream) };
        if let Some(attached) = self
            .processes
            .get_mut(&id)
            .and_then(|process| process.attached.as_mut())
            .filter(|attached| attached.stream == stream)
        {
            attached.credit = attached.credit.saturating_add(more.into());
        }
    }
}

/// 128 + SIGKILL.
const KILLED: i32 = 137;

fn pipes() -> Outcome<(Stdio, Ends)> {
    let pipe = || pipe2(OFlag::O_CLOEXEC).doing(|| "make a pipe".into());
    let ((input, to_input), (from_output, output), (from_errors, errors)) = (pipe()?, pipe()?, pipe()?);
    for end in [&to_input, &from_output, &from_errors] {
        descriptor::nonblocking(end).doing(|| "prepare a pipe".into())?;
    }
    let ends = Ends::Pipes {
        input: Some(to_input),
        output: Some(from_output),
        errors: Some(from_errors),
        tail: Process::new_tail(),
    };
    Ok((Stdio::Pipes { input, output, errors }, ends))
}
