//! Whether a sandbox is as strong as what was asked for, by the engine's word and by the kernel's. Pure.

use bollard::models::HostConfig;
use bulkhead_agent::protocol::Status;

use super::container::{CAPABILITIES, signed};
use crate::engine::{EngineError, SandboxSpec};

/// The kernel rounds limits to pages, and tmpfs its size up.
const ROUNDING: u64 = 64 * 1024;

/// Compares what the engine and the kernel say with what was asked; the first that is weaker is the error.
pub(super) fn verify(spec: &SandboxSpec, host: &HostConfig, status: &Status) -> Result<(), EngineError> {
    let memory = signed(spec.limits.memory_bytes);
    let asked = [
        ("the memory limit", host.memory, memory),
        ("the limit on memory and swap", host.memory_swap, memory),
        ("the limit on processes", host.pids_limit, spec.limits.pids.into()),
        ("the CPU limit", host.nano_cpus, i64::from(spec.limits.milli_cpus) * 1_000_000),
    ];
    for (what, effective, asked) in asked {
        if effective != Some(asked) {
            return Err(weaker(
                what,
                &format!(
                    "asked for {asked}, the engine set {}",
                    effective.map_or("nothing".to_owned(), |value| value.to_string())
                ),
            ));
        }
    }
    let closed = [
        ("a container without privileges", host.privileged != Some(true)),
        ("a read-only root", host.readonly_rootfs == Some(true)),
        ("no network", host.network_mode.as_deref() == Some("none")),
        ("our seccomp profile", host.security_opt.iter().flatten().any(|option| option.starts_with("seccomp={"))),
        ("dropped capabilities", host.cap_drop.iter().flatten().any(|cap| cap == "ALL")),
        ("four capabilities only", only_ours(host.cap_add.as_deref().unwrap_or_default())),
    ];
    if let Some((what, _)) = closed.iter().find(|(_, holds)| !holds) {
        return Err(weaker(what, "the engine set something else"));
    }
    if status.sandbox != spec.id.as_str() || status.generation != spec.generation {
        return Err(weaker(
            "this sandbox",
            &format!("its agent says that it is {} in generation {}", status.sandbox, status.generation),
        ));
    }
    let outer = [
        ("memory", status.outer.memory_bytes, spec.limits.memory_bytes, ROUNDING),
        ("swap", status.outer.swap_bytes, 0, 0),
        ("processes", status.outer.pids, spec.limits.pids.into(), 0),
        ("CPU", status.outer.milli_cpus, spec.limits.milli_cpus.into(), 1),
    ];
    for (what, effective, asked, more) in outer {
        in_force(&format!("the limit on {what} of the sandbox"), effective, asked, more)?;
    }
    for machine in &spec.boot.machines {
        let Some(seen) = status.machines.iter().find(|seen| seen.name == machine.name) else {
            return Err(weaker(&format!("machine {}", machine.name), "the agent does not know it"));
        };
        let limits = [
            ("memory", seen.memory_bytes, machine.memory_bytes, ROUNDING),
            ("processes", seen.pids, machine.pids.into(), 0),
            ("disk", seen.disk_bytes, machine.disk_bytes, ROUNDING),
        ];
        for (what, effective, asked, more) in limits.into_iter().filter(|(_, _, asked, _)| *asked > 0) {
            in_force(&format!("the limit on {what} of machine {}", machine.name), effective, asked, more)?;
        }
    }
    Ok(())
}

fn in_force(what: &str, effective: Option<u64>, asked: u64, more: u64) -> Result<(), EngineError> {
    if effective.is_some_and(|effective| effective <= asked + more) {
        return Ok(());
    }
    let effective = effective.map_or("no limit".to_owned(), |value| value.to_string());
    Err(weaker(what, &format!("asked for {asked}, the kernel has {effective}")))
}

/// Newer engines write `CAP_SETUID` where older ones keep `SETUID`.
fn only_ours(caps: &[String]) -> bool {
    caps.iter().all(|cap| CAPABILITIES.contains(&cap.strip_prefix("CAP_").unwrap_or(cap)))
}

fn weaker(what: &str, why: &str) -> EngineError {
    EngineError::Unsupported { what: what.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use bulkhead_agent::protocol::{MachineStatus, OuterLimits, PROTOCOL};

    use super::*;
    use crate::engine::docker::container::tests::{asked, spec};

    /// What is weakened, and how.
    type Weakened<T> = (&'static str, fn(&mut T));

    fn status() -> Status {
        let machines = spec().boot.machines.into_iter().map(|machine| MachineStatus {
            name: machine.name,
            up: true,
            engine: false,
            restarts: 0,
            memory_bytes: Some(machine.memory_bytes),
            pids: Some(machine.pids.into()),
            disk_bytes: (machine.disk_bytes > 0).then_some(machine.disk_bytes),
            memory_used_bytes: 0,
            pids_used: 0,
            disk_used_bytes: 0,
        });
        Status {
            protocol: PROTOCOL,
            sandbox: "s-1".to_owned(),
            generation: 3,
            cgroup_version: 1,
            kernel: "6".to_owned(),
            machines: machines.collect(),
            outer: OuterLimits {
                memory_bytes: Some(1 << 30),
                swap_bytes: Some(0),
                pids: Some(264),
                milli_cpus: Some(1500),
            },
        }
    }

    fn host() -> HostConfig {
        asked().host_config.expect("a host config")
    }

    #[test]
    fn what_was_asked_for_is_strong_enough() {
        verify(&spec(), &host(), &status()).expect("as asked");
    }

    #[test]
    fn an_engine_that_gave_less_is_caught() {
        let cases: [Weakened<HostConfig>; 11] = [
            ("the memory limit", |host| host.memory = Some(0)),
            ("the limit on memory and swap", |host| host.memory_swap = Some(-1)),
            ("the limit on processes", |host| host.pids_limit = None),
            ("the CPU limit", |host| host.nano_cpus = Some(0)),
            ("a container without privileges", |host| host.privileged = Some(true)),
            ("a read-only root", |host| host.readonly_rootfs = Some(false)),
            ("no network", |host| host.network_mode = Some("bridge".to_owned())),
            ("our seccomp profile", |host| host.security_opt = Some(vec!["seccomp=unconfined".to_owned()])),
            ("dropped capabilities", |host| host.cap_drop = None),
            ("four capabilities only", |host| {
                host.cap_add.iter_mut().for_each(|caps| caps.push("SYS_ADMIN".to_owned()));
            }),
            ("no network", |host| host.network_mode = None),
        ];
        for (expected, change) in cases {
            let mut host = host();
            change(&mut host);
            match verify(&spec(), &host, &status()) {
                Err(EngineError::Unsupported { what, .. }) => assert_eq!(what, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_kernel_that_enforces_less_is_caught() {
        let cases: [Weakened<Status>; 10] = [
            ("the limit on memory of machine host", |status| status.machines[0].memory_bytes = None),
            ("the limit on processes of machine probe", |status| status.machines[1].pids = Some(1000)),
            ("the limit on disk of machine host", |status| status.machines[0].disk_bytes = Some(1 << 40)),
            ("the limit on memory of the sandbox", |status| status.outer.memory_bytes = None),
            ("the limit on swap of the sandbox", |status| status.outer.swap_bytes = Some(1 << 30)),
            ("the limit on processes of the sandbox", |status| status.outer.pids = Some(265)),
            ("the limit on CPU of the sandbox", |status| status.outer.milli_cpus = None),
            ("machine probe", |status| drop(status.machines.pop())),
            ("this sandbox", |status| status.generation = 2),
            ("this sandbox", |status| "s-2".clone_into(&mut status.sandbox)),
        ];
        for (expected, change) in cases {
            let mut status = status();
            change(&mut status);
            match verify(&spec(), &host(), &status) {
                Err(EngineError::Unsupported { what, .. }) => assert_eq!(what, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }
}
