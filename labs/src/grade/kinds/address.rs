//! Where something can be reached, by the kernel's word. `family` of `net`, `probe` and `attack`: `"ipv4"` (default),
//! `"ipv6"`, and for `net` also `"any"`.
//!
//! The networks of a sandbox have no IPv6 addresses of their own; every machine gives itself one that holds on a link
//! (`fe80::…`), which is enough for a service that answers there without anybody's intention.

use std::net::IpAddr;

use bulkhead_agent::look::{Look, Seen};

use crate::{
    grade::{Eyes, Halt, eyes::misplaced},
    manifest::{Fields, MachineName},
};

/// More are not tried, and nothing is said of a place that has more.
pub(super) const MOST_ADDRESSES: usize = 32;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Family {
    #[default]
    V4,
    V6,
    Any,
}

impl Family {
    pub(super) fn read(fields: &Fields<'_>, choices: &[(&'static str, Self)]) -> Self {
        fields.opt_choice("family", choices).unwrap_or_default()
    }

    /// For people, after a place.
    pub(super) fn by(self) -> &'static str {
        match self {
            Self::V4 => "",
            Self::V6 => " by IPv6",
            Self::Any => " by IPv4 or IPv6",
        }
    }

    fn takes(self, address: IpAddr) -> bool {
        match self {
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
            Self::Any => true,
        }
    }
}

/// A network in which something is: that of a process of a machine, or the machine's.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) machine: MachineName,
    pub(super) pid: Option<i32>,
    pub(super) name: String,
}

impl Spot {
    pub(super) fn machine(machine: &MachineName) -> Self {
        Self { machine: machine.clone(), pid: None, name: machine.to_string() }
    }
}

/// Every address at which `from` could find `to`. One that holds on a link is tried on each link that `from` has.
pub(super) fn between(eyes: &mut Eyes<'_>, from: &Spot, to: &Spot, family: Family) -> Result<Vec<String>, Halt> {
    let (theirs, links) = match family {
        Family::V4 => (addresses(eyes, to)?, Vec::new()),
        // Both are asked for at once.
        Family::V6 | Family::Any => {
            let (theirs, ours) = (addresses(eyes, to), addresses(eyes, from));
            (theirs?, ours?.into_iter().filter(|(_, address)| is_local(*address)).map(|(link, _)| link).collect())
        }
    };
    let mut found: Vec<String> = Vec::new();
    for (_, address) in theirs.iter().filter(|(_, address)| family.takes(*address)) {
        if is_local(*address) {
            found.extend(links.iter().map(|link| format!("{address}%{link}")));
        } else {
            found.push(address.to_string());
        }
    }
    found.sort_unstable();
    found.dedup();
    if found.len() > MOST_ADDRESSES {
        let many = format!("{} could be at {} addresses, which are more than can be tried", to.name, found.len());
        return Err(Halt::unknown(many));
    }
    Ok(found)
}

/// All but the loopback's, each with its interface.
fn addresses(eyes: &mut Eyes<'_>, spot: &Spot) -> Result<Vec<(String, IpAddr)>, Halt> {
    match eyes.see(Look::Addresses { machine: spot.machine.to_string(), pid: spot.pid })? {
        Seen::Addresses { addresses } => {
            let parsed =
                addresses.iter().filter_map(|found| Some((found.interface.clone(), found.address.parse().ok()?)));
            Ok(parsed.filter(|(_, address): &(String, IpAddr)| !address.is_loopback()).collect())
        }
        Seen::Missing => Err(Halt::unknown("a container's process ended while we looked")),
        other => Err(misplaced(other)),
    }
}

fn is_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(six) if six.is_unicast_link_local())
}

/// An address of either version as an author writes it.
pub(super) fn literal(text: &str) -> Result<String, &'static str> {
    text.parse::<IpAddr>()
        .map(|_| text.to_owned())
        .map_err(|_| "write an address, such as \"10.77.0.2\" or \"fd00::2\"")
}
