//! What lies in the student's own layer in the place of the image's.

use std::{ffi::CString, os::fd::OwnedFd};

use bulkhead_agent::look::{FileKind, facts::Tampering};
use nix::sys::stat::{SFlag, fstat};

use super::{
    Changes,
    same::{is_directory, kind, same},
};
use crate::sys::rooted;

const MOST_FILES: usize = 50_000;
const DEEPEST: usize = 16;

pub(super) fn look(upper: &OwnedFd, image: &OwnedFd, directories: &[String], changes: &mut Changes) {
    let mut walk = Walk { image, changes, files: 0 };
    for directory in directories {
        walk.path(upper, directory);
    }
}

struct Walk<'a> {
    image: &'a OwnedFd,
    changes: &'a mut Changes,
    files: usize,
}

impl Walk<'_> {
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
            self.changes.truncated = true;
            return;
        };
        let mut names: Vec<_> = listing.flatten().map(|entry| entry.file_name()).take(MOST_FILES).collect();
        names.sort();
        for name in names {
            self.files += 1;
            if self.changes.is_full() || self.files > MOST_FILES {
                self.changes.truncated = true;
                return;
            }
            let path = format!("{prefix}/{}", name.to_string_lossy());
            let Ok(name) = CString::new(name.into_encoded_bytes()) else { continue };
            let Ok(found) = rooted::entry(directory, &name) else { continue };
            if is_directory(&found) && self.is_directory_of_image(&path) {
                if depth < DEEPEST {
                    self.below(&found, &path, depth + 1);
                } else {
                    self.changes.truncated = true;
                }
            } else {
                self.compare(&found, &path);
            }
        }
    }

    /// What lies in his layer with what the image has there. A file that the image has not is an addition, and none of
    /// ours to judge.
    fn compare(&mut self, found: &OwnedFd, path: &str) {
        let Ok(original) = rooted::find(self.image, path, false) else { return };
        let what = match (kind(found), kind(&original)) {
            _ if is_whiteout(found) => Some(Tampering::Removed),
            (now, was) if now != was => Some(Tampering::Replaced),
            (Some(FileKind::File), _) => (!same(found, &original)).then_some(Tampering::Changed),
            (Some(FileKind::Symlink), _) => {
                let target = |of| nix::fcntl::readlinkat(of, "").ok();
                (target(found) != target(&original)).then_some(Tampering::Changed)
            }
            _ => None,
        };
        if let Some(what) = what {
            self.changes.add(&format!("/{path}"), what);
        }
    }

    fn is_directory_of_image(&self, path: &str) -> bool {
        rooted::find(self.image, path, false).map_or(true, is_directory)
    }
}

/// An overlay's mark that something was removed: a device without a number.
fn is_whiteout(found: &OwnedFd) -> bool {
    fstat(found).is_ok_and(|stat| {
        SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFCHR && stat.st_rdev == 0
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use nix::{
        fcntl::{OFlag, open},
        sys::stat::Mode,
    };

    use super::*;

    #[test]
    fn what_lies_in_the_place_of_the_images_is_told() {
        let home = std::env::temp_dir().join(format!("bulkhead-agent-layer-{}", std::process::id()));
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
        let mut changes = Changes::default();
        let asked = ["usr/bin", "bin", "usr/sbin", "../../etc"].map(str::to_owned);
        look(&open("upper"), &open("image"), &asked, &mut changes);
        let found: Vec<_> = changes.found.iter().map(|(path, what)| (path.as_str(), *what)).collect();
        assert_eq!(
            found,
            [
                ("/bin", Tampering::Replaced),
                ("/usr/bin/bash", Tampering::Replaced),
                ("/usr/bin/docker", Tampering::Changed)
            ]
        );
        fs::remove_dir_all(home).unwrap();
    }
}
