//! Where a question goes: an address of either version, and for one that holds for a link alone (`fe80::1%eth0`) the
//! interface whose link is meant.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use nix::net::if_::if_nametoindex;

use crate::fault::said;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    address: IpAddr,
    interface: Option<String>,
}

impl From<Ipv4Addr> for Target {
    fn from(address: Ipv4Addr) -> Self {
        Self { address: address.into(), interface: None }
    }
}

impl From<IpAddr> for Target {
    fn from(address: IpAddr) -> Self {
        Self { address, interface: None }
    }
}

impl Target {
    /// An address as it is written, or `localhost`. `None`: it is a name.
    pub(super) fn literal(text: &str) -> Option<Self> {
        if text == "localhost" {
            return Some(Ipv4Addr::LOCALHOST.into());
        }
        match text.split_once('%') {
            Some((address, interface)) => {
                let IpAddr::V6(address) = address.parse().ok()? else { return None };
                Some(Self { address: address.into(), interface: Some(interface.to_owned()) })
            }
            None => text.parse::<IpAddr>().ok().map(Self::from),
        }
    }

    /// From the network that this process is in by now: interfaces are numbered in each for itself.
    pub(super) fn socket(&self, port: u16) -> Result<SocketAddr, String> {
        let (IpAddr::V6(address), Some(interface)) = (self.address, &self.interface) else {
            return Ok((self.address, port).into());
        };
        let index = if_nametoindex(interface.as_str()).map_err(said)?;
        Ok(SocketAddrV6::new(address, port, 0, index).into())
    }
}

/// As a header names it: an address of version 6 in brackets, and never the interface, which means nothing to others.
pub(super) fn host_header(host: &str) -> String {
    match Target::literal(host) {
        Some(Target { address: IpAddr::V6(address), .. }) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_name_its_interface() {
        let socket = |text: &str| Target::literal(text).expect("an address").socket(80);
        assert_eq!(socket("10.0.0.1"), Ok("10.0.0.1:80".parse().unwrap()));
        assert_eq!(socket("localhost"), Ok("127.0.0.1:80".parse().unwrap()));
        assert_eq!(socket("fd00::1"), Ok("[fd00::1]:80".parse().unwrap()));
        let Ok(SocketAddr::V6(local)) = socket("fe80::1%lo") else { panic!("no address") };
        assert_eq!((local.ip().to_string(), local.scope_id()), ("fe80::1".into(), if_nametoindex("lo").unwrap()));
        // What the other side wrote.
        for odd in ["fe80::1%", "fe80::1%nowhere", "fe80::1%a\0b", &format!("fe80::1%{}", "x".repeat(4096))] {
            assert!(socket(odd).is_err(), "{odd:?}");
        }
        for name in ["web", "10.0.0.1%eth0", "", "::1]", "[::1]", "%eth0"] {
            assert_eq!(Target::literal(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_header_holds_an_address_in_brackets() {
        assert_eq!(host_header("fe80::1%eth0"), "[fe80::1]");
        assert_eq!(host_header("::1"), "[::1]");
        assert_eq!(host_header("10.77.0.2"), "10.77.0.2");
        assert_eq!(host_header("host"), "host");
    }
}
