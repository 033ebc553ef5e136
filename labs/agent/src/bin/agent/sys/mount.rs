//! Mounts, with what was tried in the error.

use std::path::Path;

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::statvfs::{FsFlags, statvfs},
};

use crate::fault::{Doing, Outcome};

/// No set-user-id programs, devices or programs at all.
pub(crate) const INERT: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);
/// No set-user-id programs or devices.
pub(crate) const PLAIN: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);

/// A new instance of a file system.
pub(crate) fn fresh(kind: &str, at: impl AsRef<Path>, flags: MsFlags, options: &str) -> Outcome<()> {
    let at = at.as_ref();
    mount(Some(kind), at, Some(kind), flags, Some(options))
        .doing(|| format!("mount {kind} on {} ({options})", at.display()))
}

pub(crate) fn bind(from: impl AsRef<Path>, at: impl AsRef<Path>) -> Outcome<()> {
    bind_with(from.as_ref(), at.as_ref(), MsFlags::MS_BIND)
}

pub(crate) fn bind_all(from: impl AsRef<Path>, at: impl AsRef<Path>) -> Outcome<()> {
    bind_with(from.as_ref(), at.as_ref(), MsFlags::MS_BIND | MsFlags::MS_REC)
}

fn bind_with(from: &Path, at: &Path, flags: MsFlags) -> Outcome<()> {
    mount(Some(from), at, None::<&str>, flags, None::<&str>)
        .doing(|| format!("bind {} to {}", from.display(), at.display()))
}

/// Makes the mount at `at` read-only for those who use it.
pub(crate) fn make_read_only(at: impl AsRef<Path>) -> Outcome<()> {
    let at = at.as_ref();
    let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    // What it has from a namespace above may not be taken off, so it has to be asked for again.
    let now = statvfs(at).doing(|| format!("look at {}", at.display()))?.flags();
    for (has, keep) in [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ] {
        flags.set(keep, now.contains(has));
    }
    mount(None::<&str>, at, None::<&str>, flags, None::<&str>).doing(|| format!("make {} read-only", at.display()))
}

/// What happens below does not reach other mount namespaces, nor the other way.
pub(crate) fn make_private() -> Outcome<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .doing(|| "make mounts private".into())
}

/// Takes off what is mounted last at `at`.
pub(crate) fn detach(at: impl AsRef<Path>) -> Outcome<()> {
    let at = at.as_ref();
    umount2(at, MntFlags::MNT_DETACH).doing(|| format!("detach {}", at.display()))
}
