//! Descriptors: bounded reads, hand-over through a socket, closing what a child must not have.

use std::{
    io::{IoSlice, IoSliceMut, Read},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    path::Path,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl, open},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        socket::{
            AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, accept4, recvmsg,
            sendmsg, socketpair,
        },
        stat::Mode,
    },
};

/// Two ends that keep the borders of messages, closed on exec.
pub(crate) fn message_pair() -> nix::Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
}

/// Sends one message with the descriptors `fds`.
pub(crate) fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> nix::Result<()> {
    let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
    sendmsg::<()>(socket.as_fd().as_raw_fd(), &[IoSlice::new(bytes)], control, MsgFlags::MSG_NOSIGNAL, None).map(|_| ())
}

/// Receives one message and the descriptors that came with it. An empty message is the end.
#[expect(unsafe_code, reason = "received descriptors arrive as numbers")]
pub(crate) fn receive(socket: impl AsFd, flags: MsgFlags) -> nix::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = [0_u8; 2048];
    let mut space = nix::cmsg_space!([RawFd; 4]);
    let mut fds = Vec::new();
    let length = {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let message = recvmsg::<()>(
            socket.as_fd().as_raw_fd(),
            &mut parts,
            Some(&mut space),
            flags | MsgFlags::MSG_CMSG_CLOEXEC,
        )?;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(raw) = control {
                // SAFETY: the kernel has just installed these descriptors for us, and nobody else knows them.
                fds.extend(raw.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
        }
        message.bytes
    };
    Ok((bytes.get(..length).unwrap_or_default().to_vec(), fds))
}

/// Takes the next caller of a listening socket, if one is there.
#[expect(unsafe_code, reason = "accept returns a number")]
pub(crate) fn accept(listener: impl AsFd) -> nix::Result<OwnedFd> {
    let raw = accept4(listener.as_fd().as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Waits until `fd` can be read, for at most `millis`.
pub(crate) fn readable_within(fd: impl AsFd, millis: u16) -> nix::Result<bool> {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    loop {
        match poll(&mut fds, PollTimeout::from(millis)) {
            Err(Errno::EINTR) => {}
            other => return other.map(|ready| ready > 0),
        }
    }
}

pub(crate) fn nonblocking(fd: impl AsFd) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
    fcntl(fd.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(|_| ())
}

/// The first `limit` bytes of a file.
pub(crate) fn read_bounded(file: impl Read, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Text of a file of the kernel's, bounded.
pub(crate) fn kernel_text(path: &Path) -> std::io::Result<String> {
    let bytes = read_bounded(std::fs::File::open(path)?, 1024 * 1024)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Standard input, output and error go nowhere.
pub(crate) fn silence() -> nix::Result<()> {
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    become_standard(&null, &null, &null)
}

pub(crate) fn become_standard(input: impl AsFd, output: impl AsFd, error: impl AsFd) -> nix::Result<()> {
    nix::unistd::dup2_stdin(input)?;
    nix::unistd::dup2_stdout(output)?;
    nix::unistd::dup2_stderr(error)
}

/// Closes every descriptor from 3 upwards that is not in `keep`.
pub(crate) fn close_all_but(keep: &[RawFd]) {
    let mut keep: Vec<u32> = keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    keep.sort_unstable();
    let mut first = 3;
    for fd in keep {
        if fd > first {
            close_range(first, fd - 1);
        }
        first = fd + 1;
    }
    close_range(first, u32::MAX);
}

#[expect(unsafe_code, reason = "close_range has no wrapper")]
fn close_range(first: u32, last: u32) {
    // SAFETY: called only in a new child, which owns no descriptor in this range any more and ends with _exit or exec.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
}
