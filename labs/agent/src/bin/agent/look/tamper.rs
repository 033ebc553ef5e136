//! Which files of the image are no longer what the image has: in the student's own layer lies another in their place.

use std::{ffi::CString, io::Read, os::fd::OwnedFd};

use bulkhead_agent::look::{FileKind, Seen};
use nix::{
    fcntl::{OFlag, open},
    sys::stat::{Mode, fstat},
};

use super::file;
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    sys::rooted,
};

const IMAGE: &str = "/host";
const MOST: usize = 64;
const MOST_FILES: usize = 50_000;
const MOST_COMPARED: u64 = 256 << 20;
const DEEPEST: usize = 16;

/// Directories without the slash at their beginning.
pub(super) fn look(machine: &Machine, directories: &[String]) -> Outcome<Seen> {
    let Some(state) = &machine.disk.state else { return Ok(Seen::Missing) };
    let place = |path: &std::path::Path| {
        open(path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
            .doing(|| format!("open {}", path.display()))
    };
    let (upper, image) = (place(&state.join("upper"))?, place(IMAGE.as_ref())?);
    let mut tamper = Tamper { image, changed: Vec::new(), files: 0, truncated: false };
    for directory in directories {
        tamper.path(&upper, directory);
    }
    Ok(Seen::Tampered { changed: tamper.changed, truncated: tamper.truncated })
}

struct Tamper {
    image: OwnedFd,
    changed: Vec<String>,
    files: usize,
    truncated: bool,
}

impl Tamper {
    /// A directory or a file that was asked for, and each directory on the way to it: another thing in the place of
    /// `/usr` would make the rest meaningless.
    fn path(&mut self, upper: &OwnedFd, path: &str) {
        let Ok(mut at) = upper.try_clone() else { return };
        let mut walked = String::new();
        for part in path.split('/').filter(|part| !part.is_empty() && *part != "..") {
            walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}/{part}") };
            let Ok(name) = CString::new(part) else { return };
            // Nothing of his lies there.
            let Ok(found) = rooted::entry(&at, &name) else { return };
            if !is_directory(&found) || !self.is_directory_of_image(&walked) {
                self.compare(&found, &walked);
                return;
            }
            at = found;
        }
        self.below(&at, &walked, 0);
    }

    fn below(&mut self, directory: &OwnedFd, prefix: &str, depth: usize) {
        let Ok(listing) = std::fs::read_dir(rooted::through(directory)) else {
            self.truncated = true;
            return;
        };
        let mut names: Vec<_> = listing.flatten().map(|entry| entry.file_name()).take(MOST_FILES).collect();
        names.sort();
        for name in names {
            self.files += 1;
            if self.changed.len() >= MOST || self.files > MOST_FILES {
                self.truncated = true;
                return;
            }
            let path = format!("{prefix}/{}", name.to_string_lossy());
            let Ok(name) = CString::new(name.into_encoded_bytes()) else { continue };
            let Ok(found) = rooted::entry(directory, &name) else { continue };
            if is_directory(&found) && self.is_directory_of_image(&path) {
                if depth < DEEPEST {
                    self.below(&found, &path, depth + 1);
                } else {
                    self.truncated = true;
                }
            } else {
                self.compare(&found, &path);
            }
        }
    }

    /// What lies in his layer with what the image has there. A file that the image has not is an addition, and none of
    /// ours to judge.
    fn compare(&mut self, found: &OwnedFd, path: &str) {
        let Ok(original) = rooted::find(&self.image, path, false) else { return };
        let what = match (fstat(found), fstat(&original)) {
            (Ok(now), _) if file::kind(&now) == FileKind::Other => Some("removed"),
            (Ok(now), Ok(was)) if file::kind(&now) != file::kind(&was) => Some("replaced"),
            (Ok(now), Ok(_)) if file::kind(&now) == FileKind::File => {
                if same(found, &original) {
                    None
                } else {
                    Some("changed")
                }
            }
            (Ok(now), Ok(_)) if file::kind(&now) == FileKind::Symlink => {
                let target = |of| nix::fcntl::readlinkat(of, "").ok();
                if target(found) == target(&original) { None } else { Some("changed") }
            }
            _ => None,
        };
        self.changed.extend(what.map(|what| format!("/{path} {what}")));
    }

    fn is_directory_of_image(&self, path: &str) -> bool {
        rooted::find(&self.image, path, false).map_or(true, |found| is_directory(&found))
    }
}

fn is_directory(found: &OwnedFd) -> bool {
    fstat(found).is_ok_and(|stat| file::kind(&stat) == FileKind::Directory)
}

fn same(a: &OwnedFd, b: &OwnedFd) -> bool {
    let content = |of: &OwnedFd| {
        let mut bytes = Vec::new();
        file::reopen(of).ok()?.take(MOST_COMPARED).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let size = |of: &OwnedFd| fstat(of).map(|stat| stat.st_size).ok();
    size(a) == size(b) && content(a).is_some_and(|a| Some(a) == content(b))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn what_lies_in_the_place_of_the_images_is_told() {
        let home = std::env::temp_dir().join(format!("bulkhead-agent-tamper-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = home.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for name in ["docker", "runc", "bash", "ls"] {
            write(&format!("image/usr/bin/{name}"), name);
        }
        symlink("usr/bin", home.join("image/bin")).unwrap();
        write("upper/usr/bin/docker", "#!/bin/sh");
        write("upper/usr/bin/runc", "runc");
        write("upper/usr/bin/mine", "new");
        write("upper/bin/ls", "in another place");
        symlink("/tmp/sh", home.join("upper/usr/bin/bash")).unwrap();
        let open = |name: &str| open(&home.join(name), OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        let mut tamper = Tamper { image: open("image"), changed: vec![], files: 0, truncated: false };
        for path in ["usr/bin", "bin", "usr/sbin", "../../etc"] {
            tamper.path(&open("upper"), path);
        }
        assert_eq!(tamper.changed, ["/usr/bin/bash replaced", "/usr/bin/docker changed", "/bin replaced"]);
        fs::remove_dir_all(home).unwrap();
    }
}
