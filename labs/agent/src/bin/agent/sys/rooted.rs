//! Opening paths that a student may have made: nothing leads out of the root that is given.

use std::{
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use nix::{
    NixPath,
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
};

const INSIDE: ResolveFlag = ResolveFlag::RESOLVE_IN_ROOT.union(ResolveFlag::RESOLVE_NO_MAGICLINKS);
/// A rename or a mount anywhere on the whole machine may disturb one.
const ATTEMPTS: u32 = 128;

/// Finds `path` below `root` without opening what is there. With `follow` a symbolic link at the end is followed too.
pub(crate) fn find(root: impl AsFd, path: &str, follow: bool) -> nix::Result<OwnedFd> {
    let last = if follow { OFlag::empty() } else { OFlag::O_NOFOLLOW };
    open(root.as_fd(), path, OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC | last).resolve(INSIDE))
}

/// Finds one entry of a directory, never through a link.
pub(crate) fn entry(directory: impl AsFd, name: &std::ffi::CStr) -> nix::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    open(directory.as_fd(), name, how)
}

/// Where a path leads up (`..`), the kernel does not swear that it stayed inside while anything is renamed or mounted
/// anywhere, and leaves asking again to us (openat2(2), `EAGAIN`).
fn open<P: ?Sized + NixPath>(root: BorrowedFd<'_>, path: &P, how: OpenHow) -> nix::Result<OwnedFd> {
    let mut found = openat2(root, path, how);
    for _ in 1..ATTEMPTS {
        if !matches!(found, Err(Errno::EAGAIN)) {
            break;
        }
        found = openat2(root, path, how);
    }
    found
}

/// The way to what a descriptor stands for, for calls that take paths only. Valid in this process, while `/proc` is ours.
pub(crate) fn through(fd: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        sync::atomic::{AtomicBool, Ordering},
    };

    use super::*;

    #[test]
    fn what_others_rename_meanwhile_disturbs_nobody() {
        let own = std::env::temp_dir().join(format!("bulkhead-rooted-{}", std::process::id()));
        fs::create_dir_all(own.join("down/there")).unwrap();
        let (one, two) = (own.join("one"), own.join("two"));
        fs::write(&one, "").unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    fs::rename(&one, &two).unwrap();
                    fs::rename(&two, &one).unwrap();
                }
            });
            let root = File::open(&own).unwrap();
            let found: Vec<_> =
                (0..20_000).filter_map(|_| find(&root, "down/there/../../down/there/..", true).err()).collect();
            done.store(true, Ordering::Relaxed);
            assert_eq!(found, []);
        });
        fs::remove_dir_all(&own).unwrap();
    }
}
