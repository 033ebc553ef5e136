//! A machine's Docker engine, over the socket in its tree. What it says is the student's to decide; grading knows that.

use std::{
    os::{fd::OwnedFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

use bulkhead_agent::{
    look::Seen,
    protocol::{Fault, FaultKind},
};
use nix::errno::Errno;

use super::{
    answer::{self, Question, Raw},
    place::{self, Process},
    unix,
};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    sys::rooted,
};

const SOCKET: &str = "/run/docker.sock";
const PING: Duration = Duration::from_secs(1);

pub(super) fn ask(machine: &Machine, question: &Question<'_>, time: Duration, limit: u32) -> Outcome<Seen> {
    let deadline = Instant::now() + time;
    let mut caller = Caller::new(machine)?;
    let mut stream = caller.connect(deadline)?;
    answer::ask(&mut stream, question, deadline, limit)?.map_err(|why| caller.down(&why))
}

/// Who asks an engine: the machine's root, from now on.
pub(super) struct Caller {
    machine: String,
    root: OwnedFd,
}

impl Caller {
    pub(super) fn new(machine: &Machine) -> Outcome<Self> {
        let root = Process::first(machine)?.root()?;
        place::become_root_of(machine)?;
        Ok(Self { machine: machine.spec.name.clone(), root })
    }

    /// Asks once.
    pub(super) fn ask(&mut self, question: &Question<'_>, deadline: Instant, limit: u32) -> Outcome<Raw> {
        let mut stream = self.connect(deadline)?;
        answer::ask_raw(&mut stream, question, deadline, limit)?.map_err(|why| self.down(&why))
    }

    fn connect(&mut self, deadline: Instant) -> Outcome<UnixStream> {
        socket(&self.root, deadline).map_err(|fault| self.down(&fault.message))
    }

    fn down(&self, why: &str) -> Fault {
        fault(FaultKind::Down, format!("the engine of {} does not answer: {why}", self.machine))
    }
}

pub(super) fn socket(root: &OwnedFd, deadline: Instant) -> Outcome<UnixStream> {
    let found = rooted::find(root, SOCKET, true).doing(|| format!("find {SOCKET}"))?;
    match unix::connect(&rooted::through(&found), deadline) {
        Err(Errno::EAGAIN) => Err(fault(FaultKind::Down, "nobody accepts at its socket")),
        other => other.doing(|| format!("connect to {SOCKET}")),
    }
}

/// Whether it answers now.
pub(crate) fn answers(machine: &Machine) -> bool {
    let question = Question { method: "GET", host: "docker", path: "/_ping", headers: &[], body: "", json: true };
    let deadline = Instant::now() + PING;
    let asked = Process::first(machine)
        .and_then(|first| first.root())
        .and_then(|root| socket(&root, deadline))
        .and_then(|mut stream| answer::ask(&mut stream, &question, deadline, 64));
    matches!(asked, Ok(Ok(Seen::Http { status: 200, .. })))
}
