//! A at work: one poll loop, nothing in it ever waits.
//!
//! `stream` frames · `request` what the platform asks · `process` and `ring` what it opened · `job` work that may wait
//! · `status` · `watch` what is waited for · `restart` machines whose first process ended · `ending` those that cannot end.

mod ending;
pub(crate) mod job;
mod process;
mod request;
mod restart;
mod ring;
mod status;
mod stream;
mod watch;

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use bulkhead_agent::protocol::{Event, FaultKind, Reply};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill, killpg},
        signalfd::{SfdFlags, SignalFd},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};

pub(crate) use crate::boot::Sandbox;
use crate::{
    connect,
    exec::exit_code,
    fault::{Doing, Outcome, fault},
    sys::fork,
};
use ending::Endings;
use job::Jobs;
use process::{Ends, Phase, Process};
use request::Batch;
use restart::Restarts;
use stream::{Arrival, Caller, Stream, StreamId};

/// The platform needs one; a few more while it reconnects.
const MOST_STREAMS: usize = 16;
/// Ended terminals that wait for somebody to ask how they ended.
const MOST_ENDED: usize = 16;
/// Exits kept for processes that are not named yet; each start brings two.
const MOST_UNCLAIMED: usize = 128;
/// From hanging up to killing.
const GRACE: Duration = Duration::from_secs(1);
/// For machines that were killed to be gone; only what is frozen takes longer than a moment.
const LAST_MOMENTS: Duration = Duration::from_secs(2);
/// Between two looks at what may be frozen meanwhile.
const THAW_AGAIN: Duration = Duration::from_millis(20);

pub(crate) struct Supervisor {
    sandbox: Sandbox,
    listener: OwnedFd,
    signals: SignalFd,
    callers: BTreeMap<u32, Caller>,
    streams: BTreeMap<StreamId, Stream>,
    processes: BTreeMap<u32, Process>,
    jobs: Jobs,
    batches: BTreeMap<(StreamId, u32), Batch>,
    /// Processes that were hung up on, to be killed if they stay.
    doomed: Vec<(Pid, Instant)>,
    /// Exits of processes that were over before J could name them, and of J's.
    unclaimed: VecDeque<(Pid, i32)>,
    restarts: Restarts,
    endings: Endings,
    stopping: Option<Instant>,
    next_id: u32,
}

pub(crate) fn run(sandbox: Sandbox, listener: OwnedFd) -> Outcome<Infallible> {
    let signals = SignalFd::with_flags(&fork::supervised_signals(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .doing(|| "wait for signals".into())?;
    let restarts = Restarts::new(sandbox.machines.len());
    let mut supervisor = Supervisor {
        sandbox,
        listener,
        signals,
        callers: BTreeMap::new(),
        streams: BTreeMap::new(),
        processes: BTreeMap::new(),
        jobs: Jobs::default(),
        batches: BTreeMap::new(),
        doomed: Vec::new(),
        unclaimed: VecDeque::new(),
        restarts,
        endings: Endings::new(),
        stopping: None,
        next_id: 1,
    };
    crate::log::say("ready");
    loop {
        supervisor.wait()?;
        supervisor.settle();
    }
}

impl Supervisor {
    fn fresh_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1).max(1);
        id
    }

    fn accept(&mut self) {
        while let Some(caller) = connect::accept(&self.listener) {
            if self.streams.len() + self.callers.len() < MOST_STREAMS {
                let id = self.fresh_id();
                self.callers.insert(id, Caller(caller));
            }
        }
    }

    fn arrive(&mut self, id: u32) {
        let Some(arrival) = self.callers.get(&id).map(Caller::arrive) else { return };
        let caller = if matches!(arrival, Arrival::NotYet) { None } else { self.callers.remove(&id) };
        if let (Some(Caller(link)), Arrival::Pipes(input, output)) = (caller, arrival) {
            self.streams.insert(StreamId(id), Stream::new(link, input, output));
        }
    }

    /// Everything that follows from what just happened.
    fn settle(&mut self) {
        let now = Instant::now();
        self.read_signals(now);
        self.time_out(now);
        let mut answers = self.jobs.collect(now);
        answers.extend(self.jobs.start(&self.sandbox));
        for (whose, answer) in answers {
            self.deliver(whose, answer);
        }
        for (id, process) in &mut self.processes {
            process.write_input();
            if process.exit.is_some() {
                process.read_output();
            }
            if let Some(stream) =
                process.attached.as_ref().map(|attached| attached.stream).and_then(|id| self.streams.get_mut(&id))
            {
                if let Some(credit) = process.input_credit() {
                    stream.credit(*id, credit);
                }
                process.send(*id, stream);
            }
        }
        self.tell_ends();
        for stream in self.streams.values_mut() {
            stream.flush();
        }
        let over: Vec<StreamId> = self.streams.iter().filter(|(_, stream)| stream.over).map(|(id, _)| *id).collect();
        for id in over {
            self.end_stream(id);
        }
    }

    fn read_signals(&mut self, now: Instant) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let stop = [Signal::SIGTERM, Signal::SIGINT]
                .iter()
                .any(|stop| u32::try_from(*stop as i32) == Ok(signal.ssi_signo));
            if stop && self.stopping.is_none() {
                self.stop(now);
            }
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(status) => match (status.pid(), exit_code(status)) {
                    (Some(pid), Some(code)) => self.reaped(pid, code, now),
                    (Some(_), None) => {}
                    (None, _) => return,
                },
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }

    fn reaped(&mut self, pid: Pid, code: i32, now: Instant) {
        self.doomed.retain(|(doomed, _)| *doomed != pid);
        self.jobs.reaped(pid);
        self.endings.reaped(pid);
        if let Some(process) =
            self.processes.values_mut().find(|process| process.pid == Some(pid) && process.exit.is_none())
        {
            process.exit = Some(code);
        } else if self.processes.values().any(|process| process.pid.is_none()) {
            if self.unclaimed.len() >= MOST_UNCLAIMED {
                self.unclaimed.pop_front();
            }
            self.unclaimed.push_back((pid, code));
        }
        if let Some(machine) = self.sandbox.machines.iter_mut().find(|machine| machine.first == Some(pid)) {
            machine.first = None;
            crate::log::say(&format!("the first process of {} ended ({code})", machine.spec.name));
            if self.stopping.is_none() {
                self.restarts.plan(machine.index, machine.started, now);
            }
        }
    }

    fn time_out(&mut self, now: Instant) {
        for (pid, when) in &self.doomed {
            if *when <= now {
                // It is our child and not reaped, so the number is still its own.
                let _ = kill(*pid, Signal::SIGKILL);
            }
        }
        self.doomed.retain(|(_, when)| *when > now);
        let late: Vec<u32> = self
            .processes
            .iter()
            .filter(|(_, process)| matches!(process.phase, Phase::Starting { deadline, .. } if deadline <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.launched(id, Err(fault(FaultKind::TimedOut, "the process did not get onto the machine in time")));
        }
        let due = if self.stopping.is_none() { self.restarts.due(now) } else { Vec::new() };
        for index in due {
            if let Err(fault) = self.sandbox.start(index) {
                crate::log::say(&format!("cannot restart: {}", fault.message));
                self.restarts.plan(index, now, now);
            }
        }
        match self.stopping {
            Some(deadline) => self.end_machines(deadline, now),
            None => self.endings.look(&self.sandbox, now),
        }
    }

    /// Nothing of a sandbox outlives it, so nobody is asked to save anything.
    fn stop(&mut self, now: Instant) {
        crate::log::say("stopping");
        self.stopping = Some(now + LAST_MOMENTS);
        for first in self.sandbox.machines.iter().filter_map(|machine| machine.first) {
            // With it dies all that runs on the machine, but for what is frozen.
            let _ = kill(first, Signal::SIGKILL);
        }
    }

    fn end_machines(&self, deadline: Instant, now: Instant) {
        let alive = || self.sandbox.machines.iter().filter(|machine| machine.first.is_some());
        if alive().next().is_none() || deadline <= now {
            crate::log::say("stopped");
            fork::end(0);
        }
        for machine in alive() {
            // Until nobody is left who could freeze anew. What this cannot thaw, the platform does from outside.
            let _ = self.sandbox.cgroups.thaw(&machine.spec, deadline - now);
        }
    }

    /// A process got onto its machine, or did not.
    fn launched(&mut self, id: u32, outcome: Outcome<()>) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        let (stream, request) = match std::mem::replace(&mut process.phase, Phase::Running) {
            Phase::Starting { launch, stream, request, .. } => {
                process.pid = process.pid.or(launch.pid);
                if let Ends::Terminal { master, .. } = &mut process.ends {
                    *master = launch.master;
                }
                (stream, request)
            }
            Phase::Running => return,
        };
        let response = outcome.map(|()| Reply::Process { process: id, offset: 0 });
        let failed = response.is_err();
        match self.streams.get_mut(&stream) {
            Some(stream) => stream.answer(request, &response),
            None => process.attached = None,
        }
        if failed || (process.attached.is_none() && !process.is_terminal()) {
            self.end_process(id);
        }
    }

    /// Hangs up and forgets.
    fn end_process(&mut self, id: u32) {
        if let Some(process) = self.processes.remove(&id)
            && let Some(pid) = process.pid
            && process.exit.is_none()
        {
            // Closing the terminal hangs up by itself; a session of pipes is told.
            let _ = killpg(pid, if process.is_terminal() { Signal::SIGHUP } else { Signal::SIGKILL });
            self.doomed.push((pid, Instant::now() + GRACE));
        }
    }

    /// The stream is gone: pipes go with it, terminals stay.
    fn end_stream(&mut self, id: StreamId) {
        self.streams.remove(&id);
        self.jobs.forget(id);
        self.batches.retain(|(stream, _), _| *stream != id);
        let mut gone = Vec::new();
        for (process_id, process) in &mut self.processes {
            if process.attached.as_ref().is_some_and(|attached| attached.stream == id) {
                process.attached = None;
                if !process.is_terminal() {
                    gone.push(*process_id);
                }
            }
        }
        for process in gone {
            self.end_process(process);
        }
    }

    /// Tells who is attached that a process ended, after all that it printed.
    fn tell_ends(&mut self) {
        let mut gone = Vec::new();
        let mut ended = Vec::new();
        for (id, process) in &mut self.processes {
            let Some(code) = process.finished() else { continue };
            if !process.told
                && let Some(stream) =
                    process.attached.as_ref().and_then(|attached| self.streams.get_mut(&attached.stream))
            {
                process.read_errors();
                stream.event(*id, &Event::Exited { code, stderr: process.tail() });
                process.told = true;
            }
            if process.is_terminal() {
                ended.push(*id);
            } else {
                gone.push(*id);
            }
        }
        gone.extend(ended.iter().take(ended.len().saturating_sub(MOST_ENDED)));
        for id in gone {
            self.processes.remove(&id);
        }
    }
}
