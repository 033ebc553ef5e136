//! Looks for texts in everything below some directories: names, links and contents. What does not get done in time or
//! within bounds is said to be left out.

use std::{
    ffi::CString,
    io::Read,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use bulkhead_agent::{
    look::{FileKind, Seen, facts::Hit},
    protocol::FaultKind,
};
use memchr::memmem::Finder;
use nix::{errno::Errno, fcntl::readlinkat, sys::stat::fstat};

use super::{file, place};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    sys::rooted,
};

const TIME: Duration = Duration::from_secs(15);
const MOST_HITS: usize = 64;
const MOST_FILES: u64 = 200_000;
const MOST_BYTES: u64 = 4 << 30;
const MOST_DIRECTORIES: usize = 256;
const MOST_NEEDLES: usize = 16;
const DEEPEST: usize = 64;
const CHUNK: usize = 256 * 1024;

pub(super) fn look(machine: &Machine, pid: Option<i32>, directories: &[String], needles: &[String]) -> Outcome<Seen> {
    let fits = |needle: &String| (4..=256).contains(&needle.len());
    if needles.is_empty() || needles.len() > MOST_NEEDLES || !needles.iter().all(fits) {
        return Err(fault(FaultKind::Invalid, "each text to look for has 4 to 256 bytes"));
    }
    let Some(root) = place::root_as_its_root(machine, pid)? else { return Ok(Seen::Missing) };
    let mut search = Search {
        finders: needles.iter().map(|needle| Finder::new(needle.as_bytes())).collect(),
        overlap: needles.iter().map(String::len).max().unwrap_or_default(),
        directory: String::new(),
        hits: Vec::new(),
        files: 0,
        bytes: 0,
        truncated: directories.len() > MOST_DIRECTORIES,
        deadline: Instant::now() + TIME,
    };
    for directory in directories.iter().take(MOST_DIRECTORIES) {
        directory.clone_into(&mut search.directory);
        match rooted::find(&root, directory, true) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(errno) => return Err(errno).doing(|| format!("find {directory}")),
            Ok(top) => search.entry(&top, "", 0),
        }
    }
    let Search { hits, files, bytes, truncated, .. } = search;
    Ok(Seen::Search { hits, files, bytes, truncated })
}

struct Search<'a> {
    finders: Vec<Finder<'a>>,
    overlap: usize,
    directory: String,
    hits: Vec<Hit>,
    files: u64,
    bytes: u64,
    truncated: bool,
    deadline: Instant,
}

impl Search<'_> {
    /// Whether there is no more room; then what follows is left out.
    fn full(&mut self) -> bool {
        let full = self.files >= MOST_FILES
            || self.bytes >= MOST_BYTES
            || self.hits.len() >= MOST_HITS
            || Instant::now() >= self.deadline;
        self.truncated |= full;
        full
    }

    fn entry(&mut self, found: &OwnedFd, path: &str, depth: usize) {
        if self.full() {
            return;
        }
        self.files += 1;
        let Ok(stat) = fstat(found) else { return };
        match file::kind(&stat) {
            FileKind::Directory if depth >= DEEPEST => self.truncated = true,
            FileKind::Directory => self.below(found, path, depth),
            FileKind::Symlink => {
                let target = readlinkat(found, "").map(std::ffi::OsString::into_encoded_bytes).unwrap_or_default();
                self.text(&target, path, false);
            }
            FileKind::File => self.content(found, path),
            FileKind::Other => {}
        }
    }

    fn below(&mut self, directory: &OwnedFd, prefix: &str, depth: usize) {
        let Ok(listing) = std::fs::read_dir(rooted::through(directory)) else {
            self.truncated = true;
            return;
        };
        for entry in listing.flatten() {
            if self.full() {
                return;
            }
            let name = entry.file_name();
            let path = format!("{prefix}/{}", name.to_string_lossy());
            self.text(name.as_encoded_bytes(), &path, true);
            let Ok(name) = CString::new(name.into_encoded_bytes()) else { continue };
            if let Ok(found) = rooted::entry(directory, &name) {
                self.entry(&found, &path, depth + 1);
            }
        }
    }

    /// Texts that lie across the border of two pieces are found in the second, which begins with the end of the first.
    fn content(&mut self, found: &OwnedFd, path: &str) {
        let Ok(mut file) = file::reopen(found) else {
            self.truncated = true;
            return;
        };
        let mut buffer = vec![0; self.overlap + CHUNK];
        let mut kept = 0;
        let mut open: Vec<usize> = (0..self.finders.len()).collect();
        while !open.is_empty() && !self.full() {
            let count = match file.read(buffer.get_mut(kept..).unwrap_or_default()) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    self.truncated = true;
                    return;
                }
            };
            self.bytes += count as u64;
            let filled = kept + count;
            let bytes = buffer.get(..filled).unwrap_or_default();
            open.retain(|needle| {
                let here = self.finders.get(*needle).is_some_and(|finder| finder.find(bytes).is_some());
                if here {
                    self.hits.push(Hit {
                        needle: *needle,
                        directory: self.directory.clone(),
                        path: path.to_owned(),
                        named: false,
                    });
                }
                !here
            });
            let keep = filled.min(self.overlap);
            buffer.copy_within(filled - keep..filled, 0);
            kept = keep;
        }
    }

    fn text(&mut self, text: &[u8], path: &str, named: bool) {
        for (needle, finder) in self.finders.iter().enumerate() {
            if finder.find(text).is_some() {
                self.hits.push(Hit { needle, directory: self.directory.clone(), path: path.to_owned(), named });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::{
        fcntl::{OFlag, open},
        sys::stat::Mode,
    };

    use super::*;

    fn search(home: &std::path::Path, needles: &[&str]) -> Vec<(usize, String, bool)> {
        let top = open(home, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        let mut search = Search {
            finders: needles.iter().map(|needle| Finder::new(needle.as_bytes())).collect(),
            overlap: needles.iter().map(|needle| needle.len()).max().unwrap(),
            directory: "/".into(),
            hits: Vec::new(),
            files: 0,
            bytes: 0,
            truncated: false,
            deadline: Instant::now() + TIME,
        };
        search.entry(&top, "", 0);
        assert!(!search.truncated);
        let mut hits: Vec<_> = search.hits.into_iter().map(|hit| (hit.needle, hit.path, hit.named)).collect();
        hits.sort();
        hits
    }

    #[test]
    fn names_links_and_contents_are_searched_across_every_border() {
        let home = std::env::temp_dir().join(format!("bulkhead-agent-search-{}", std::process::id()));
        fs::create_dir_all(home.join("a/token-dir")).unwrap();
        for before in [0, CHUNK - 3, CHUNK, 2 * CHUNK - 1] {
            let content = [vec![b'x'; before], b"s3cret-token".to_vec(), vec![b'y'; 9]].concat();
            fs::write(home.join(format!("a/{before}")), content).unwrap();
        }
        fs::write(home.join("plain"), "nothing").unwrap();
        std::os::unix::fs::symlink("/run/s3cret-token", home.join("link")).unwrap();
        // Not followed: it would find everything twice, or lead out.
        std::os::unix::fs::symlink("..", home.join("up")).unwrap();
        let hits = search(&home, &["s3cret-token", "token-dir"]);
        let paths: Vec<_> = hits.iter().map(|(needle, path, named)| (*needle, path.as_str(), *named)).collect();
        assert_eq!(
            paths,
            [
                (0, "/a/0", false),
                (0, &*format!("/a/{}", CHUNK - 3), false),
                (0, &*format!("/a/{CHUNK}"), false),
                (0, &*format!("/a/{}", 2 * CHUNK - 1), false),
                (0, "/link", false),
                (1, "/a/token-dir", true)
            ]
        );
        fs::remove_dir_all(home).unwrap();
    }
}
