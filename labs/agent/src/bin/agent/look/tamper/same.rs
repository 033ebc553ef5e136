//! Whether two files are one.

use std::{
    io::Read,
    os::fd::{AsFd, OwnedFd},
};

use bulkhead_agent::look::FileKind;
use nix::sys::stat::{FileStat, fstat};

use super::super::file;

const MOST_COMPARED: i64 = 256 << 20;
const CHUNK: usize = 64 * 1024;

pub(super) fn kind(found: impl AsFd) -> Option<FileKind> {
    fstat(found).ok().map(|stat| file::kind(&stat))
}

pub(super) fn is_directory(found: impl AsFd) -> bool {
    kind(found) == Some(FileKind::Directory)
}

/// Regular files with the same contents.
pub(super) fn same(a: &OwnedFd, b: &OwnedFd) -> bool {
    let (Ok(left), Ok(right)) = (fstat(a), fstat(b)) else { return false };
    let regular = |stat: &FileStat| file::kind(stat) == FileKind::File;
    regular(&left)
        && regular(&right)
        && left.st_size == right.st_size
        && (untouched(&left, &right) || (left.st_size <= MOST_COMPARED && contents(a, b).unwrap_or(false)))
}

/// The time of the last change of an inode cannot be set by anybody: with the same one, it is the image's own, and need not
/// be read.
fn untouched(a: &FileStat, b: &FileStat) -> bool {
    (a.st_ino, a.st_ctime, a.st_ctime_nsec, a.st_mtime, a.st_mtime_nsec)
        == (b.st_ino, b.st_ctime, b.st_ctime_nsec, b.st_mtime, b.st_mtime_nsec)
}

fn contents(a: &OwnedFd, b: &OwnedFd) -> std::io::Result<bool> {
    let (mut a, mut b) = (file::reopen(a)?, file::reopen(b)?);
    let (mut left, mut right) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut read = 0;
    loop {
        let count = a.read(&mut left)?;
        let (Some(left), Some(right)) = (left.get(..count), right.get_mut(..count)) else { return Ok(false) };
        if count == 0 {
            return Ok(b.read(&mut [0])? == 0);
        }
        read += i64::try_from(count).unwrap_or(i64::MAX);
        // It may grow while it is read.
        if read > MOST_COMPARED || b.read_exact(right).is_err() || left != right {
            return Ok(false);
        }
    }
}
