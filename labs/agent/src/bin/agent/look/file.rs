//! One file, found without leaving the root it was asked for.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::Read,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
};

use bulkhead_agent::look::{FileFacts, FileKind, Seen};
use nix::{
    errno::Errno,
    fcntl::readlinkat,
    sys::stat::{FileStat, SFlag, fstat},
};
use sha2::{Digest, Sha256};

use super::place;
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    sys::rooted,
};

const MOST_HASHED: u64 = 64 * 1024 * 1024;
const MOST_CONTENT: u32 = 512 * 1024;

pub(super) fn look(machine: &Machine, pid: Option<i32>, path: &str, limit: u32) -> Outcome<Seen> {
    let Some(root) = place::root_as_its_root(machine, pid)? else { return Ok(Seen::Missing) };
    // A link is what it leads to; only one that leads nowhere is looked at itself.
    let found = match rooted::find(&root, path, true) {
        Err(Errno::ENOENT | Errno::ELOOP) => rooted::find(&root, path, false),
        other => other,
    };
    match found {
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(Seen::Missing),
        other => facts(&root, &other.doing(|| format!("find {path}"))?, path, limit.min(MOST_CONTENT)).map(Seen::File),
    }
}

pub(super) fn facts(root: &OwnedFd, found: &OwnedFd, path: &str, limit: u32) -> Outcome<FileFacts> {
    let stat = fstat(found).doing(|| format!("look at {path}"))?;
    let kind = kind(&stat);
    let size = u64::try_from(stat.st_size).unwrap_or_default();
    let (content, truncated, sha256) = match kind {
        FileKind::File => {
            let file = reopen(found).doing(|| format!("open {path}"))?;
            read(file, size, limit).doing(|| format!("read {path}"))?
        }
        FileKind::Symlink => (readlinkat(found, "").map(OsString::into_encoded_bytes).unwrap_or_default(), false, None),
        FileKind::Directory | FileKind::Other => (Vec::new(), false, None),
    };
    Ok(FileFacts {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size,
        real_path: real_path(root, found).unwrap_or_else(|| path.to_owned()),
        sha256,
        content: String::from_utf8_lossy(&content).into_owned(),
        truncated,
    })
}

pub(super) fn kind(stat: &FileStat) -> FileKind {
    match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => FileKind::File,
        SFlag::S_IFDIR => FileKind::Directory,
        SFlag::S_IFLNK => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

/// Opens a regular file that was found before. It never waits, neither for a lease nor for anything else.
pub(super) fn reopen(found: impl AsFd) -> std::io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(rooted::through(found))
}

/// The beginning, whether there was more, and the hash of all of it.
fn read(mut file: File, size: u64, limit: u32) -> std::io::Result<(Vec<u8>, bool, Option<String>)> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut hash = (size <= MOST_HASHED).then(Sha256::new);
    let (mut kept, mut total, mut chunk) = (Vec::new(), 0_u64, vec![0_u8; 64 * 1024]);
    loop {
        let count = file.read(&mut chunk)?;
        let bytes = chunk.get(..count).unwrap_or_default();
        total += count as u64;
        kept.extend_from_slice(bytes.get(..limit.saturating_sub(kept.len()).min(count)).unwrap_or_default());
        // It may grow while it is read, or be one of the kernel's that have no size and no end.
        if total > MOST_HASHED {
            hash = None;
        }
        if let Some(hash) = &mut hash {
            hash.update(bytes);
        }
        if count == 0 || (hash.is_none() && kept.len() >= limit) {
            break;
        }
    }
    Ok((kept, total > limit as u64 || size > limit as u64, hash.map(hexadecimal)))
}

pub(super) fn hexadecimal(hash: Sha256) -> String {
    use std::fmt::Write;
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The path of what was found, as seen from `root`.
fn real_path(root: &OwnedFd, found: &OwnedFd) -> Option<String> {
    // Seen from outside, both have a path of the same mount tree, if any. From a root that is a mount namespace's own
    // the kernel gives the path from there, and the root is "/".
    let root = fs::read_link(rooted::through(root)).ok()?;
    let found = fs::read_link(rooted::through(found)).ok()?;
    let inside = found.strip_prefix(&root).ok()?;
    Some(format!("/{}", inside.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use nix::{
        fcntl::{OFlag, open},
        sys::stat::Mode,
    };

    use super::*;

    fn temporary(content: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!("bulkhead-agent-file-{}-{}", std::process::id(), content.len()));
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        file.write_all(content).unwrap();
        let file = File::open(&path).unwrap();
        fs::remove_file(path).unwrap();
        file
    }

    #[test]
    fn the_hash_is_of_all_and_the_content_only_the_beginning() {
        let (content, truncated, hash) = read(temporary(b"hello"), 5, 2).unwrap();
        assert_eq!((content.as_slice(), truncated), (b"he".as_slice(), true));
        assert_eq!(hash.unwrap(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        let (content, truncated, _) = read(temporary(b"abc"), 3, 3).unwrap();
        assert_eq!((content.as_slice(), truncated), (b"abc".as_slice(), false));
    }

    #[test]
    fn a_file_without_end_is_given_up() {
        let (content, truncated, hash) = read(File::open("/dev/zero").unwrap(), 0, 4).unwrap();
        assert_eq!((content.len(), truncated, hash), (4, true, None));
    }

    #[test]
    fn nothing_leads_out_of_the_root() {
        let home = std::env::temp_dir().join(format!("bulkhead-agent-root-{}", std::process::id()));
        fs::create_dir_all(home.join("a/b")).unwrap();
        fs::write(home.join("etc-passwd"), "inside").unwrap();
        for (name, target) in
            [("up", "../../../../../../etc-passwd"), ("absolute", "/etc-passwd"), ("magic", "/proc/self/root")]
        {
            std::os::unix::fs::symlink(target, home.join("a").join(name)).unwrap();
        }
        let root = open(&home, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        for path in ["a/up", "a/absolute", "/a/absolute", "../../a/up"] {
            let found = rooted::find(&root, path, true).unwrap();
            let facts = facts(&root, &found, path, 100).unwrap();
            assert_eq!((facts.content.as_str(), facts.real_path.as_str()), ("inside", "/etc-passwd"), "{path}");
        }
        assert_eq!(rooted::find(&root, "/etc/passwd", true).unwrap_err(), Errno::ENOENT);
        assert_eq!(rooted::find(&root, "a/magic", true).unwrap_err(), Errno::ENOENT);
        fs::remove_dir_all(home).unwrap();
    }
}
