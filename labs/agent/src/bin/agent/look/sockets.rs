//! Sockets that wait for callers, by the kernel's own list of a network, and who holds them.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, Ipv6Addr},
};

use bulkhead_agent::{
    boot::IDS_PER_MACHINE,
    look::{Seen, facts::SocketFacts},
};

use super::{place, processes};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
};

const PROTOCOLS: [&str; 4] = ["tcp", "tcp6", "udp", "udp6"];
const MOST: usize = 256;
/// Descriptors of one process that are looked through for its sockets.
const MOST_DESCRIPTORS: usize = 4096;
const NOBODY: u32 = 65_534;

pub(super) fn look(machine: &Machine, pid: Option<i32>) -> Outcome<Seen> {
    let Some(process) = place::process(machine, pid)? else { return Ok(Seen::Missing) };
    let mut found = Vec::new();
    for protocol in PROTOCOLS {
        let text = match process.text(&format!("net/{protocol}")) {
            // A kernel without version 6.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            other => other.doing(|| format!("read the list of {protocol} sockets"))?,
        };
        found.extend(listening(protocol, &text));
    }
    let truncated = found.len() > MOST;
    found.truncate(MOST);
    let mut owners = BTreeMap::new();
    for (holder, brief) in processes::all(machine)? {
        if owners.len() == found.len() {
            break;
        }
        let Ok(descriptors) = fs::read_dir(holder.path("fd")) else { continue };
        for descriptor in descriptors.flatten().take(MOST_DESCRIPTORS) {
            let inode = fs::read_link(descriptor.path()).ok().as_deref().and_then(|link| socket(link.to_str()?));
            if let Some(inode) = inode.filter(|inode| found.iter().any(|entry| entry.inode == *inode)) {
                owners.entry(inode).or_insert_with(|| brief.clone());
            }
        }
    }
    let base = machine.spec.id_base;
    let sockets = found.into_iter().map(|entry| SocketFacts {
        protocol: entry.protocol.to_owned(),
        address: entry.address,
        port: entry.port,
        uid: entry.uid.checked_sub(base).filter(|uid| *uid < IDS_PER_MACHINE).unwrap_or(NOBODY),
        owner: owners.get(&entry.inode).cloned(),
    });
    Ok(Seen::Sockets { sockets: sockets.collect(), truncated })
}

#[derive(Debug, PartialEq, Eq)]
struct Listening {
    protocol: &'static str,
    address: String,
    port: u16,
    uid: u32,
    inode: u64,
}

/// `socket:[123]`
fn socket(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn listening<'a>(protocol: &'static str, text: &'a str) -> impl Iterator<Item = Listening> + 'a {
    // TCP's LISTEN; a datagram socket without a peer is in the state that TCP calls CLOSE.
    let state = if protocol.starts_with("tcp") { "0A" } else { "07" };
    text.lines().skip(1).filter_map(move |line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        if *words.get(3)? != state {
            return None;
        }
        let (address, port) = words.get(1)?.split_once(':')?;
        Some(Listening {
            protocol,
            address: self::address(address)?,
            port: u16::from_str_radix(port, 16).ok()?,
            uid: words.get(7)?.parse().ok()?,
            inode: words.get(9)?.parse().ok()?,
        })
    })
}

/// Words of 32 bits in the processor's own order, each in hexadecimal.
fn address(text: &str) -> Option<String> {
    let words: Vec<[u8; 4]> = (0..text.len() / 8)
        .map(|word| u32::from_str_radix(text.get(word * 8..word * 8 + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    match words.as_slice() {
        [four] if text.len() == 8 => Some(Ipv4Addr::from(*four).to_string()),
        [a, b, c, d] if text.len() == 32 => {
            let bytes: [u8; 16] = [*a, *b, *c, *d].concat().try_into().ok()?;
            Some(Ipv6Addr::from(bytes).to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0947 00000000:0000 0A 00000000:00000000 00:00000000 00000000 100000        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 101000        0 4712 1
   2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000 101000        0 4713 1
   broken
";

    #[test]
    #[cfg(target_endian = "little")]
    fn only_who_waits_for_callers_is_listed() {
        let found: Vec<_> = listening("tcp", TCP).map(|entry| (entry.address, entry.port, entry.inode)).collect();
        assert_eq!(found, [("0.0.0.0".into(), 2375, 4711), ("127.0.0.1".into(), 8080, 4712)]);
        assert_eq!(listening("udp", TCP).count(), 0);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_of_both_versions() {
        assert_eq!(address("00000000000000000000000000000000").as_deref(), Some("::"));
        assert_eq!(address("00000000000000000000000001000000").as_deref(), Some("::1"));
        assert_eq!(address("0000000000000000FFFF00000100007F").as_deref(), Some("::ffff:127.0.0.1"));
        for odd in ["", "0", "zzzzzzzz", "0000000000000000", "ää"] {
            assert_eq!(address(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_link_names_a_socket_or_not() {
        assert_eq!(socket("socket:[77]"), Some(77));
        assert_eq!(socket("/tmp/socket:[77]"), None);
        assert_eq!(socket("socket:[x]"), None);
    }
}
