//! Every process of a machine, in brief.

use std::fs;

use bulkhead_agent::{
    boot::IDS_PER_MACHINE,
    look::{Seen, facts::ProcessBrief},
};

use super::{place::Process, procfs};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
};

const MOST: usize = 1024;
const MOST_ARGUMENTS: usize = 64;
const LONGEST: usize = 512;
const NOBODY: u32 = 65_534;

pub(super) fn look(machine: &Machine) -> Outcome<Seen> {
    let mut found: Vec<ProcessBrief> = all(machine)?.map(|(_, brief)| brief).take(MOST + 1).collect();
    let truncated = found.len() > MOST;
    found.truncate(MOST);
    Ok(Seen::Processes { processes: found, truncated })
}

/// With the process itself, to look closer. One that ends meanwhile is left out.
pub(super) fn all(machine: &Machine) -> Outcome<impl Iterator<Item = (Process, ProcessBrief)>> {
    let home = Process::first(machine)?.namespace("pid").doing(|| "look at the pid namespace".into())?;
    let (base, group) = (machine.spec.id_base, format!("/m-{}", machine.spec.name));
    let numbers = fs::read_dir("/proc")
        .doing(|| "list processes".into())?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.filter_map(move |number: i32| {
        let process = Process::open(number).ok()?;
        process.is_below(home).then_some(())?;
        let brief = brief(&process, base, &group)?;
        Some((process, brief))
    }))
}

fn brief(process: &Process, base: u32, group: &str) -> Option<ProcessBrief> {
    let status = process.text("status").ok()?;
    let pid = *procfs::pids(&status).get(1)?;
    let fields = procfs::fields(&status);
    let [_, uid, ..] = procfs::four(fields.get("Uid"))?;
    let cut = |text: String| text.chars().take(LONGEST).collect::<String>();
    let mut cmdline: Vec<String> = procfs::arguments(&process.text("cmdline").ok()?).into_iter().map(cut).collect();
    cmdline.truncate(MOST_ARGUMENTS);
    let exe = fs::read_link(process.path("exe")).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let mut groups = procfs::cgroups(&process.text("cgroup").ok()?, group);
    let cgroup = ["pids", "memory", ""].iter().find_map(|name| groups.remove(*name)).unwrap_or_default();
    Some(ProcessBrief {
        pid,
        parent: fields.get("PPid").and_then(|pid| pid.parse().ok()).map(number_of)?,
        uid: uid.checked_sub(base).filter(|uid| *uid < IDS_PER_MACHINE).unwrap_or(NOBODY),
        exe: cut(exe),
        cmdline,
        cgroup: cut(cgroup),
    })
}

/// The machine's number of the process that we number so; 0: it is none of the machine's.
fn number_of(pid: i32) -> i32 {
    let status = Process::open(pid).ok().and_then(|process| process.text("status").ok());
    status.and_then(|status| procfs::pids(&status).get(1).copied()).unwrap_or_default()
}
