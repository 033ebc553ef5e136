//! Errands where an attacker would stand.
//!
//! ```text
//! container  W: lets the engine's own `exec` start our program in a container, and hears what it met
//! hold       H: a process of that container for a moment, through whose `/proc/PID/fd` our program is found
//! visitor    V: our program, started by the engine there
//! user       the same errands on the machine itself, as one of its users
//! errands    what is done          calls  system calls that do no harm          run  a program of the place
//! ```
//!
//! A seccomp filter cannot be read from outside without rights over the whole host, so it cannot be copied. Whoever
//! comes in by the engine's `exec` gets the container's own.

mod calls;
mod container;
mod errands;
mod hold;
mod run;
mod user;
mod visitor;

use std::time::{Duration, Instant};

use bulkhead_agent::look::{Place, Seen, errand::Errand};

use crate::{boot::machine::Machine, fault::Outcome, supervisor::Sandbox};

pub(crate) use hold::hold;
pub(super) use run::run;

/// One visit does so many.
const MOST_ERRANDS: usize = 64;
/// The report of all errands together.
const MOST_REPORT: u64 = 768 * 1024;

pub(super) fn visit(
    sandbox: &Sandbox,
    machine: &Machine,
    place: &Place,
    errands: &[Errand],
    time: Duration,
) -> Outcome<Seen> {
    let errands = errands.get(..errands.len().min(MOST_ERRANDS)).unwrap_or_default();
    let deadline = Instant::now() + time;
    match place {
        Place::Container { id, pid } => container::visit(machine, id, *pid, errands, deadline),
        Place::User { uid } => user::visit(sandbox, machine, *uid, errands, deadline),
    }
}
