//! Observations. Each works in a process of its own (W) that the supervisor ends when its time is over, so it may
//! change its namespaces, ids and root as it needs, and never changes them back.
//!
//! `engine` · `http` with `answer` · `process` with `procfs` · `file` · `tree` · `attempt`. `place` finds the machine,
//! the process and the root that a look is about.

mod answer;
mod attempt;
mod engine;
mod file;
mod http;
mod place;
mod process;
mod procfs;
mod tree;

use std::time::Duration;

use bulkhead_agent::look::{Look, Seen};

pub(crate) use engine::answers as engine_answers;

use crate::{fault::Outcome, supervisor::Sandbox};

const LONGEST: u32 = 60_000;
/// What an answer may take to get through after the look's own time.
const MARGIN: Duration = Duration::from_secs(2);

/// After this it is ended.
pub(crate) fn time(look: &Look) -> Duration {
    match look {
        Look::Engine { timeout_ms, .. } | Look::Http { timeout_ms, .. } => own_time(*timeout_ms) + MARGIN,
        Look::Process { .. } | Look::Create { .. } | Look::Execute { .. } => Duration::from_secs(5),
        Look::File { .. } => Duration::from_secs(10),
        Look::Tree { .. } => Duration::from_secs(20),
    }
}

fn own_time(timeout_ms: u32) -> Duration {
    Duration::from_millis(timeout_ms.min(LONGEST).into())
}

pub(crate) fn look(sandbox: &Sandbox, look: &Look) -> Outcome<Seen> {
    match look {
        Look::Engine { machine, method, path, body, timeout_ms, limit } => {
            let question = answer::Question {
                method,
                host: "docker",
                path,
                headers: &[],
                body: body.as_deref().unwrap_or_default(),
                json: true,
            };
            engine::ask(place::machine(sandbox, machine)?, &question, own_time(*timeout_ms), *limit)
        }
        Look::Process { machine, pid } => process::look(place::machine(sandbox, machine)?, *pid),
        Look::File { machine, pid, path, limit } => file::look(place::machine(sandbox, machine)?, *pid, path, *limit),
        Look::Tree { machine, pid, path, limit } => tree::look(place::machine(sandbox, machine)?, *pid, path, *limit),
        Look::Create { machine, pid, path } => attempt::create(place::machine(sandbox, machine)?, *pid, path),
        Look::Execute { machine, pid, dir } => attempt::execute(sandbox, place::machine(sandbox, machine)?, *pid, dir),
        Look::Http { machine, host, port, method, path, headers, body, timeout_ms, limit } => {
            let question = answer::Question { method, host, path, headers, body, json: false };
            http::ask(sandbox, place::machine(sandbox, machine)?, *port, &question, own_time(*timeout_ms), *limit)
        }
    }
}
