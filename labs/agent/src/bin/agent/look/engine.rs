//! A machine's Docker engine, over the socket in its tree. What it says is the student's to decide; grading knows that.

use std::{
    os::{fd::OwnedFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

use bulkhead_agent::{look::Seen, protocol::FaultKind};

use super::{
    answer::{self, Question, Timed},
    place::{self, Process},
};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    sys::rooted,
};

const SOCKET: &str = "/run/docker.sock";
const PING: Duration = Duration::from_secs(1);

impl Timed for UnixStream {
    fn give(&self, time: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

pub(super) fn ask(machine: &Machine, question: &Question<'_>, time: Duration, limit: u32) -> Outcome<Seen> {
    let deadline = Instant::now() + time;
    let root = Process::first(machine)?.root()?;
    place::become_root_of(machine)?;
    let down =
        |why: String| fault(FaultKind::Down, format!("the engine of {} does not answer: {why}", machine.spec.name));
    let mut stream = socket(&root).map_err(|fault| down(fault.message))?;
    answer::ask(&mut stream, question, deadline, limit)?.map_err(down)
}

fn socket(root: &OwnedFd) -> Outcome<UnixStream> {
    let socket = rooted::find(root, SOCKET, true).doing(|| format!("find {SOCKET}"))?;
    UnixStream::connect(rooted::through(&socket)).doing(|| format!("connect to {SOCKET}"))
}

/// Whether it answers now.
pub(crate) fn answers(machine: &Machine) -> bool {
    let question = Question { method: "GET", host: "docker", path: "/_ping", headers: &[], body: "", json: true };
    let asked = Process::first(machine)
        .and_then(|first| first.root())
        .and_then(|root| socket(&root))
        .and_then(|mut stream| answer::ask(&mut stream, &question, Instant::now() + PING, 64));
    matches!(asked, Ok(Ok(Seen::Http { status: 200, .. })))
}
