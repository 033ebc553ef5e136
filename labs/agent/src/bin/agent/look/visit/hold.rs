//! H: our program started anew, so that nothing of the supervisor's memory is in it, in a container's namespaces and with
//! its user, without any capability. While it lives, `/proc/PID/fd` in that container leads to our program, to the errands
//! and to the report; nothing is written to a disk.

use std::os::fd::{AsFd, AsRawFd};

use bulkhead_agent::protocol::FaultKind;
use nix::{
    sys::{prctl, signal::Signal, socket::MsgFlags},
    unistd::{getpid, pipe},
};

use crate::{
    fault::{Doing, Outcome, fault},
    sys::descriptor,
};

/// Where H keeps what it was given.
pub(super) const PROGRAM: i32 = 1;

/// How a visitor finds everything: H's pid there, and its descriptors for the errands and the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) pid: i32,
    pub(super) errands: i32,
    pub(super) report: i32,
}

impl Way {
    pub(super) fn encode(self) -> Vec<u8> {
        [self.pid, self.errands, self.report].iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(Self { pid: number(0)?, errands: number(4)?, report: number(8)? })
    }
}

/// `agent hold`: standard input is the link to W, standard output our program.
pub(crate) fn hold() -> Outcome<u8> {
    prctl::set_pdeathsig(Signal::SIGKILL).doing(|| "end with who asked".into())?;
    // The pipes belong to the container's user, who must be able to open them again.
    let (errands, to_errands) = pipe().doing(|| "make a pipe".into())?;
    let (from_report, report) = pipe().doing(|| "make a pipe".into())?;
    let link = std::io::stdin();
    let way = Way { pid: getpid().as_raw(), errands: errands.as_raw_fd(), report: report.as_raw_fd() };
    descriptor::send(&link, &way.encode(), &[to_errands.as_fd(), from_report.as_fd()])
        .doing(|| "hand the pipes over".into())?;
    drop((to_errands, from_report));
    let heard = || descriptor::receive(&link, MsgFlags::empty()).doing(|| "wait for the end".into());
    // The first word: the visitor has opened both. Then the report ends with him, not with us.
    if heard()?.0.is_empty() {
        return Err(fault(FaultKind::Failed, "nobody waits any more"));
    }
    drop((errands, report));
    heard()?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_read_as_it_was_written() {
        let way = Way { pid: 70_000, errands: 4, report: 7 };
        assert_eq!(Way::decode(&way.encode()), Some(way));
        assert_eq!(Way::decode(b"short"), None);
    }
}
