//! Connecting to a socket in a file system.

use std::{
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr},
};

use super::answer::Timed;

/// Between two tries to get into a full queue.
const QUEUE: Duration = Duration::from_millis(20);

impl Timed for UnixStream {
    fn give(&self, time: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

/// Connects by the deadline: behind a full queue, which anyone can make by not accepting, the kernel lets a caller wait for
/// ever. `EAGAIN`: it stayed full.
pub(super) fn connect(path: &Path, deadline: Instant) -> nix::Result<UnixStream> {
    let address = UnixAddr::new(path)?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let ours = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    loop {
        match socket::connect(ours.as_raw_fd(), &address) {
            Err(Errno::EAGAIN) if Instant::now() < deadline => std::thread::sleep(QUEUE),
            other => break other?,
        }
    }
    let stream = UnixStream::from(ours);
    stream.set_nonblocking(false).map_err(|_| Errno::EIO)?;
    Ok(stream)
}
