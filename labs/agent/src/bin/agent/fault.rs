//! Errors carry what was tried. They are the protocol's own [`Fault`], so that none is lost on the way out.

use bulkhead_agent::protocol::{Fault, FaultKind};
use nix::errno::Errno;

pub(crate) type Outcome<T> = Result<T, Fault>;

pub(crate) fn fault(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault { kind, message: message.into() }
}

/// Turns what the kernel said into a [`Fault`] that also says what was tried.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T> Doing<T> for Result<T, Errno> {
    fn doing(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|errno| Fault { kind: kind_of(errno), message: format!("{}: {}", what(), said(errno)) })
    }
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| match error.raw_os_error() {
            Some(raw) => {
                let errno = Errno::from_raw(raw);
                Fault { kind: kind_of(errno), message: format!("{}: {}", what(), said(errno)) }
            }
            None => Fault { kind: FaultKind::Failed, message: format!("{}: {error}", what()) },
        })
    }
}

/// `EROFS (Read-only file system)`.
pub(crate) fn said(errno: Errno) -> String {
    format!("{errno:?} ({})", errno.desc())
}

pub(crate) fn kind_of(errno: Errno) -> FaultKind {
    match errno {
        Errno::EAGAIN
        | Errno::ENOMEM
        | Errno::ENOSPC
        | Errno::EDQUOT
        | Errno::EMFILE
        | Errno::ENFILE
        | Errno::EUSERS => FaultKind::Exhausted,
        Errno::ENOENT | Errno::ESRCH => FaultKind::NotFound,
        Errno::ETIMEDOUT => FaultKind::TimedOut,
        _ => FaultKind::Failed,
    }
}
