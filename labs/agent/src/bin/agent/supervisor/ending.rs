//! Machines that ended and cannot be gone: on version 1 of cgroups what is frozen does not die, and as long as it is there
//! the kernel does not let go of the first process either. Nothing tells of that, so it is looked for.

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::unistd::Pid;

use crate::{boot::Sandbox, sys::fork};

const EVERY: Duration = Duration::from_secs(1);
/// For one machine, whatever its root heaped up; by a process of its own, as it may take so long.
const THAWING: Duration = Duration::from_secs(10);
/// The kernel's mark of a thread that is ending.
const EXITING: u64 = 0x4;

pub(crate) struct Endings {
    next: Instant,
    /// One at a time.
    thawing: Option<Pid>,
}

impl Endings {
    pub(crate) fn new() -> Self {
        Self { next: Instant::now() + EVERY, thawing: None }
    }

    /// `None` where what is frozen dies.
    pub(crate) fn next(&self, sandbox: &Sandbox) -> Option<Instant> {
        sandbox.cgroups.can_freeze().then_some(self.next)
    }

    pub(crate) fn reaped(&mut self, pid: Pid) {
        self.thawing = self.thawing.filter(|thawing| *thawing != pid);
    }

    pub(crate) fn look(&mut self, sandbox: &Sandbox, now: Instant) {
        if self.next > now || !sandbox.cgroups.can_freeze() {
            return;
        }
        self.next = now + EVERY;
        let stuck = sandbox.machines.iter().find(|machine| machine.first.is_some_and(is_ending));
        if self.thawing.is_none()
            && let Some(machine) = stuck
        {
            crate::log::say(&format!("thawing {}, which ended", machine.spec.name));
            // Where that cannot be begun now, it can the next time.
            self.thawing = fork::fork(&[], || i32::from(sandbox.cgroups.thaw(&machine.spec, THAWING).is_err())).ok();
        }
    }
}

/// Whether every thread of it is ending. A name may hold anything, so what follows it is found from behind.
fn is_ending(process: Pid) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return false };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let flags = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(6)?.parse::<u64>().ok());
        flags.is_some_and(|flags| flags & EXITING != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lives_is_not_ending() {
        assert!(!is_ending(Pid::this()));
        assert!(!is_ending(Pid::from_raw(i32::MAX)));
    }
}
