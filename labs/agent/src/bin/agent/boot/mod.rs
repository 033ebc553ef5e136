//! From the container's first process to running machines.
//!
//! `run` is P0: it becomes the sandbox's owner, so that per-user kernel limits are counted for this sandbox alone,
//! and gives A the id maps that only somebody outside M may write. `middle` is A: it builds the sandbox in M.
//! `cgroup` and `disk` are what a machine is limited by, `switch` what joins them, `machine` starts one, `inside` is
//! the way of a machine's first process from our code to its own.

pub(crate) mod cgroup;
mod disk;
mod inside;
pub(crate) mod machine;
mod middle;
mod preload;
mod switch;

pub(crate) use middle::Sandbox;

use std::{collections::BTreeSet, fs, os::fd::AsFd};

use bulkhead_agent::{
    boot::{BOOT_VARIABLE, Boot, IDS_PER_MACHINE, LONGEST_INTERFACE, LONGEST_NAME, Machine},
    protocol::FaultKind,
};
use nix::{
    errno::Errno,
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::{
    connect,
    fault::{Doing, Outcome, fault},
    sys::{capability, descriptor, fork, ids},
};

/// Id maps are `inside outside count` lines.
fn middle_map(boot: &Boot) -> String {
    let machines = boot.machines.iter().map(|machine| (machine.id_base, IDS_PER_MACHINE));
    let lines = [(0, 1), (boot.owner_uid, 1)].into_iter().chain(machines);
    lines.map(|(id, count)| format!("{id} {id} {count}\n")).collect::<Vec<_>>().concat()
}

pub(crate) fn run() -> Outcome<u8> {
    let boot = read()?;
    let listener = connect::listen()?;
    prctl::set_keepcaps(true).doing(|| "keep capabilities".into())?;
    ids::become_id(boot.owner_uid).doing(|| "become the sandbox's owner".into())?;
    capability::raise().doing(|| "raise capabilities".into())?;
    ids::show().doing(|| "become dumpable".into())?;
    fork::supervised_signals().thread_block().doing(|| "block signals".into())?;
    let (ours, theirs) = descriptor::message_pair().doing(|| "make a socket pair".into())?;
    let map = middle_map(&boot);
    let supervisor = fork::fork(&[theirs.as_fd(), listener.as_fd()], || {
        let prepared = unshare(CloneFlags::CLONE_NEWUSER)
            .and_then(|()| ids::show())
            .doing(|| "make the middle user namespace".into())
            .and_then(|()| descriptor::send(&theirs, b"map", &[]).doing(|| "ask for the id maps".into()))
            .and_then(|()| {
                descriptor::receive(&theirs, nix::sys::socket::MsgFlags::empty())
                    .doing(|| "wait for the id maps".into())
            });
        let outcome = prepared.and_then(|(word, _)| {
            if word.is_empty() {
                return Err(fault(FaultKind::Failed, "no id maps were written"));
            }
            let listener = listener.try_clone().doing(|| "keep the agent's socket".into())?;
            middle::run(boot, listener)
        });
        match outcome {
            Ok(never) => match never {},
            Err(fault) => {
                crate::log::say(&fault.message);
                70
            }
        }
    })
    .doing(|| "start the supervisor".into())?;
    drop(theirs);
    descriptor::receive(&ours, nix::sys::socket::MsgFlags::empty()).doing(|| "wait for the supervisor".into())?;
    for kind in ["uid", "gid"] {
        fs::write(format!("/proc/{supervisor}/{kind}_map"), &map)
            .doing(|| format!("write the supervisor's {kind} map"))?;
    }
    capability::drop_all().doing(|| "drop capabilities".into())?;
    ids::hide().doing(|| "hide".into())?;
    descriptor::send(&ours, b"go", &[]).doing(|| "start the supervisor".into())?;
    Ok(wait(supervisor))
}

/// The first process's work: reap what is left to it, pass the word to stop on, and end with the supervisor.
fn wait(supervisor: Pid) -> u8 {
    let signals = fork::supervised_signals();
    loop {
        if let Ok(Signal::SIGTERM | Signal::SIGINT) = signals.wait() {
            // The supervisor may be gone already; then the next round notices.
            let _ = kill(supervisor, Signal::SIGTERM);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == supervisor => return u8::try_from(code).unwrap_or(70),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == supervisor => {
                    return u8::try_from(128 + signal as i32).unwrap_or(70);
                }
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                Ok(_) | Err(_) => {}
            }
        }
    }
}

fn read() -> Outcome<Boot> {
    let text =
        std::env::var(BOOT_VARIABLE).map_err(|_| fault(FaultKind::Invalid, format!("{BOOT_VARIABLE} is not set")))?;
    let boot: Boot =
        serde_json::from_str(&text).map_err(|error| fault(FaultKind::Invalid, format!("{BOOT_VARIABLE}: {error}")))?;
    check(&boot).map_err(|why| fault(FaultKind::Invalid, format!("{BOOT_VARIABLE}: {why}")))?;
    Ok(boot)
}

/// Names become directories and interface names, ids become privileges: neither may be anything surprising.
fn check(boot: &Boot) -> Result<(), String> {
    let mut names = BTreeSet::new();
    let mut ranges: Vec<u32> = Vec::new();
    if boot.machines.is_empty() || boot.machines.len() > 16 {
        return Err("a sandbox has 1 to 16 machines".into());
    }
    for machine in &boot.machines {
        if !is_plain(&machine.name, LONGEST_NAME) {
            return Err(format!("{:?} is no machine's name: 1 to {LONGEST_NAME} of a-z, 0-9 and -", machine.name));
        }
        check_interfaces(boot, machine)?;
        if !names.insert(&machine.name) {
            return Err(format!("two machines are called {}", machine.name));
        }
        if machine.id_base < IDS_PER_MACHINE || machine.id_base.checked_add(IDS_PER_MACHINE).is_none() {
            return Err(format!("{} cannot have ids from {}", machine.name, machine.id_base));
        }
        if ranges.iter().any(|other| other.abs_diff(machine.id_base) < IDS_PER_MACHINE) {
            return Err(format!("the ids of {} are another machine's too", machine.name));
        }
        ranges.push(machine.id_base);
    }
    if boot.owner_uid == 0 || ranges.iter().any(|base| (*base..base + IDS_PER_MACHINE).contains(&boot.owner_uid)) {
        return Err(format!("{} cannot own the sandbox", boot.owner_uid));
    }
    Ok(())
}

fn is_plain(name: &str, longest: usize) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=longest).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}

fn check_interfaces(boot: &Boot, machine: &Machine) -> Result<(), String> {
    let mut names = BTreeSet::from(["lo"]);
    for interface in &machine.interfaces {
        if !is_plain(&interface.name, LONGEST_INTERFACE) || !names.insert(&interface.name) {
            return Err(format!("{:?} cannot name an interface of {}", interface.name, machine.name));
        }
        if !boot.networks.contains(&interface.network) {
            return Err(format!("{} is on {:?}, which is no network", machine.name, interface.network));
        }
        if interface.addresses.is_empty() || interface.prefix > 30 {
            return Err(format!("{} of {} has no address that fits", interface.name, machine.name));
        }
    }
    if machine.routes.iter().any(|route| route.prefix > 32) {
        return Err(format!("a route of {} leads nowhere", machine.name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bulkhead_agent::boot::{Interface, LAN, MachineKind};

    use super::*;

    fn boot(machines: &[(&str, u32)], owner_uid: u32) -> Boot {
        let machine = |(name, id_base): &(&str, u32)| Machine {
            name: (*name).to_owned(),
            kind: MachineKind::Probe,
            id_base: *id_base,
            interfaces: vec![Interface::lan([10, 77, 0, 2])],
            routes: Vec::new(),
            ip_forward: false,
            memory_bytes: 1,
            pids: 1,
            disk_bytes: 0,
        };
        let machines = machines.iter().map(machine).collect();
        Boot { sandbox: "s".into(), generation: 1, owner_uid, networks: vec![LAN.into()], machines }
    }

    #[test]
    fn the_middle_namespace_maps_root_the_owner_and_each_machine() {
        let map = middle_map(&boot(&[("host", 100_000), ("probe", 200_000)], 90_001));
        assert_eq!(map, "0 0 1\n90001 90001 1\n100000 100000 65536\n200000 200000 65536\n");
    }

    #[test]
    fn two_machines_apart_are_fine() {
        assert_eq!(check(&boot(&[("host", 100_000), ("probe", 200_000)], 90_001)), Ok(()));
    }

    #[test]
    fn what_would_mix_privileges_or_escape_a_directory_is_refused() {
        for wrong in [
            boot(&[], 90_001),
            boot(&[("..", 100_000)], 90_001),
            boot(&[("a/b", 100_000)], 90_001),
            boot(&[("", 100_000)], 90_001),
            boot(&[("a-name-that-is-longer-than-it-may-be", 100_000)], 90_001),
            boot(&[("host", 100_000), ("host", 200_000)], 90_001),
            boot(&[("host", 100_000), ("probe", 165_535)], 90_001),
            boot(&[("host", 0)], 90_001),
            boot(&[("host", u32::MAX - 5)], 90_001),
            boot(&[("host", 100_000)], 0),
            boot(&[("host", 100_000)], 100_007),
        ] {
            assert!(check(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_interface_has_a_plain_name_a_network_and_an_address() {
        let refused = |change: fn(&mut Interface)| {
            let mut boot = boot(&[("host", 100_000)], 90_001);
            change(&mut boot.machines[0].interfaces[0]);
            check(&boot).is_err()
        };
        assert!(!refused(|_| ()));
        assert!(refused(|interface| interface.name = "lo".into()));
        assert!(refused(|interface| interface.name = "../all".into()));
        assert!(refused(|interface| interface.name = "sixteen-letters-".into()));
        assert!(refused(|interface| interface.network = "ext".into()));
        assert!(refused(|interface| interface.addresses.clear()));
        assert!(refused(|interface| interface.prefix = 33));
    }
}
