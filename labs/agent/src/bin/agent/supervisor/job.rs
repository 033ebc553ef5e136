//! Work that may wait: looks, execs, the status. Each in a forked process of its own with a deadline; what it answers
//! comes through a pipe. At most a few at once, the rest queues.

use std::{
    collections::VecDeque,
    fs::File,
    io::Write,
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use bulkhead_agent::{
    frame::MAX_PAYLOAD,
    look::{Look, Seen},
    protocol::{Exec, Fault, FaultKind, Response},
};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    sys::signal::{Signal, kill},
    unistd::{Pid, pipe2, read},
};

use super::{status, stream::StreamId};
use crate::{
    boot::cgroup::Cgroups,
    exec,
    fault::{Doing, Outcome, fault},
    look,
    supervisor::Sandbox,
    sys::{descriptor, fork},
};

/// Each takes up to three processes for a moment; together they stay well below what the machines' limits leave.
const AT_ONCE: usize = 10;
/// Long execs leave room for looks.
const EXECS_AT_ONCE: usize = 6;
const MOST_WAITING: usize = 512;
const STATUS_TIME: Duration = Duration::from_secs(5);

pub(crate) enum Task {
    Status,
    Exec(Exec),
    Look(Look),
}

/// Where an answer belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct For {
    pub(crate) stream: StreamId,
    pub(crate) request: u32,
    /// Which of a request's looks.
    pub(crate) part: usize,
}

struct Job {
    /// `None` once it was reaped: the number may be somebody else's by then.
    pid: Option<Pid>,
    answer: OwnedFd,
    bytes: Vec<u8>,
    /// It has closed its pipe, or written too much.
    over: bool,
    deadline: Instant,
    whose: For,
    exec: bool,
}

/// An answer as the worker encoded it, or why there is none.
pub(crate) type Answer = Outcome<Vec<u8>>;

#[derive(Default)]
pub(crate) struct Jobs {
    running: Vec<Job>,
    waiting: VecDeque<(Task, For)>,
}

impl Jobs {
    pub(crate) fn add(&mut self, task: Task, whose: For) -> Outcome<()> {
        if self.waiting.len() >= MOST_WAITING {
            return Err(fault(FaultKind::Exhausted, "too many requests are waiting"));
        }
        self.waiting.push_back((task, whose));
        Ok(())
    }

    /// Starts what may run now. What cannot be started is answered at once.
    pub(crate) fn start(&mut self, sandbox: &Sandbox) -> Vec<(For, Answer)> {
        let mut failed = Vec::new();
        while self.running.len() < AT_ONCE {
            let execs = self.running.iter().filter(|job| job.exec).count();
            let ready = |(task, _): &(Task, For)| execs < EXECS_AT_ONCE || !matches!(task, Task::Exec(_));
            let Some(place) = self.waiting.iter().position(ready) else { break };
            let Some((task, whose)) = self.waiting.remove(place) else { break };
            match begin(sandbox, &task, whose) {
                Ok(job) => self.running.push(job),
                Err(fault) => failed.push((whose, Err(fault))),
            }
        }
        failed
    }

    pub(crate) fn answers(&self) -> impl Iterator<Item = (usize, &OwnedFd)> {
        self.running.iter().enumerate().map(|(index, job)| (index, &job.answer))
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.running.iter().map(|job| job.deadline).min()
    }

    /// Reads what a worker wrote.
    pub(crate) fn read(&mut self, index: usize) {
        let Some(job) = self.running.get_mut(index) else { return };
        let mut chunk = vec![0_u8; 64 * 1024];
        match read(&job.answer, &mut chunk) {
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Ok(count) if count > 0 && job.bytes.len() <= MAX_PAYLOAD => {
                job.bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
            }
            Ok(_) | Err(_) => job.over = true,
        }
    }

    pub(crate) fn reaped(&mut self, pid: Pid) {
        self.running.iter_mut().filter(|job| job.pid == Some(pid)).for_each(|job| job.pid = None);
    }

    /// Takes the jobs that are done or out of time.
    pub(crate) fn collect(&mut self, now: Instant) -> Vec<(For, Answer)> {
        let mut done = Vec::new();
        self.running.retain_mut(|job| {
            if !job.over && job.deadline > now {
                return true;
            }
            job.end();
            let bytes = std::mem::take(&mut job.bytes);
            done.push((
                job.whose,
                match job.over {
                    false => Err(fault(FaultKind::TimedOut, "it took too long")),
                    true if bytes.is_empty() => {
                        Err(fault(FaultKind::Exhausted, "the worker died, most likely for want of memory"))
                    }
                    true if bytes.len() > MAX_PAYLOAD => {
                        Err(fault(FaultKind::Invalid, "the answer is longer than a frame holds; ask for less"))
                    }
                    true => Ok(bytes),
                },
            ));
            false
        });
        done
    }

    /// Nobody wants this stream's answers any more.
    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.waiting.retain(|(_, whose)| whose.stream != stream);
        self.running.retain(|job| {
            let wanted = job.whose.stream != stream;
            if !wanted {
                job.end();
            }
            wanted
        });
    }
}

impl Job {
    /// An exec gets the word first, to end what it started.
    fn end(&self) {
        if let Some(pid) = self.pid {
            let _ = kill(pid, if self.exec { Signal::SIGTERM } else { Signal::SIGKILL });
        }
    }
}

fn time(task: &Task) -> Duration {
    match task {
        Task::Status => STATUS_TIME,
        Task::Exec(exec) => exec::LAUNCH + Duration::from_millis(exec.timeout_ms.into()) + Duration::from_secs(2),
        Task::Look(look) => look::time(look),
    }
}

fn begin(sandbox: &Sandbox, task: &Task, whose: For) -> Outcome<Job> {
    let (answer, to) = pipe2(OFlag::O_CLOEXEC).doing(|| "make a pipe".into())?;
    descriptor::nonblocking(&answer).doing(|| "prepare a pipe".into())?;
    let pid = fork::fork(&[to.as_fd()], || {
        let encoded = match task {
            Task::Status => serde_json::to_vec(&Response::Ok(status::of(sandbox))),
            Task::Exec(exec) => serde_json::to_vec(&run(sandbox, exec)),
            Task::Look(look) => serde_json::to_vec::<Result<Seen, Fault>>(&look::look(sandbox, look)),
        };
        // A pipe that nobody reads any more has had its answer.
        let _ = to.try_clone().map(File::from).and_then(|mut to| to.write_all(&encoded.unwrap_or_default()));
        0
    })
    .doing(|| "start a worker".into())?;
    Ok(Job {
        pid: Some(pid),
        answer,
        bytes: Vec::new(),
        over: false,
        deadline: Instant::now() + time(task),
        whose,
        exec: matches!(task, Task::Exec(_)),
    })
}

fn run(sandbox: &Sandbox, exec: &Exec) -> Response {
    let cgroups: &Cgroups = &sandbox.cgroups;
    let (_, machine) = sandbox
        .machine(&exec.machine)
        .ok_or_else(|| fault(FaultKind::NotFound, format!("there is no machine {}", exec.machine)))?;
    exec::run(machine, cgroups, exec)
}
