//! Pseudo-terminals.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::{stat::Mode, statfs::fstatfs},
    unistd::{Gid, Uid, fchown},
};

use bulkhead_agent::protocol::Size;

const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;
/// Group `tty` on Debian.
const TTY_GROUP: u32 = 5;

/// A new terminal of the devpts mounted at `/dev/pts`: its two ends, the second owned by `uid`.
#[expect(unsafe_code, reason = "terminal ioctls have no wrapper")]
pub(crate) fn open_pair(uid: u32, size: Size) -> nix::Result<(OwnedFd, OwnedFd)> {
    let master =
        open("/dev/pts/ptmx", OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK, Mode::empty())?;
    // The machine's root may have put anything there.
    if fstatfs(&master)?.filesystem_type().0 != DEVPTS_SUPER_MAGIC {
        return Err(Errno::ENOTTY);
    }
    let unlocked: libc::c_int = 0;
    // SAFETY: TIOCSPTLCK reads an int.
    Errno::result(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) })?;
    // SAFETY: TIOCGPTPEER takes flags and returns a new descriptor that is ours.
    let slave = Errno::result(unsafe {
        libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC)
    })?;
    // SAFETY: see above.
    let slave = unsafe { OwnedFd::from_raw_fd(slave) };
    fchown(&slave, Some(Uid::from_raw(uid)), Some(Gid::from_raw(TTY_GROUP)))?;
    resize(&master, size)?;
    Ok((master, slave))
}

#[expect(unsafe_code, reason = "terminal ioctls have no wrapper")]
pub(crate) fn resize(master: impl AsFd, size: Size) -> nix::Result<()> {
    let size = libc::winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCSWINSZ reads a winsize.
    Errno::result(unsafe { libc::ioctl(master.as_fd().as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }).map(|_| ())
}

/// Makes the terminal this session's own.
#[expect(unsafe_code, reason = "terminal ioctls have no wrapper")]
pub(crate) fn take(slave: impl AsFd) -> nix::Result<()> {
    nix::unistd::setsid()?;
    // SAFETY: TIOCSCTTY takes a number.
    Errno::result(unsafe { libc::ioctl(slave.as_fd().as_raw_fd(), libc::TIOCSCTTY, 0) }).map(|_| ())
}
