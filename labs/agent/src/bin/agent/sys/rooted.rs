//! Opening paths that a student may have made: nothing leads out of the root that is given.

use std::{
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::PathBuf,
};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

const INSIDE: ResolveFlag = ResolveFlag::RESOLVE_IN_ROOT.union(ResolveFlag::RESOLVE_NO_MAGICLINKS);

/// Finds `path` below `root` without opening what is there. With `follow` a symbolic link at the end is followed too.
pub(crate) fn find(root: impl AsFd, path: &str, follow: bool) -> nix::Result<OwnedFd> {
    let last = if follow { OFlag::empty() } else { OFlag::O_NOFOLLOW };
    openat2(root, path, OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC | last).resolve(INSIDE))
}

/// Finds one entry of a directory, never through a link.
pub(crate) fn entry(directory: impl AsFd, name: &std::ffi::CStr) -> nix::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(directory, name, how)
}

/// The way to what a descriptor stands for, for calls that take paths only. Valid in this process, while `/proc` is ours.
pub(crate) fn through(fd: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}
