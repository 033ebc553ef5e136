//! A process as the kernel shows it from outside the machine.

use std::{collections::BTreeMap, fs};

use bulkhead_agent::{
    boot::IDS_PER_MACHINE,
    look::{ProcessFacts, Seen},
    protocol::FaultKind,
};

use super::{place::Process, procfs};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
};

const NAMESPACES: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
/// What the machine's kernel shows for an id that it does not have.
const NOBODY: u32 = 65_534;

pub(super) fn look(machine: &Machine, pid: i32) -> Outcome<Seen> {
    let Some(process) = Process::find(machine, pid)? else { return Ok(Seen::Missing) };
    match facts(machine, &process, pid) {
        // It ended while we looked.
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(Seen::Missing),
        other => other.map(Seen::Process),
    }
}

fn facts(machine: &Machine, process: &Process, pid: i32) -> Outcome<ProcessFacts> {
    let text = |name: &str| process.text(name).doing(|| format!("read {name} of process {pid}"));
    let status = text("status")?;
    let status = procfs::fields(&status);
    let first = Process::first(machine)?.text("status").doing(|| "read the first process's status".into())?;
    let odd = |what: &str| fault(FaultKind::Failed, format!("the status of process {pid} has no {what}"));
    let base = machine.spec.id_base;
    let inside = |id: u32| id.checked_sub(base).filter(|id| *id < IDS_PER_MACHINE).unwrap_or(NOBODY);
    let ids = |key: &str| procfs::four(status.get(key)).map(|ids| ids.map(inside)).ok_or_else(|| odd(key));
    let capabilities = |key: &str| procfs::hexadecimal(status.get(key)).ok_or_else(|| odd(key));
    let (namespaces, shared_with_machine) = namespaces(machine, process)?;
    Ok(ProcessFacts {
        pid,
        exe: fs::read_link(process.path("exe")).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
        cmdline: procfs::arguments(&text("cmdline")?),
        uid: ids("Uid")?,
        gid: ids("Gid")?,
        groups: procfs::many(status.get("Groups")).into_iter().map(inside).collect(),
        cap_inheritable: capabilities("CapInh")?,
        cap_permitted: capabilities("CapPrm")?,
        cap_effective: capabilities("CapEff")?,
        cap_bounding: capabilities("CapBnd")?,
        cap_ambient: capabilities("CapAmb")?,
        no_new_privs: status.get("NoNewPrivs") == Some(&"1"),
        seccomp: procfs::seccomp(&status, &procfs::fields(&first)).ok_or_else(|| odd("Seccomp"))?,
        namespaces,
        shared_with_machine,
        mounts: procfs::mounts(&text("mountinfo")?),
        cgroups: procfs::cgroups(&text("cgroup")?, &format!("/m-{}", machine.spec.name)),
    })
}

type Namespaces = (BTreeMap<String, u64>, BTreeMap<String, bool>);

fn namespaces(machine: &Machine, process: &Process) -> Outcome<Namespaces> {
    let first = Process::first(machine)?;
    let mut found = Namespaces::default();
    for name in NAMESPACES {
        let number = process.namespace(name).doing(|| format!("look at the {name} namespace"))?;
        let machines = first.namespace(name).doing(|| format!("look at the machine's {name} namespace"))?;
        found.0.insert(name.to_owned(), number);
        found.1.insert(name.to_owned(), number == machines);
    }
    Ok(found)
}
