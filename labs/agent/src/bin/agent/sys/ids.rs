//! Who this process is.

use nix::{
    sys::prctl,
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};

/// Takes user, group and no other groups, in the user namespace that this process is in.
pub(crate) fn become_id(id: u32) -> nix::Result<()> {
    become_user(id, id, &[])
}

pub(crate) fn become_user(uid: u32, gid: u32, groups: &[u32]) -> nix::Result<()> {
    let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    setgroups(&groups)?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)
}

/// Nobody below may trace this process or read its memory.
pub(crate) fn hide() -> nix::Result<()> {
    prctl::set_dumpable(false)
}

/// Lets the parent write this process's id maps.
pub(crate) fn show() -> nix::Result<()> {
    prctl::set_dumpable(true)
}
