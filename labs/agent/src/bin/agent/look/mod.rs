//! Observations. Each works in a process of its own (W) that the supervisor ends when its time is over, so it may
//! change its namespaces, ids and root as it needs, and never changes them back.
//!
//! ```text
//! place      the machine, the process and the root that a look is about
//! procfs     the text of /proc                    process  processes  sockets  sysctl  cgroup: the kernel's word
//! file  tail  tree  search  layers  tamper        what lies on a disk
//! answer     one question and answer of HTTP      engine  reports: a machine's engine      http  tls  knock: services
//! attempt    tried in a process's own place       visit: errands where an attacker would stand
//! firewall   the packet filter, by the image's own tools
//! wait       until something happens
//! names  target  names and addresses              unix: sockets in a file system
//! ```

mod answer;
mod attempt;
mod cgroup;
mod engine;
mod file;
mod firewall;
mod http;
mod knock;
mod layers;
mod names;
mod place;
mod process;
mod processes;
mod procfs;
mod reports;
mod search;
mod sockets;
mod sysctl;
mod tail;
mod tamper;
mod target;
mod tls;
mod tree;
mod unix;
mod visit;
mod wait;

use std::time::Duration;

use bulkhead_agent::{
    look::{Look, Seen},
    protocol::{FaultKind, Reply},
};

pub(crate) use engine::answers as engine_answers;
pub(crate) use visit::hold;

use crate::{
    exec,
    fault::{Outcome, fault},
    supervisor::Sandbox,
};

/// What an answer may take to get through after the look's own time.
const MARGIN: Duration = Duration::from_secs(2);

/// After this it is ended.
pub(crate) fn time(look: &Look) -> Duration {
    look.time() + MARGIN
}

fn millis(timeout_ms: u32) -> Duration {
    Duration::from_millis(timeout_ms.clamp(1, 60_000).into())
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
            engine::ask(place::machine(sandbox, machine)?, &question, millis(*timeout_ms), *limit)
        }
        Look::Process { machine, pid } => process::look(place::machine(sandbox, machine)?, *pid),
        Look::File { machine, pid, path, limit } => file::look(place::machine(sandbox, machine)?, *pid, path, *limit),
        Look::Tree { machine, pid, path, limit } => tree::look(place::machine(sandbox, machine)?, *pid, path, *limit),
        Look::Create { machine, pid, path } => attempt::create(place::machine(sandbox, machine)?, *pid, path),
        Look::Execute { machine, pid, dir } => attempt::execute(sandbox, place::machine(sandbox, machine)?, *pid, dir),
        Look::Http { machine, host, port, method, path, headers, body, timeout_ms, limit, pid, way } => {
            let question = answer::Question { method, host, path, headers, body, json: false };
            http::ask(&call(sandbox, machine, *pid, *port, *timeout_ms)?, way, &question, *limit)
        }
        Look::Load { machine, host, port, path, count, timeout_ms } => {
            let question = answer::Question { method: "GET", host, path, headers: &[], body: "", json: false };
            http::load(&call(sandbox, machine, None, *port, *timeout_ms)?, &question, *count)
        }
        Look::Connect { machine, pid, host, port, protocol, send, timeout_ms } => {
            knock::look(&call(sandbox, machine, *pid, *port, *timeout_ms)?, host, *protocol, send)
        }
        Look::Addresses { machine, pid } => knock::addresses(place::machine(sandbox, machine)?, *pid),
        Look::Exec(asked) => match exec::run(place::machine(sandbox, &asked.machine)?, &sandbox.cgroups, asked)? {
            Reply::Exec(result) => Ok(Seen::Exec(result)),
            other => Err(fault(FaultKind::Failed, format!("an exec answered with {other:?}"))),
        },
        Look::Visit { machine, place, errands, timeout_ms } => {
            visit::visit(sandbox, place::machine(sandbox, machine)?, place, errands, millis(*timeout_ms))
        }
        Look::Cgroup { machine, pid } => cgroup::look(sandbox, place::machine(sandbox, machine)?, *pid),
        Look::Sockets { machine, pid } => sockets::look(place::machine(sandbox, machine)?, *pid),
        Look::Sysctl { machine, pid, names } => sysctl::look(place::machine(sandbox, machine)?, *pid, names),
        Look::Events { machine, filters, limit } => reports::events(place::machine(sandbox, machine)?, filters, *limit),
        Look::Logs { machine, container, lines, limit } => {
            reports::logs(place::machine(sandbox, machine)?, container, *lines, *limit)
        }
        Look::Tail { machine, pid, path, limit } => tail::look(place::machine(sandbox, machine)?, *pid, path, *limit),
        Look::Search { machine, pid, directories, needles } => {
            search::look(place::machine(sandbox, machine)?, *pid, directories, needles)
        }
        Look::Scan { machine, pid, layers } => layers::scan(place::machine(sandbox, machine)?, *pid, layers),
        Look::Layered { machine, layers, path, limit } => {
            layers::find(place::machine(sandbox, machine)?, layers, path, *limit)
        }
        Look::Firewall { machine } => firewall::look(place::machine(sandbox, machine)?),
        Look::Tampered { machine, directories, programs } => {
            tamper::look(place::machine(sandbox, machine)?, directories, programs)
        }
        Look::Wait { machine, paths, since, timeout_ms } => {
            wait::look(place::machine(sandbox, machine)?, paths, since.as_ref(), millis(*timeout_ms))
        }
        Look::Processes { machine } => processes::look(place::machine(sandbox, machine)?),
    }
}

fn call<'a>(
    sandbox: &'a Sandbox,
    machine: &str,
    pid: Option<i32>,
    port: u16,
    timeout_ms: u32,
) -> Outcome<http::Call<'a>> {
    Ok(http::Call { sandbox, from: place::machine(sandbox, machine)?, pid, port, time: millis(timeout_ms) })
}
