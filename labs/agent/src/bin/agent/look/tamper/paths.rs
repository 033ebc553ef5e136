//! What is found at a program's path, as the machine's first process finds it: his layer, and whatever was mounted over it.

use std::os::fd::OwnedFd;

use bulkhead_agent::look::{FileKind, facts::Tampering};
use nix::{errno::Errno, sys::stat::fstat};

use super::{
    Changes,
    same::{kind, same},
};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    look::{place::Process, procfs},
    sys::rooted,
};

/// Where a shell looks for programs, in its order, and where the engine keeps its own.
const DIRECTORIES: [&str; 5] = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "usr/libexec/docker"];
/// What a program brings with it whether it wants to or not.
const LOADED: &str = "etc/ld.so.preload";

pub(super) struct View {
    root: OwnedFd,
    /// Where something is mounted, without the slash at the beginning.
    mounts: Vec<String>,
}

impl View {
    pub(super) fn of(machine: &Machine) -> Outcome<Self> {
        let first = Process::first(machine)?;
        let mounts = first.text("mountinfo").doing(|| "read where things are mounted".into())?;
        let points = procfs::mounts(&mounts).into_iter().map(|mount| mount.mount_point);
        let mounts = points.filter_map(|point| point.strip_prefix('/').map(str::to_owned)).filter(|p| !p.is_empty());
        Ok(Self { root: first.root()?, mounts: mounts.collect() })
    }

    pub(super) fn look(&self, image: &OwnedFd, programs: &[String], changes: &mut Changes) {
        for program in programs.iter().filter(|name| !name.contains('/')) {
            let mut known = false;
            // From the last: what comes before the image's own is found in its place.
            for directory in DIRECTORIES.iter().rev() {
                let path = format!("{directory}/{program}");
                match rooted::find(image, &path, true) {
                    Ok(original) => {
                        known = true;
                        self.compare(&path, &original, changes);
                    }
                    Err(_) if known && self.is_program(&path) => changes.add(&format!("/{path}"), Tampering::Added),
                    Err(_) => {}
                }
            }
        }
        if rooted::find(image, LOADED, true).is_err() && rooted::find(&self.root, LOADED, true).is_ok() {
            changes.add(&format!("/{LOADED}"), Tampering::Added);
        }
    }

    fn compare(&self, path: &str, original: &OwnedFd, changes: &mut Changes) {
        let covered = self.mounts.iter().any(|mount| {
            path.strip_prefix(mount.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let otherwise = |what| if covered { Tampering::Covered } else { what };
        let what = match rooted::find(&self.root, path, true) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => Some(otherwise(Tampering::Removed)),
            Err(_) => Some(otherwise(Tampering::Replaced)),
            Ok(found) if kind(&found) != Some(FileKind::File) => Some(otherwise(Tampering::Replaced)),
            Ok(found) => (!same(&found, original)).then_some(otherwise(Tampering::Changed)),
        };
        if let Some(what) = what {
            changes.add(&format!("/{path}"), what);
        }
    }

    fn is_program(&self, path: &str) -> bool {
        let found = rooted::find(&self.root, path, true).and_then(fstat);
        found.is_ok_and(|stat| crate::look::file::kind(&stat) == FileKind::File && stat.st_mode & 0o111 != 0)
    }
}
