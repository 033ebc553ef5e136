//! Joining another process's namespaces.

use std::{fs::File, os::fd::OwnedFd};

use nix::{
    errno::Errno,
    sched::{CloneFlags, setns},
    unistd::Pid,
};

use crate::fault::{Doing, Outcome};

/// `user`, `mnt`, … of a process, open.
pub(crate) fn open(pid: Pid, name: &str) -> Outcome<OwnedFd> {
    let path = format!("/proc/{pid}/ns/{name}");
    File::open(&path).map(OwnedFd::from).doing(|| format!("open {path}"))
}

/// Joins `names` of `pid` in that order. With `user` first, the rest is allowed by what that gave.
pub(crate) fn join(pid: Pid, names: &[&str]) -> Outcome<()> {
    let open = names.iter().map(|name| open(pid, name)).collect::<Outcome<Vec<_>>>()?;
    for (namespace, name) in open.iter().zip(names) {
        setns(namespace, CloneFlags::empty()).doing(|| format!("join the {name} namespace"))?;
    }
    Ok(())
}

/// The namespace above a pid namespace, as far as we may see.
#[expect(unsafe_code, reason = "NS_GET_PARENT has no wrapper")]
pub(crate) fn parent(namespace: &OwnedFd) -> nix::Result<OwnedFd> {
    use std::os::fd::{AsRawFd, FromRawFd};
    const NS_GET_PARENT: libc::Ioctl = 0xb702;
    // SAFETY: the request takes no argument and returns a new descriptor that is ours.
    let fd = Errno::result(unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_PARENT) })?;
    // SAFETY: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
