//! The switches that join the machines, one for each network: a bridge in the middle namespace, cables to its machines,
//! no way out.
//!
//! A bridge has no address: what we keep in the middle can then be neither asked nor used as a router between networks.

use std::fs;

use bulkhead_agent::boot::{Boot, Machine};
use nix::unistd::Pid;

use crate::{
    fault::{Doing, Outcome},
    sys::{interface, netlink},
};

fn bridge(network: usize) -> String {
    format!("bh{network}")
}

/// Our end of the cable to a machine's interface.
fn cable(machine: usize, interface: usize) -> String {
    format!("m{machine}-{interface}")
}

/// Makes the switches, in a network namespace that is new and the middle namespace's own.
pub(super) fn make(boot: &Boot) -> Outcome<()> {
    for index in 0..boot.networks.len() {
        let name = bridge(index);
        netlink::add_bridge(&name).doing(|| format!("make the switch {name}"))?;
        // It would give itself an address on its own; a kernel without IPv6 has none to give.
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1");
        interface::set_up(&name, true).doing(|| format!("bring the switch {name} up"))?;
    }
    interface::set_up("lo", true).doing(|| "bring the loopback up".into())
}

/// Lays the machine's cables to the network namespace of `pid`. They go with that namespace. Those that are `cut` stay down.
pub(super) fn plug(boot: &Boot, index: usize, spec: &Machine, cut: &[bool], pid: Pid) -> Outcome<()> {
    for (number, interface) in spec.interfaces.iter().enumerate() {
        let Some(network) = boot.networks.iter().position(|name| *name == interface.network) else { continue };
        let name = cable(index, number);
        netlink::add_cable(&name, &bridge(network), &interface.name, pid).doing(|| format!("lay cable {name}"))?;
        if cut.get(number) != Some(&true) {
            interface::set_up(&name, true).doing(|| format!("bring cable {name} up"))?;
        }
    }
    Ok(())
}

/// Takes a machine's cable out, or puts it back.
pub(super) fn set_link(machine: usize, interface: usize, up: bool) -> Outcome<()> {
    let name = cable(machine, interface);
    interface::set_up(&name, up).doing(|| format!("bring cable {name} {}", if up { "up" } else { "down" }))
}

/// The machine's own ends, from within its network namespace.
pub(super) fn connect(spec: &Machine) -> Outcome<()> {
    interface::set_up("lo", true).doing(|| "bring the loopback up".into())?;
    for interface in &spec.interfaces {
        for address in &interface.addresses {
            netlink::add_address(&interface.name, *address, interface.prefix)
                .doing(|| format!("give {} the address {address}", interface.name))?;
        }
        believe(&interface.name);
        interface::set_up(&interface.name, true).doing(|| format!("bring {} up", interface.name))?;
    }
    for route in &spec.routes {
        netlink::add_route(route.to, route.prefix, route.via)
            .doing(|| format!("route {}/{} over {}", route.to, route.prefix, route.via))?;
    }
    Ok(())
}

/// The kernel asks a network for up to two seconds whether an address that it gives itself is somebody else's, and as
/// long nobody hears it there. On a switch of ours nobody else has it, and a machine that is up must be heard: who
/// cannot be asked yet looks like one that refuses.
fn believe(interface: &str) {
    // A kernel without IPv6 has nothing to ask about. The stricter of the two holds.
    for of in ["all", interface] {
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{of}/accept_dad"), "0");
    }
}
