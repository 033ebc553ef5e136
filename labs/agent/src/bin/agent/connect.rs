//! The platform's way in: `docker exec -i SANDBOX /bulkhead/agent connect [DOOR]`.
//!
//! The meeting point is an abstract socket in the container's own network namespace, which holds nothing else and
//! which no machine is in; so it needs no writable file system outside the machines, and no path that a mount could
//! hide. The supervisor also asks the kernel who came: only the container's root.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use bulkhead_agent::protocol::FaultKind;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{
        AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, getsockopt, listen as listen_on, socket,
        sockopt::PeerCredentials,
    },
};

use crate::{
    fault::{Doing, Outcome, fault},
    sys::{capability, descriptor, ids},
};

const NAME: &[u8] = b"bulkhead-agent";
const WAITING: i32 = 16;

fn address() -> Outcome<UnixAddr> {
    UnixAddr::new_abstract(NAME).doing(|| "name the agent's socket".into())
}

fn unix_socket() -> Outcome<OwnedFd> {
    socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).doing(|| "make a socket".into())
}

/// Binds the meeting point in the network namespace that this process is in.
pub(crate) fn listen() -> Outcome<OwnedFd> {
    let socket = unix_socket()?;
    bind(socket.as_raw_fd(), &address()?).doing(|| "bind the agent's socket".into())?;
    listen_on(&socket, Backlog::new(WAITING).unwrap_or(Backlog::MAXCONN)).doing(|| "listen".into())?;
    descriptor::nonblocking(&socket).doing(|| "listen".into())?;
    Ok(socket)
}

/// Takes the next caller, if there is one and he is the container's root.
pub(crate) fn accept(listener: &OwnedFd) -> Option<OwnedFd> {
    let caller = descriptor::accept(listener).ok()?;
    let who = getsockopt(&caller, PeerCredentials).ok()?;
    (who.uid() == 0).then_some(caller)
}

/// `agent connect [DOOR]`: gives up all privileges, hands a stream over, and lives as long as the supervisor wants it.
///
/// The stream is the platform's own socket, where `DOOR` leads there, else its standard input and output. The platform
/// waits for one of both; a byte on standard output says that it is the latter.
pub(crate) fn run(door: Option<&OsStr>) -> Outcome<u8> {
    ids::hide().doing(|| "hide".into())?;
    capability::drop_all().doing(|| "drop capabilities".into())?;
    let socket = unix_socket()?;
    connect(socket.as_raw_fd(), &address()?).doing(|| "reach the supervisor".into())?;
    let direct = door.and_then(|door| UnixStream::connect(door).ok());
    let (input, output) = (std::io::stdin(), std::io::stdout());
    let ends = match &direct {
        Some(direct) => [direct.as_fd(), direct.as_fd()],
        None => [input.as_fd(), output.as_fd()],
    };
    if door.is_some() && direct.is_none() {
        nix::unistd::write(&output, b"-").doing(|| "say that the door is shut".into())?;
    }
    descriptor::send(&socket, b"stream", &ends).doing(|| "hand the stream over".into())?;
    drop(direct);
    // The supervisor has its own now; ours would keep the other side from seeing that it closed them.
    descriptor::silence().doing(|| "let go of the stream".into())?;
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    loop {
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => return Ok(0),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(fault(FaultKind::Failed, format!("wait: {errno}"))),
        }
    }
}
