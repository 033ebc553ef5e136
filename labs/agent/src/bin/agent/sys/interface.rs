//! Addresses and flags of network interfaces, by the old ioctls: they need no more than a name.

use std::{net::Ipv4Addr, os::fd::AsRawFd};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, socket},
};

/// Gives an interface of our network namespace an address in a /24.
pub(crate) fn set_address(name: &str, address: Ipv4Addr) -> nix::Result<()> {
    let mut request = named(name);
    request.ifr_ifru.ifru_addr = internet(address);
    ask(libc::SIOCSIFADDR, &mut request)?;
    let mut request = named(name);
    request.ifr_ifru.ifru_netmask = internet(Ipv4Addr::new(255, 255, 255, 0));
    ask(libc::SIOCSIFNETMASK, &mut request)
}

/// Brings an interface of our network namespace up or down.
#[expect(unsafe_code, reason = "ifreq holds a union")]
pub(crate) fn set_up(name: &str, up: bool) -> nix::Result<()> {
    let mut request = named(name);
    ask(libc::SIOCGIFFLAGS, &mut request)?;
    let flag = libc::c_short::try_from(libc::IFF_UP).unwrap_or(1);
    // SAFETY: SIOCGIFFLAGS has filled this member in.
    let now = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = if up { now | flag } else { now & !flag };
    ask(libc::SIOCSIFFLAGS, &mut request)
}

#[expect(unsafe_code, reason = "ifreq has no constructor")]
fn named(name: &str) -> libc::ifreq {
    // SAFETY: ifreq is plain numbers; all zero is a value of it.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(libc::IFNAMSIZ - 1)) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request
}

#[expect(unsafe_code, reason = "sockaddr_in travels as sockaddr")]
fn internet(address: Ipv4Addr) -> libc::sockaddr {
    let internet = libc::sockaddr_in {
        sin_family: libc::sa_family_t::try_from(libc::AF_INET).unwrap_or(2),
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) },
        sin_zero: [0; 8],
    };
    // SAFETY: both are 16 bytes of plain numbers, and sockaddr is what the kernel expects in an ifreq.
    unsafe { std::mem::transmute::<libc::sockaddr_in, libc::sockaddr>(internet) }
}

#[expect(unsafe_code, reason = "interface ioctls have no wrapper")]
fn ask(what: libc::Ioctl, request: &mut libc::ifreq) -> nix::Result<()> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: these requests read and write one ifreq.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), what, std::ptr::from_mut(request)) }).map(|_| ())
}
