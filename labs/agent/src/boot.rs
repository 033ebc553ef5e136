//! What a sandbox is told at boot: `BULKHEAD_BOOT` in the outer container's environment, as JSON.
//! Nothing secret is in it.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// Environment variable that carries [`Boot`] as JSON.
pub const BOOT_VARIABLE: &str = "BULKHEAD_BOOT";
/// Where the agent's image keeps the agent itself.
pub const AGENT_PATH: &str = "/bulkhead/agent";
/// Read-only in the sandbox's image: layers of the engine's images, shared by all sandboxes of a lab; `<id>/diff` each.
pub const PRELOAD_LAYERS: &str = "/preload/layers";
/// The rest of an engine's store (`image`, `overlay2`), small. At boot the agent copies it to `/var/lib/docker` with its
/// owners and modes; a layer that is shared is there a symbolic link into [`PRELOAD_MOUNT`].
pub const PRELOAD_META: &str = "/preload/meta";
/// What the engine keeps beside the content of each shared layer, `<id>/link` and so on; copied to [`PRELOAD_MOUNT`].
pub const PRELOAD_NOTES: &str = "/preload/notes";
/// Where the student's machine has the shared layers: its own copies of the notes, and at each `<id>/diff` the image's
/// content, bound read-only and not through his overlay. Beside the engine's data, not below it: an engine that ends
/// unmounts all that is mounted there.
pub const PRELOAD_MOUNT: &str = "/var/lib/docker-preload";
/// Of a lab's preloaded layers: which paths below [`PRELOAD_META`] say that an earlier layer's file is gone, each ended by
/// a NUL byte. No image can carry such a mark as it is, so the agent makes it.
pub const PRELOAD_WHITEOUTS: &str = "/preload/whiteouts";
/// Trees of machines without an engine, each below the first id of its machine: `/plain/300000`.
pub const PLAIN_TREES: &str = "/plain";
/// Processes that the whole sandbox's limit must leave to the agent, on top of the machines' own.
pub const AGENT_PIDS: u32 = 64;
/// Ids in one machine's user namespace.
pub const IDS_PER_MACHINE: u32 = 65_536;
/// The network of a lab that names none.
pub const LAN: &str = "lan";
/// Longest name of a machine.
pub const LONGEST_NAME: usize = 32;
/// Longest name of an interface that every kernel takes.
pub const LONGEST_INTERFACE: usize = 15;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boot {
    pub sandbox: String,
    pub generation: u32,
    /// Outer uid that owns the middle user namespace; unique for each sandbox, so that per-user kernel limits are too.
    pub owner_uid: u32,
    /// Switches, each a network of its own. The platform's side has no address on any.
    pub networks: Vec<String>,
    pub machines: Vec<Machine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub name: String,
    pub kind: MachineKind,
    /// First outer id of this machine's range.
    pub id_base: u32,
    pub interfaces: Vec<Interface>,
    pub routes: Vec<Route>,
    /// Its kernel forwards between its interfaces from the start.
    pub ip_forward: bool,
    pub memory_bytes: u64,
    pub pids: u32,
    /// Size of the writable layer. 0 for a machine without one.
    pub disk_bytes: u64,
}

/// One end of a cable to a switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// As the machine calls it.
    pub name: String,
    /// One of [`Boot::networks`].
    pub network: String,
    /// At least one; the first is what the machine speaks from.
    pub addresses: Vec<Ipv4Addr>,
    pub prefix: u8,
}

impl Interface {
    /// `eth0` on [`LAN`].
    pub fn lan(address: [u8; 4]) -> Self {
        Self { name: "eth0".to_owned(), network: LAN.to_owned(), addresses: vec![address.into()], prefix: 24 }
    }
}

/// A way to another network. `to` 0.0.0.0 with prefix 0: to everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub to: Ipv4Addr,
    pub prefix: u8,
    pub via: Ipv4Addr,
}

impl Machine {
    /// Its address as `other` sees it: on the first network of its own that both are on.
    pub fn address_for(&self, other: &Self) -> Option<Ipv4Addr> {
        let shared = |mine: &&Interface| other.interfaces.iter().any(|theirs| theirs.network == mine.network);
        self.interfaces.iter().find(shared).and_then(|interface| interface.addresses.first().copied())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineKind {
    /// The student is root here and has a Docker engine. Its tree is the image's `/host`.
    DockerHost,
    /// Nothing but the agent: asks services from outside.
    Probe,
    /// Debian with a shell and no engine. Its tree is below [`PLAIN_TREES`].
    Plain,
    /// The same, with Debian's registry running from the start.
    Registry,
    /// The same, for the platform's scripts alone.
    Attacker,
}

impl MachineKind {
    /// It has a tree of files and programs of its own, and an init that runs them.
    pub fn has_tree(self) -> bool {
        self != Self::Probe
    }

    /// Its tree is one of [`PLAIN_TREES`].
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Plain | Self::Registry | Self::Attacker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(name: &str, on: &[(&str, &str)]) -> Machine {
        let interface = |(network, address): &(&str, &str)| Interface {
            name: format!("to-{network}"),
            network: (*network).to_owned(),
            addresses: vec![address.parse().unwrap()],
            prefix: 24,
        };
        Machine {
            name: name.to_owned(),
            kind: MachineKind::Probe,
            id_base: 100_000,
            interfaces: on.iter().map(interface).collect(),
            routes: Vec::new(),
            ip_forward: false,
            memory_bytes: 0,
            pids: 0,
            disk_bytes: 0,
        }
    }

    #[test]
    fn a_machine_is_known_by_its_address_on_the_shared_network() {
        let host = machine("host", &[("lan", "10.77.0.2"), ("ext", "10.99.0.2")]);
        let attacker = machine("attacker", &[("ext", "10.99.0.7")]);
        let registry = machine("registry", &[("lan", "10.77.0.4")]);
        assert_eq!(host.address_for(&attacker), Some(Ipv4Addr::new(10, 99, 0, 2)));
        assert_eq!(host.address_for(&registry), Some(Ipv4Addr::new(10, 77, 0, 2)));
        assert_eq!(registry.address_for(&attacker), None);
    }
}
