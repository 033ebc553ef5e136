//! The switch that joins the machines: a bridge in the middle namespace, a cable to each machine, no way out.

use std::net::Ipv4Addr;

use nix::unistd::Pid;

use crate::{
    fault::{Doing, Outcome},
    sys::{interface, netlink},
};

const BRIDGE: &str = "bh0";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// What a machine calls its end.
pub(super) const FAR_END: &str = "eth0";

fn cable(index: usize) -> String {
    format!("bh0-{index}")
}

/// Makes the switch, in a network namespace that is new and the middle namespace's own.
pub(super) fn make() -> Outcome<()> {
    netlink::add_bridge(BRIDGE).doing(|| "make the switch".into())?;
    interface::set_address(BRIDGE, ADDRESS).doing(|| "give the switch an address".into())?;
    interface::set_up("lo", true).and_then(|()| interface::set_up(BRIDGE, true)).doing(|| "bring the switch up".into())
}

/// Lays a cable from the switch to the network namespace of `pid`. It goes with that namespace.
pub(super) fn plug(index: usize, pid: Pid) -> Outcome<()> {
    let name = cable(index);
    netlink::add_cable(&name, BRIDGE, FAR_END, pid).doing(|| format!("lay cable {name}"))?;
    interface::set_up(&name, true).doing(|| format!("bring cable {name} up"))
}

/// Takes a machine's cable out, or puts it back.
pub(crate) fn set_link(index: usize, up: bool) -> Outcome<()> {
    let name = cable(index);
    interface::set_up(&name, up).doing(|| format!("bring cable {name} {}", if up { "up" } else { "down" }))
}
