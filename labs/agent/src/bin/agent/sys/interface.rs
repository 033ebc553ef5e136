//! Flags of network interfaces, by the old ioctls: they need no more than a name.

use std::os::fd::AsRawFd;

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, socket},
};

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

#[expect(unsafe_code, reason = "interface ioctls have no wrapper")]
fn ask(what: libc::Ioctl, request: &mut libc::ifreq) -> nix::Result<()> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: these requests read and write one ifreq.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), what, std::ptr::from_mut(request)) }).map(|_| ())
}
