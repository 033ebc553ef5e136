//! The packet filter of a machine's network, as the image's own tools print it.
//!
//! They run from the image's tree, which nobody in the sandbox can write, as the machine's root and in its network, but
//! in none of its other namespaces. What the student made of his own `iptables` does not come into it.

use std::{fmt::Write, os::fd::OwnedFd};

use bulkhead_agent::look::Seen;
use nix::{
    fcntl::{OFlag, open},
    sys::stat::Mode,
    unistd::{chroot, fchdir},
};

use super::{place, visit};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
};

const IMAGE: &str = "/host";
const TIME_MS: u32 = 4_000;
const MOST: u32 = 192 * 1024;

pub(super) fn look(machine: &Machine) -> Outcome<Seen> {
    let image: OwnedFd = open(IMAGE, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
        .doing(|| "open the image's tree".into())?;
    let first = place::Process::first(machine)?;
    // An older filter that the tools of today do not show; which of its tables are in use, the kernel says.
    let legacy = |names: &str| first.text(names).unwrap_or_default();
    let legacy = [
        ("iptables-legacy-save", legacy("net/ip_tables_names")),
        ("ip6tables-legacy-save", legacy("net/ip6_tables_names")),
    ];
    place::join_network(machine, None)?;
    fchdir(&image).and_then(|()| chroot(".")).doing(|| "go into the image's tree".into())?;
    let mut text = String::new();
    let mut truncated = false;
    let mut add = |argv: &[&str]| {
        let argv: Vec<String> = argv.iter().map(|argument| (*argument).to_owned()).collect();
        let program = argv.join(" ");
        match visit::run(&argv, &[], "", TIME_MS, MOST) {
            Seen::Exec(done) if done.code == 0 => {
                truncated |= done.truncated;
                // Writing to a string cannot fail.
                let _ = writeln!(text, "## {program}\n{}", done.stdout);
                true
            }
            Seen::Exec(done) if done.code == 127 => true,
            other => {
                let _ = writeln!(text, "## {program}\n# failed: {other:?}");
                false
            }
        }
    };
    let mut whole = add(&["/usr/sbin/iptables-nft-save"]) && add(&["/usr/sbin/ip6tables-nft-save"]);
    for (program, tables) in &legacy {
        for table in tables.split_whitespace().take(8) {
            whole &= add(&[&format!("/usr/sbin/{program}"), "-t", table]);
        }
    }
    add(&["/usr/sbin/nft", "list", "ruleset"]);
    Ok(Seen::Text { text, truncated: truncated || !whole })
}
