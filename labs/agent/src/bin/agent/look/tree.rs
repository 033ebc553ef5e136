//! Everything below a directory.

use std::{ffi::CString, os::fd::OwnedFd};

use bulkhead_agent::look::{FileKind, Seen, TreeEntry};
use nix::{errno::Errno, sys::stat::fstat};
use sha2::{Digest, Sha256};

use super::{file, place};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    sys::{descriptor, rooted},
};

const MOST_ENTRIES: u32 = 20_000;
const MOST_HASHED: u64 = 1024 * 1024;
const DEEPEST: usize = 64;

pub(super) fn look(machine: &Machine, pid: Option<i32>, path: &str, limit: u32) -> Outcome<Seen> {
    let Some(root) = place::root_as_its_root(machine, pid)? else { return Ok(Seen::Missing) };
    let top = match rooted::find(&root, path, true) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(Seen::Missing),
        other => other.doing(|| format!("find {path}"))?,
    };
    let device = fstat(&top).doing(|| format!("look at {path}"))?.st_dev;
    let mut walk = Walk { entries: Vec::new(), left: limit.min(MOST_ENTRIES), truncated: false, device };
    walk.directory(&top, "", 0);
    Ok(Seen::Tree { entries: walk.entries, truncated: walk.truncated })
}

struct Walk {
    entries: Vec<TreeEntry>,
    left: u32,
    truncated: bool,
    /// Other file systems below, such as a container's `/proc`, are not gone into.
    device: u64,
}

impl Walk {
    fn directory(&mut self, directory: &OwnedFd, prefix: &str, depth: usize) {
        let Ok(listing) = std::fs::read_dir(rooted::through(directory)) else {
            self.truncated = true;
            return;
        };
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).saturating_add(1);
        let mut names: Vec<_> = listing.flatten().map(|entry| entry.file_name()).take(most).collect();
        names.sort();
        for name in names {
            let Some(left) = self.left.checked_sub(1) else {
                self.truncated = true;
                return;
            };
            self.left = left;
            let path = format!("{prefix}{}", name.to_string_lossy());
            let Ok(name) = CString::new(name.into_encoded_bytes()) else { continue };
            // What is gone by now was not there.
            let Ok(found) = rooted::entry(directory, &name) else { continue };
            self.entry(&found, path, depth);
        }
    }

    fn entry(&mut self, found: &OwnedFd, path: String, depth: usize) {
        let Ok(stat) = fstat(found) else { return };
        let kind = file::kind(&stat);
        let size = u64::try_from(stat.st_size).unwrap_or_default();
        let sha256 = (kind == FileKind::File && size < MOST_HASHED).then(|| hash(found)).flatten();
        self.entries.push(TreeEntry {
            path: path.clone(),
            kind,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            size,
            sha256,
        });
        if kind == FileKind::Directory && stat.st_dev == self.device {
            if depth < DEEPEST {
                self.directory(found, &format!("{path}/"), depth + 1);
            } else {
                self.truncated = true;
            }
        }
    }
}

fn hash(found: &OwnedFd) -> Option<String> {
    let bytes = descriptor::read_bounded(file::reopen(found).ok()?, MOST_HASHED).ok()?;
    Some(file::hexadecimal(Sha256::new_with_prefix(bytes)))
}
