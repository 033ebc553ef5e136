//! `[[network]]` and `[[machine]]`.

use std::net::Ipv4Addr;

use super::{Fields, Machine, MachineKind, MachineName, Network, parse_size};
use crate::{
    grade::containers,
    sandbox::{self, Placement, Way},
};

const MIB: u64 = 1 << 20;
const KINDS: [(&str, MachineKind); 5] = [
    ("docker-host", MachineKind::DockerHost),
    ("probe", MachineKind::Probe),
    ("plain", MachineKind::Plain),
    ("registry", MachineKind::Registry),
    ("attacker", MachineKind::Attacker),
];

pub(super) fn network(f: Fields<'_>) -> Option<Network> {
    let name = f.parsed("name", MachineName::parse);
    let subnet = f.parsed("subnet", sandbox::Network::parse_subnet);
    let line = f.line();
    f.finish();
    let (subnet, prefix) = subnet?;
    Some(Network { network: sandbox::Network { name: name?.to_string(), subnet, prefix }, line })
}

/// What a machine has unless the lab says otherwise: memory, disk, processes.
fn usual(kind: Option<MachineKind>) -> (u64, u64, u32) {
    match kind {
        Some(MachineKind::DockerHost) => (1536 * MIB, 1024 * MIB, 1024),
        Some(MachineKind::Registry) => (640 * MIB, 512 * MIB, 256),
        Some(MachineKind::Plain | MachineKind::Attacker) => (192 * MIB, 96 * MIB, 256),
        Some(MachineKind::Probe) | None => (64 * MIB, 0, 64),
    }
}

pub(super) fn machine(f: Fields<'_>) -> Option<Machine> {
    let name = f.parsed("name", MachineName::parse);
    let kind = f.opt_choice("kind", &KINDS);
    if kind.is_none() && !f.has("kind") {
        let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
        f.error("the machine has no `kind`", format!("add kind = \"…\", one of {}", names.join(", ")));
    }
    let (memory, disk, pids) = usual(kind);
    let size = |key, usual| f.opt_parsed(key, parse_size).unwrap_or(usual);
    let image = f.opt_string("image");
    let memory_bytes = size("memory", memory);
    let pids = f.opt_integer("pids", 16..=32_768).unwrap_or(pids);
    let disk_bytes = size("disk", disk);
    let placement = placement(&f);
    let usual = matches!(kind, Some(MachineKind::DockerHost | MachineKind::Plain));
    let terminal = f.opt_bool("terminal").unwrap_or(usual);
    if terminal && matches!(kind, Some(MachineKind::Probe | MachineKind::Attacker)) {
        f.error_at(
            "terminal",
            "the machine is the platform's, not the student's",
            "take `terminal` out, or make it plain",
        );
    }
    let user = f.opt_parsed("user", account);
    if user.is_some() && !terminal {
        f.error_at("user", "there is no terminal for the user", "take `user` out, or add terminal = true");
    }
    let summary = f.opt_string("summary").unwrap_or_default();
    let line = f.line();
    f.finish();
    Some(Machine {
        name: name?,
        kind: kind?,
        image,
        memory_bytes,
        pids,
        disk_bytes,
        placement,
        terminal,
        user,
        summary,
        line,
    })
}

fn placement(f: &Fields<'_>) -> Placement {
    let name = |text: &str| MachineName::parse(text).map(|name| name.to_string());
    let mut placement = Placement {
        networks: f.parsed_list("networks", name),
        interfaces: f.map("interfaces").into_iter().collect(),
        gateway: f.opt_parsed("gateway", name),
        ways: f.tables("routes").into_iter().filter_map(way).collect(),
        ip_forward: f.opt_bool("ip_forward").unwrap_or(false),
        ..Placement::default()
    };
    for (network, addresses) in f.lists("addresses") {
        match addresses.iter().map(|address| address.parse()).collect::<Result<Vec<Ipv4Addr>, _>>() {
            Ok(addresses) => _ = placement.addresses.insert(network, addresses),
            Err(_) => f.error_at(
                "addresses",
                format!("{} are no addresses of {network}", addresses.join(", ")),
                "write addresses = { lan = [\"10.77.0.7\"] }",
            ),
        }
    }
    placement
}

fn way(f: Fields<'_>) -> Option<Way> {
    let to = f.parsed("to", sandbox::Network::parse_subnet);
    let via = containers::read_machine(&f, "via", "host");
    f.finish();
    let (to, prefix) = to?;
    Some(Way { to, prefix, via: via?.to_string() })
}

/// As `useradd` has it.
fn account(text: &str) -> Result<String, &'static str> {
    let fits = (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    if fits { Ok(text.to_owned()) } else { Err("write an account's name, such as \"dev1\"") }
}
