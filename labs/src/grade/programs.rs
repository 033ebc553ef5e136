//! Whether the programs of the student's machines are still the image's. He is root there and may change them; no verdict
//! rests on them, and the evidence says which were changed.

use std::collections::BTreeMap;

use bulkhead_agent::look::{
    Look, Seen,
    facts::{Change, Tampering},
};

use super::{Wanted, clean, eyes::Memory};
use crate::manifest::{Lab, MachineName};

/// Where programs of the image lie. Anything there that is another is told.
const DIRECTORIES: [&str; 6] = ["bin", "sbin", "usr/bin", "usr/sbin", "usr/lib/bulkhead", "usr/libexec/docker"];
/// What is looked for by name too, as a mount over it leaves no trace in his layer.
const PROGRAMS: [&str; 16] = [
    "bash",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "dash",
    "docker",
    "docker-init",
    "docker-proxy",
    "dockerd",
    "init",
    "iptables",
    "nft",
    "runc",
    "sh",
    "sudo",
    "systemctl",
];
/// Told of one machine.
const MOST: usize = 8;

/// What to look at, once in a grading.
pub(super) fn wanted(lab: &Lab) -> Vec<Wanted> {
    students(lab).map(|machine| Wanted::of(look(machine))).collect()
}

/// What was changed on each machine, in words. Empty: nothing, or nobody looked.
pub(super) fn changed(lab: &Lab, memory: &Memory) -> BTreeMap<MachineName, Vec<String>> {
    let seen = students(lab).filter_map(|machine| Some((machine.clone(), memory.get(&look(machine))?)));
    seen.map(|(machine, seen)| {
        let told = match seen {
            Ok(Seen::Tampered { changes, truncated }) => tell(&machine, changes, *truncated),
            Ok(_) => Vec::new(),
            Err(fault) => {
                vec![format!("{machine}: its programs could not be looked at ({})", clean::clean(&fault.message))]
            }
        };
        (machine, told)
    })
    .collect()
}

fn students(lab: &Lab) -> impl Iterator<Item = &MachineName> {
    lab.machines.iter().filter(|machine| machine.is_the_students()).map(|machine| &machine.name)
}

fn look(machine: &MachineName) -> Look {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Look::Tampered { machine: machine.to_string(), directories: owned(&DIRECTORIES), programs: owned(&PROGRAMS) }
}

fn tell(machine: &MachineName, changes: &[Change], truncated: bool) -> Vec<String> {
    let words = |change: &Change| {
        let what = match change.what {
            Tampering::Changed => "was changed",
            Tampering::Replaced => "was replaced",
            Tampering::Removed => "was removed",
            Tampering::Covered => "is covered by a mount",
            Tampering::Added => "was put before the image's own",
            Tampering::Serves => "holds the engine's socket",
        };
        format!("{machine}: {} {what}", clean::clean(&change.path))
    };
    let mut told: Vec<String> = changes.iter().take(MOST).map(words).collect();
    match (changes.len().saturating_sub(MOST), truncated) {
        (0, false) => {}
        (_, true) => told.push(format!("{machine}: and many more")),
        (more, false) => told.push(format!("{machine}: and {more} more")),
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> MachineName {
        MachineName::parse("host").unwrap()
    }

    #[test]
    fn changes_are_told_in_words_and_not_without_end() {
        let change = |path: &str, what| Change { path: path.to_owned(), what };
        let few = [change("/usr/bin/docker", Tampering::Covered), change("/usr/\u{1b}[31mbin/perl", Tampering::Serves)];
        assert_eq!(
            tell(&host(), &few, false),
            ["host: /usr/bin/docker is covered by a mount", "host: /usr/bin/perl holds the engine's socket"]
        );
        let many: Vec<Change> = (0..20).map(|n| change(&format!("/usr/bin/p{n}"), Tampering::Changed)).collect();
        let told = tell(&host(), &many, false);
        assert_eq!((told.len(), told.last().map(String::as_str)), (MOST + 1, Some("host: and 12 more")));
    }
}
