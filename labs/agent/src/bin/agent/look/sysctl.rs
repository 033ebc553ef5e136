//! Kernel settings as a process meets them: those of a network are each network's own.

use std::{os::fd::AsFd, path::Path};

use bulkhead_agent::{look::Seen, protocol::FaultKind};
use nix::sched::{CloneFlags, setns};

use super::place;
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    sys::descriptor::kernel_text,
};

const MOST: usize = 64;
const LONGEST: usize = 512;

pub(super) fn look(machine: &Machine, pid: Option<i32>, names: &[String]) -> Outcome<Seen> {
    let paths = names.iter().take(MOST).map(|name| path(name)).collect::<Outcome<Vec<_>>>()?;
    let Some(process) = place::process(machine, pid)? else { return Ok(Seen::Missing) };
    let namespaces = ["net", "ipc", "uts"].map(|name| process.open_namespace(name));
    place::become_root_of(machine)?;
    for namespace in namespaces {
        setns(namespace?.as_fd(), CloneFlags::empty()).doing(|| "join its namespaces".into())?;
    }
    // By our own `/proc`, over which nobody has mounted anything.
    let read = |path: &String| Some(kernel_text(Path::new(path)).ok()?.trim().chars().take(LONGEST).collect());
    let values = names.iter().zip(&paths).map(|(name, path)| (name.clone(), read(path))).collect();
    Ok(Seen::Settings { values })
}

/// `net.ipv4.ip_forward` → its file. An interface's name may hold a dot, written as `/`.
fn path(name: &str) -> Outcome<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    if name.is_empty() || !name.bytes().all(plain) || name.split(['.', '/']).any(str::is_empty) {
        return Err(fault(FaultKind::Invalid, format!("{name} is no kernel setting")));
    }
    let turned = name.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    Ok(format!("/proc/sys/{}", turned.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_and_leads_nowhere_else() {
        assert_eq!(path("net.ipv4.conf.eth0/1.rp_filter").unwrap(), "/proc/sys/net/ipv4/conf/eth0.1/rp_filter");
        for odd in ["", "..", "net..x", "a b", "//etc", ".net"] {
            assert!(path(odd).is_err(), "{odd}");
        }
    }
}
