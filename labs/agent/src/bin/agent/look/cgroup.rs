//! The control groups above a process, from the platform's own mounts: what limits it, whatever its machine says.

use std::{collections::BTreeMap, path::Path};

use bulkhead_agent::look::{Seen, facts::CgroupLevel};

use super::place::Process;
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    supervisor::Sandbox,
    sys::descriptor::kernel_text,
};

const FILES: [&str; 22] = [
    "cgroup.freeze",
    "cpu.cfs_period_us",
    "cpu.cfs_quota_us",
    "cpu.max",
    "cpu.shares",
    "cpu.weight",
    "cpuset.cpus",
    "freezer.state",
    "memory.current",
    "memory.events",
    "memory.failcnt",
    "memory.high",
    "memory.limit_in_bytes",
    "memory.max",
    "memory.memsw.limit_in_bytes",
    "memory.oom_control",
    "memory.swap.max",
    "memory.usage_in_bytes",
    "pids.current",
    "pids.events",
    "pids.max",
    "cpuset.mems",
];
const DEEPEST: usize = 16;
const LONGEST: usize = 512;

pub(super) fn look(sandbox: &Sandbox, machine: &Machine, pid: i32) -> Outcome<Seen> {
    let Some(process) = Process::find(machine, pid)? else { return Ok(Seen::Missing) };
    let text = process.text("cgroup").doing(|| format!("read the groups of process {pid}"))?;
    let home = format!("/m-{}", machine.spec.name);
    let mut levels: BTreeMap<String, CgroupLevel> = BTreeMap::new();
    for (top, path) in sandbox.cgroups.paths(&text) {
        // A group elsewhere is none of this machine's.
        let Some(inside) = below(&path, &home) else { continue };
        for level in ancestors(inside) {
            let at = top.join(home.trim_start_matches('/')).join(level.trim_start_matches('/'));
            let entry = levels
                .entry(level.to_owned())
                .or_insert_with(|| CgroupLevel { path: level.to_owned(), files: BTreeMap::new() });
            entry.files.extend(read(&at));
        }
    }
    let mut levels: Vec<CgroupLevel> = levels.into_values().collect();
    levels.sort_by_key(|level| std::cmp::Reverse(level.path.trim_end_matches('/').len()));
    Ok(Seen::Cgroup { levels })
}

fn read(group: &Path) -> impl Iterator<Item = (String, String)> {
    FILES.into_iter().filter_map(|name| {
        let text = kernel_text(&group.join(name)).ok()?;
        Some((name.to_owned(), text.trim().chars().take(LONGEST).collect()))
    })
}

/// The path below the machine's own group.
fn below<'a>(path: &'a str, home: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(home)?;
    let plain = (rest.is_empty() || rest.starts_with('/')) && !rest.split('/').any(|part| part == "..");
    plain.then_some(if rest.is_empty() { "/" } else { rest })
}

/// `/a/b` → `/a/b`, `/a`, `/`.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(path);
    std::iter::from_fn(move || {
        let now = next?;
        next = match now.rsplit_once('/') {
            _ if now == "/" => None,
            Some(("", _)) => Some("/"),
            Some((parent, _)) => Some(parent),
            None => None,
        };
        Some(now)
    })
    .take(DEEPEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_up_to_the_machines_counts() {
        assert_eq!(ancestors("/docker/abc").collect::<Vec<_>>(), ["/docker/abc", "/docker", "/"]);
        assert_eq!(ancestors("/").collect::<Vec<_>>(), ["/"]);
        assert_eq!(ancestors(&"/x".repeat(99)).count(), DEEPEST);
    }

    #[test]
    fn what_is_not_the_machines_is_left_out() {
        assert_eq!(below("/m-host/docker/a", "/m-host"), Some("/docker/a"));
        assert_eq!(below("/m-host", "/m-host"), Some("/"));
        assert_eq!(below("/m-hostile/x", "/m-host"), None);
        assert_eq!(below("/m-host/../m-other", "/m-host"), None);
        assert_eq!(below("/sup", "/m-host"), None);
    }
}
