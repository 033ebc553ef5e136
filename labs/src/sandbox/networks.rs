//! Who has which address on which network, and what leads where. Pure.

use std::{collections::BTreeMap, net::Ipv4Addr};

use bulkhead_agent::boot::{Interface, LAN, LONGEST_INTERFACE, Route};

use super::{MachinePlan, PlanError};

/// The network of a lab that names none.
const LAN_SUBNET: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 0);
/// Where an inner engine puts its containers unless told otherwise: 172.17.0.0 to 172.31.255.255, and 192.168.0.0/16.
const ENGINES: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(172, 17, 0, 0), 16),
    (Ipv4Addr::new(172, 18, 0, 0), 15),
    (Ipv4Addr::new(172, 20, 0, 0), 14),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub name: String,
    pub subnet: Ipv4Addr,
    pub prefix: u8,
}

/// Where a machine is. Empty: on the lab's only network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// In the order of its interfaces.
    pub networks: Vec<String>,
    /// Network to addresses, in place of the usual one.
    pub addresses: BTreeMap<String, Vec<Ipv4Addr>>,
    /// Network to the interface's name, in place of eth0, eth1, …
    pub interfaces: BTreeMap<String, String>,
    /// The machine that everything else is reached over.
    pub gateway: Option<String>,
    pub ways: Vec<Way>,
    pub ip_forward: bool,
}

/// Other addresses, and the machine over which they are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub to: Ipv4Addr,
    pub prefix: u8,
    pub via: String,
}

impl Network {
    /// Reads `10.77.0.0/24`.
    pub fn parse_subnet(text: &str) -> Result<(Ipv4Addr, u8), String> {
        let wrong = || format!("{text:?} is no subnet; write one such as \"10.77.0.0/24\"");
        let (subnet, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let (subnet, prefix) = (subnet.parse().map_err(|_| wrong())?, prefix.parse().map_err(|_| wrong())?);
        if prefix > 32 || mask(prefix) & bits(subnet) != bits(subnet) {
            return Err(wrong());
        }
        Ok((subnet, prefix))
    }

    fn usable(&self, address: Ipv4Addr) -> bool {
        let host = bits(address) & !mask(self.prefix);
        contains(self.subnet, self.prefix, address) && host != 0 && host != !mask(self.prefix)
    }

    fn check(&self) -> Result<(), PlanError> {
        let wrong = |why: &str| Err(PlanError::Network { network: self.name.clone(), why: why.to_owned() });
        if !is_word(&self.name, 32) {
            return wrong("a name is 1 to 32 of a-z, 0-9 and -");
        }
        if !(16..=28).contains(&self.prefix) || !self.subnet.is_private() {
            return wrong("a subnet is private and of /16 to /28");
        }
        if ENGINES.iter().any(|(subnet, prefix)| overlap((*subnet, *prefix), (self.subnet, self.prefix))) {
            return wrong("Docker puts its own networks there; take one of 10.0.0.0/8");
        }
        Ok(())
    }
}

/// The plan's networks; the usual one where it has none.
pub(super) fn networks(asked: &[Network]) -> Vec<Network> {
    if asked.is_empty() {
        return vec![Network { name: LAN.to_owned(), subnet: LAN_SUBNET, prefix: 24 }];
    }
    asked.to_vec()
}

/// What one machine is joined by.
type Joints = (Vec<Interface>, Vec<Route>);

/// Interfaces and routes of every machine, in order.
pub(super) fn lay(networks: &[Network], machines: &[MachinePlan]) -> Result<Vec<Joints>, PlanError> {
    for (place, network) in networks.iter().enumerate() {
        network.check()?;
        for before in &networks[..place] {
            if before.name == network.name || overlap((before.subnet, before.prefix), (network.subnet, network.prefix))
            {
                let why = format!("it has the name or addresses of {}", before.name);
                return Err(PlanError::Network { network: network.name.clone(), why });
            }
        }
    }
    let interfaces: Vec<Vec<Interface>> =
        (0..).zip(machines).map(|(place, machine)| interfaces(networks, machine, place)).collect::<Result<_, _>>()?;
    let mut taken: BTreeMap<Ipv4Addr, &str> = BTreeMap::new();
    for (machine, interfaces) in machines.iter().zip(&interfaces) {
        for address in interfaces.iter().flat_map(|interface| &interface.addresses) {
            if let Some(other) = taken.insert(*address, &machine.name) {
                return Err(wrong(machine, format!("its address {address} is one of {other} too")));
            }
        }
    }
    let routes: Vec<Vec<Route>> = (0..)
        .zip(machines)
        .map(|(place, machine)| routes(machines, &interfaces, machine, place))
        .collect::<Result<_, _>>()?;
    Ok(interfaces.into_iter().zip(routes).collect())
}

fn interfaces(networks: &[Network], machine: &MachinePlan, place: u32) -> Result<Vec<Interface>, PlanError> {
    let placement = &machine.placement;
    let on = match (placement.networks.as_slice(), networks) {
        ([], [only]) => vec![only.name.clone()],
        ([], _) => return Err(wrong(machine, "there are several networks; say on which it is".to_owned())),
        (on, _) => on.to_vec(),
    };
    let odd = placement.addresses.keys().chain(placement.interfaces.keys()).find(|network| !on.contains(network));
    if let Some(odd) = odd {
        return Err(wrong(machine, format!("it is not on the network {odd}")));
    }
    let mut made: Vec<Interface> = Vec::new();
    for (number, name) in on.iter().enumerate() {
        let network = networks.iter().find(|network| network.name == *name);
        let network = network.ok_or_else(|| wrong(machine, format!("there is no network {name}")))?;
        let usual = || vec![Ipv4Addr::from(bits(network.subnet) + place + 2)];
        let addresses = placement.addresses.get(name).cloned().unwrap_or_else(usual);
        if addresses.is_empty() {
            return Err(wrong(machine, format!("it has no address on {name}")));
        }
        if let Some(odd) = addresses.iter().find(|address| !network.usable(**address)) {
            return Err(wrong(
                machine,
                format!("{odd} is no address of {name}, {}/{}", network.subnet, network.prefix),
            ));
        }
        let interface = placement.interfaces.get(name).cloned().unwrap_or_else(|| format!("eth{number}"));
        let twice = made.iter().any(|before| before.name == interface || before.network == *name);
        if twice || interface == "lo" || !is_word(&interface, LONGEST_INTERFACE) {
            return Err(wrong(machine, format!("it cannot have an interface {interface} on {name}")));
        }
        made.push(Interface { name: interface, network: name.clone(), addresses, prefix: network.prefix });
    }
    Ok(made)
}

fn routes(
    machines: &[MachinePlan],
    interfaces: &[Vec<Interface>],
    machine: &MachinePlan,
    place: usize,
) -> Result<Vec<Route>, PlanError> {
    let address_of = |name: &str| -> Result<Ipv4Addr, PlanError> {
        let other = machines.iter().position(|other| other.name == name).filter(|other| *other != place);
        let other = other.ok_or_else(|| wrong(machine, format!("{name} is no other machine to route over")))?;
        let theirs =
            interfaces[other].iter().find(|theirs| interfaces[place].iter().any(|own| own.network == theirs.network));
        theirs
            .and_then(|theirs| theirs.addresses.first().copied())
            .ok_or_else(|| wrong(machine, format!("it is on no network with {name}, over which it would reach others")))
    };
    let gateway = machine.placement.gateway.as_deref().map(|via| (Ipv4Addr::UNSPECIFIED, 0, via));
    let ways = machine.placement.ways.iter().map(|way| (way.to, way.prefix, way.via.as_str()));
    gateway.into_iter().chain(ways).map(|(to, prefix, via)| Ok(Route { to, prefix, via: address_of(via)? })).collect()
}

fn wrong(machine: &MachinePlan, why: String) -> PlanError {
    PlanError::Place { machine: machine.name.clone(), why }
}

/// Fits a name that becomes a directory, a host or an interface.
pub(super) fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn bits(address: Ipv4Addr) -> u32 {
    u32::from_be_bytes(address.octets())
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn contains(subnet: Ipv4Addr, prefix: u8, address: Ipv4Addr) -> bool {
    bits(address) & mask(prefix) == bits(subnet)
}

fn overlap(one: (Ipv4Addr, u8), two: (Ipv4Addr, u8)) -> bool {
    contains(one.0, one.1, two.0) || contains(two.0, two.1, one.0)
}

#[cfg(test)]
mod tests {
    use bulkhead_agent::boot::MachineKind;

    use super::*;

    fn machine(name: &str, networks: &[&str]) -> MachinePlan {
        let placement =
            Placement { networks: networks.iter().map(ToString::to_string).collect(), ..Placement::default() };
        MachinePlan {
            name: name.to_owned(),
            kind: MachineKind::Probe,
            memory_bytes: 0,
            pids: 0,
            disk_bytes: 0,
            placement,
        }
    }

    fn two() -> Vec<Network> {
        [("lan", "10.77.0.0/24"), ("ext", "10.99.0.0/28")]
            .map(|(name, subnet)| {
                let (subnet, prefix) = Network::parse_subnet(subnet).expect("a subnet");
                Network { name: name.to_owned(), subnet, prefix }
            })
            .to_vec()
    }

    fn shown(laid: &[(Vec<Interface>, Vec<Route>)]) -> Vec<String> {
        let interface = |i: &Interface| format!("{} {} {:?}/{}", i.name, i.network, i.addresses, i.prefix);
        let route = |r: &Route| format!("{}/{} via {}", r.to, r.prefix, r.via);
        let one = |(interfaces, routes): &(Vec<Interface>, Vec<Route>)| {
            interfaces.iter().map(interface).chain(routes.iter().map(route)).collect::<Vec<_>>().join("; ")
        };
        laid.iter().map(one).collect()
    }

    #[test]
    fn a_lab_without_networks_has_one_with_everybody() {
        let laid = lay(&networks(&[]), &[machine("host", &[]), machine("probe", &[])]).expect("a plan");
        assert_eq!(shown(&laid), ["eth0 lan [10.77.0.2]/24", "eth0 lan [10.77.0.3]/24"]);
    }

    #[test]
    fn names_addresses_and_routes_are_as_asked() {
        let mut host = machine("host", &["lan", "ext"]);
        host.placement.interfaces.insert("ext".to_owned(), "ext0".to_owned());
        let mut attacker = machine("attacker", &["ext"]);
        attacker
            .placement
            .addresses
            .insert("ext".to_owned(), [7, 8].map(|last| Ipv4Addr::new(10, 99, 0, last)).to_vec());
        attacker.placement.gateway = Some("host".to_owned());
        attacker.placement.ways.push(Way { to: Ipv4Addr::new(172, 17, 0, 0), prefix: 16, via: "host".to_owned() });
        let laid = lay(&two(), &[host, attacker]).expect("a plan");
        assert_eq!(
            shown(&laid),
            [
                "eth0 lan [10.77.0.2]/24; ext0 ext [10.99.0.2]/28",
                "eth0 ext [10.99.0.7, 10.99.0.8]/28; 0.0.0.0/0 via 10.99.0.2; 172.17.0.0/16 via 10.99.0.2",
            ]
        );
    }

    #[test]
    fn what_cannot_be_is_said() {
        let refused = |change: &dyn Fn(&mut Vec<Network>, &mut Vec<MachinePlan>)| {
            let (mut networks, mut machines) = (two(), vec![machine("host", &["lan"]), machine("far", &["ext"])]);
            change(&mut networks, &mut machines);
            lay(&networks, &machines).expect_err("a plan that cannot be").to_string()
        };
        let addresses = |machine: &mut MachinePlan, network: &str, address: [u8; 4]| {
            machine.placement.addresses.insert(network.to_owned(), vec![address.into()]);
        };
        assert!(refused(&|_, machines| machines[0].placement.networks.clear()).contains("say on which it is"));
        assert!(refused(&|_, machines| machines[0].placement.networks = vec!["x".into()]).contains("no network x"));
        assert!(
            refused(&|_, machines| addresses(&mut machines[0], "ext", [10, 99, 0, 2]))
                .contains("not on the network ext")
        );
        assert!(
            refused(&|_, machines| addresses(&mut machines[0], "lan", [10, 78, 0, 2])).contains("no address of lan")
        );
        assert!(
            refused(&|_, machines| addresses(&mut machines[0], "lan", [10, 77, 0, 255])).contains("no address of lan")
        );
        let twice = refused(&|_, machines| {
            machines[1].placement.networks = vec!["lan".into()];
            addresses(&mut machines[1], "lan", [10, 77, 0, 2]);
        });
        assert!(twice.contains("is one of host too"), "{twice}");
        assert!(
            refused(&|_, machines| machines[1].placement.gateway = Some("host".into()))
                .contains("on no network with host")
        );
        assert!(
            refused(&|_, machines| machines[1].placement.gateway = Some("far".into())).contains("no other machine")
        );
        let odd = |_: &mut Vec<Network>, machines: &mut Vec<MachinePlan>| {
            machines[0].placement.interfaces.insert("lan".into(), "../../x".into());
        };
        assert!(refused(&odd).contains("cannot have an interface"));
        assert!(refused(&|networks, _| networks[1].subnet = Ipv4Addr::new(10, 77, 0, 16)).contains("addresses of lan"));
        assert!(refused(&|networks, _| networks[1].subnet = Ipv4Addr::new(172, 18, 0, 0)).contains("Docker puts"));
        assert!(refused(&|networks, _| networks[1].subnet = Ipv4Addr::new(8, 8, 8, 0)).contains("private"));
    }

    #[test]
    fn a_subnet_has_no_host_bits() {
        assert_eq!(Network::parse_subnet("10.0.0.0/8"), Ok((Ipv4Addr::new(10, 0, 0, 0), 8)));
        for wrong in ["10.77.0.1/24", "10.77.0.0", "10.77.0.0/33", "x/24", "10.77.0.0/x"] {
            assert!(Network::parse_subnet(wrong).is_err(), "{wrong}");
        }
    }
}
