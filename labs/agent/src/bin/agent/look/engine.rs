//! A machine's Docker engine, over the socket in its tree. What it says is the student's to decide; grading knows that.

use std::{
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use bulkhead_agent::{look::Seen, protocol::FaultKind};
use nix::{
    errno::Errno,
    sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr},
};

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
/// Between two tries to get into a full queue.
const QUEUE: Duration = Duration::from_millis(20);

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
    let mut stream = socket(&root, deadline).map_err(|fault| down(fault.message))?;
    answer::ask(&mut stream, question, deadline, limit)?.map_err(down)
}

/// Connects by the deadline: behind a full queue, which anyone can make by not accepting, the kernel lets a caller wait for ever.
fn socket(root: &OwnedFd, deadline: Instant) -> Outcome<UnixStream> {
    let found = rooted::find(root, SOCKET, true).doing(|| format!("find {SOCKET}"))?;
    let connecting = || format!("connect to {SOCKET}");
    let address = UnixAddr::new(&rooted::through(&found)).doing(connecting)?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let ours = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None).doing(connecting)?;
    loop {
        match socket::connect(ours.as_raw_fd(), &address) {
            Err(Errno::EAGAIN) if Instant::now() < deadline => std::thread::sleep(QUEUE),
            Err(Errno::EAGAIN) => return Err(fault(FaultKind::Down, "nobody accepts at its socket")),
            other => break other.doing(connecting)?,
        }
    }
    let stream = UnixStream::from(ours);
    stream.set_nonblocking(false).doing(connecting)?;
    Ok(stream)
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
