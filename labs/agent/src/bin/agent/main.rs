//! The only program of ours in a sandbox.
//!
//! ```text
//! agent boot      the container's first process: `boot` makes the machines, `supervisor` serves the platform
//! agent connect   one for each stream of the platform: `connect` hands its pipes to the supervisor and waits
//! agent thaw      beside a sandbox that cannot end by itself
//! agent hold      in a container for a moment, and
//! agent visit     started there by its engine: both are of `look/visit`
//!
//! boot/        namespaces, cgroups, disks, switch, machines          look/   observations, each in a process of its own
//! supervisor/  one poll loop: streams, processes, jobs, restarts     exec    a command run to its end
//! enter        how a process of the platform gets onto a machine     sys/    system calls; all `unsafe` is there
//! ```
//!
//! Who is who, seen from the container's pid namespace:
//!
//! ```text
//! 1 P0   uid OWNER, no capabilities; waits
//! └ A    namespace M (0→0, OWNER, every machine's range); the supervisor, all capabilities in M and none outside
//!   ├ C  a machine's first process, in a user namespace below M; the student's `/sbin/init`, or a reaper on a probe
//!   ├ J  joins a machine's namespaces, starts G as its own sibling, and is gone
//!   ├ G  a process that the platform opened on a machine
//!   └ W  a look or an exec at work
//! ```
//!
//! A stays single-threaded: only such a process may enter a user namespace, and only there is a fork that goes on to
//! run our own code sound.

mod boot;
mod connect;
mod enter;
mod exec;
mod fault;
mod log;
mod look;
mod supervisor;
mod sys;
mod thaw;
mod users;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("boot") => boot::run(),
        Some("connect") => connect::run(std::env::args_os().nth(2).as_deref()),
        Some("thaw") => thaw::run(std::env::args_os().nth(2).as_deref(), std::env::args_os().nth(3).as_deref()),
        Some("hold") => look::hold(),
        _ => {
            log::say("usage: agent boot | connect [DOOR] | thaw FREEZER CONTAINER");
            return ExitCode::from(64);
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            log::say(&fault.message);
            ExitCode::from(70)
        }
    }
}
