//! What only rtnetlink can do for us: make a bridge, a pair of cables with one end on it and the other in a machine,
//! more than one address on an interface, and routes.

use std::{
    net::Ipv4Addr,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    net::if_::if_nametoindex,
    sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket},
    unistd::Pid,
};

const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_PID: u16 = 19;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const RTA_DST: u16 = 1;
const RTA_GATEWAY: u16 = 5;
const INET: u8 = 2;
/// An `ifinfomsg` that names no interface.
const ANY_INTERFACE: [u8; 16] = [0; 16];

pub(crate) fn add_bridge(name: &str) -> nix::Result<()> {
    let mut body = Attributes::default();
    body.text(IFLA_IFNAME, name);
    body.nest(IFLA_LINKINFO, |link| link.text(IFLA_INFO_KIND, "bridge"));
    create(RTM_NEWLINK, &ANY_INTERFACE, &body)
}

/// Gives an interface of our network namespace one more address.
pub(crate) fn add_address(name: &str, address: Ipv4Addr, prefix: u8) -> nix::Result<()> {
    let index = if_nametoindex(name)?.to_ne_bytes();
    // `ifaddrmsg`: family, prefix, flags, scope (everywhere), interface.
    let head = [INET, prefix, 0, 0, index[0], index[1], index[2], index[3]];
    let mut body = Attributes::default();
    body.bytes(IFA_LOCAL, &address.octets());
    body.bytes(IFA_ADDRESS, &address.octets());
    create(RTM_NEWADDR, &head, &body)
}

/// In our network namespace, `to`/`prefix` is reached over `via`.
pub(crate) fn add_route(to: Ipv4Addr, prefix: u8, via: Ipv4Addr) -> nix::Result<()> {
    const MAIN_TABLE: u8 = 254;
    const BY_BOOT: u8 = 3;
    const UNICAST: u8 = 1;
    // `rtmsg`: family, prefixes of destination and source, service, table, who made it, scope (everywhere), type, flags.
    let head = [INET, prefix, 0, 0, MAIN_TABLE, BY_BOOT, 0, UNICAST, 0, 0, 0, 0];
    let mut body = Attributes::default();
    if prefix > 0 {
        body.bytes(RTA_DST, &to.octets());
    }
    body.bytes(RTA_GATEWAY, &via.octets());
    create(RTM_NEWROUTE, &head, &body)
}

/// Makes a cable: `name` on `bridge` here, `far` in the network namespace of `pid`.
pub(crate) fn add_cable(name: &str, bridge: &str, far: &str, pid: Pid) -> nix::Result<()> {
    let bridge = if_nametoindex(bridge)?;
    let mut body = Attributes::default();
    body.text(IFLA_IFNAME, name);
    body.bytes(IFLA_MASTER, &bridge.to_ne_bytes());
    body.nest(IFLA_LINKINFO, |link| {
        link.text(IFLA_INFO_KIND, "veth");
        link.nest(IFLA_INFO_DATA, |data| {
            data.nest(VETH_INFO_PEER, |peer| {
                peer.0.extend_from_slice(&ANY_INTERFACE);
                peer.text(IFLA_IFNAME, far);
                peer.bytes(IFLA_NET_NS_PID, &pid.as_raw().to_ne_bytes());
            });
        });
    });
    create(RTM_NEWLINK, &ANY_INTERFACE, &body)
}

fn create(kind: u16, head: &[u8], attributes: &Attributes) -> nix::Result<()> {
    let message = message(kind, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head, attributes);
    let socket: OwnedFd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    send(socket.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0_u8; 4096];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    acknowledged(answer.get(..length).unwrap_or_default())
}

fn message(kind: u16, flags: u16, head: &[u8], attributes: &Attributes) -> Vec<u8> {
    let length = u32::try_from(16 + head.len() + attributes.0.len()).unwrap_or(u32::MAX);
    let mut message = Vec::new();
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&flags.to_ne_bytes());
    message.extend_from_slice(&[0; 8]); // sequence and port: one question, one answer
    message.extend_from_slice(head);
    message.extend_from_slice(&attributes.0);
    message
}

/// Reads the kernel's word out of its answer.
fn acknowledged(answer: &[u8]) -> nix::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let code = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(Errno::from_raw(-code)),
        _ => Err(Errno::EBADMSG),
    }
}

#[derive(Default)]
struct Attributes(Vec<u8>);

impl Attributes {
    fn bytes(&mut self, kind: u16, value: &[u8]) {
        self.nest(kind, |inner| inner.0.extend_from_slice(value));
    }

    fn text(&mut self, kind: u16, value: &str) {
        self.nest(kind, |inner| {
            inner.0.extend_from_slice(value.as_bytes());
            inner.0.push(0);
        });
    }

    fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        let length = u16::try_from(inner.0.len() + 4).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(&inner.0);
        while !self.0.len().is_multiple_of(4) {
            self.0.push(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_to_four_bytes_but_say_their_own_length() {
        let mut attributes = Attributes::default();
        attributes.text(IFLA_IFNAME, "bh0");
        attributes.text(IFLA_IFNAME, "eth0");
        assert_eq!(attributes.0, b"\x08\0\x03\0bh0\0\x09\0\x03\0eth0\0\0\0\0");
    }

    #[test]
    fn an_answer_is_an_errno_or_nothing() {
        let mut answer = vec![0_u8; 36];
        answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
        assert_eq!(acknowledged(&answer), Ok(()));
        answer[16..20].copy_from_slice(&(-17_i32).to_ne_bytes());
        assert_eq!(acknowledged(&answer), Err(Errno::EEXIST));
        assert_eq!(acknowledged(&answer[..12]), Err(Errno::EBADMSG));
        assert_eq!(acknowledged(&[]), Err(Errno::EBADMSG));
    }
}
