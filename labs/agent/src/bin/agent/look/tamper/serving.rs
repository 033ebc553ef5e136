//! Who holds the socket at which the engine answers: the image's engine, and the machine's first process, which may hold it
//! for the engine. Anybody else has put himself between.

use std::{
    collections::HashMap,
    fs,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use bulkhead_agent::look::facts::Tampering;
use nix::{
    fcntl::{OFlag, open},
    sys::{
        socket::{getsockopt, sockopt::PeerCredentials},
        stat::{Mode, fstat},
    },
};

use super::{Changes, same::same};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    look::{engine, place::Process, processes},
    sys::rooted,
};

const ALLOWED: [&str; 2] = ["usr/sbin/dockerd", "sbin/init"];
const NAME: &str = "docker.sock";
const PATIENCE: Duration = Duration::from_millis(300);
/// Descriptors of one process that are looked through.
const MOST_DESCRIPTORS: usize = 4096;
const MOST_SOCKETS: usize = 64;
const MOST_HOLDERS: usize = 64;
/// `SO_ACCEPTCON`: it waits for callers.
const WAITS: u32 = 0x1_0000;

/// The program of one who holds it.
pub(super) struct Holder {
    name: String,
    program: OwnedFd,
}

pub(super) fn holders(machine: &Machine) -> Outcome<Vec<Holder>> {
    let first = Process::first(machine)?;
    let home = first.namespace("pid").doing(|| "look at the pid namespace".into())?;
    let list = first.text("net/unix").doing(|| "read the list of sockets".into())?;
    let sockets: Vec<u64> = waiting(&list).take(MOST_SOCKETS).collect();
    let mut holders = HashMap::new();
    // Whoever made the socket, under whatever name it was made.
    let root = first.root()?;
    if let Some(pid) = engine::socket(&root, Instant::now() + PATIENCE)
        .ok()
        .and_then(|stream| getsockopt(&stream, PeerCredentials).ok())
        .map(|peer| peer.pid())
        && let Ok(peer) = Process::open(pid)
        && peer.is_below(home)
    {
        note(&peer, &mut holders);
    }
    if !sockets.is_empty() {
        for (process, _) in processes::all(machine)? {
            if holders.len() < MOST_HOLDERS && holds(&process, &sockets) {
                note(&process, &mut holders);
            }
        }
    }
    Ok(holders.into_values().collect())
}

pub(super) fn look(holders: &[Holder], image: &OwnedFd, changes: &mut Changes) {
    let allowed: Vec<OwnedFd> = ALLOWED.iter().filter_map(|path| rooted::find(image, path, true).ok()).collect();
    for holder in holders {
        if !allowed.iter().any(|original| same(&holder.program, original)) {
            changes.add(&holder.name, Tampering::Serves);
        }
    }
}

/// Once for each program.
fn note(process: &Process, holders: &mut HashMap<(u64, u64), Holder>) {
    let Ok(program) = open(&process.path("exe"), OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()) else { return };
    let Ok(stat) = fstat(&program) else { return };
    // By what is held: the process may be gone by now.
    let name =
        fs::read_link(rooted::through(&program)).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    holders.entry((stat.st_dev, stat.st_ino)).or_insert(Holder { name, program });
}

fn holds(process: &Process, sockets: &[u64]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.path("fd")) else { return false };
    descriptors.flatten().take(MOST_DESCRIPTORS).any(|descriptor| {
        let link = fs::read_link(descriptor.path()).ok();
        let inode =
            link.as_deref().and_then(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        inode.is_some_and(|inode: u64| sockets.contains(&inode))
    })
}

/// Inodes of sockets with the engine's name that wait for callers.
fn waiting(list: &str) -> impl Iterator<Item = u64> + '_ {
    list.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        let inode = words.nth(2)?.parse().ok()?;
        let path = words.next()?;
        (flags & WAITS != 0 && path.rsplit('/').next() == Some(NAME)).then_some(inode)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_wait_are_found_by_their_name() {
        let list = "Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 101 /run/docker.sock
0000000000000000: 00000002 00000000 00010000 0001 01 102 /var/run/docker.sock
0000000000000000: 00000003 00000000 00000000 0001 03 103 /run/docker.sock
0000000000000000: 00000002 00000000 00010000 0001 01 104 /run/docker.sock.old
0000000000000000: 00000002 00000000 00010000 0001 01 105
broken
";
        assert_eq!(waiting(list).collect::<Vec<_>>(), [101, 102]);
    }
}
