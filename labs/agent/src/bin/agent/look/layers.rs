//! An image's directories as they lie on each other: whiteouts hide what is below, and so do opaque directories.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{CString, OsString},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use bulkhead_agent::look::{FileKind, Seen, facts::ScanEntry};
use nix::{
    errno::Errno,
    sys::stat::{FileStat, fstat},
};

use super::{file, place};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
    sys::{rooted, xattr},
};

const TIME: Duration = Duration::from_secs(15);
const MOST_FILES: usize = 300_000;
const MOST_ENTRIES: usize = 4_000;
const MOST_LAYERS: usize = 128;
const DEEPEST: usize = 64;
const SET_IDS: u32 = 0o6000;
/// Where programs are looked for by name.
const PROGRAMS: [&str; 8] =
    ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/games", "/opt/bin"];

fn open(machine: &Machine, pid: Option<i32>, layers: &[String]) -> Outcome<Option<(OwnedFd, Vec<OwnedFd>)>> {
    let Some(root) = place::root_as_its_root(machine, pid)? else { return Ok(None) };
    let layers =
        layers.iter().take(MOST_LAYERS).map(|layer| rooted::find(&root, layer, true).doing(|| format!("find {layer}")));
    let layers = layers.collect::<Outcome<_>>()?;
    Ok(Some((root, layers)))
}

fn is_whiteout(stat: &FileStat) -> bool {
    stat.st_rdev == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFCHR
}

fn is_opaque(directory: &OwnedFd) -> bool {
    [c"user.overlay.opaque", c"trusted.overlay.opaque"].iter().any(|name| xattr::get(directory, name).is_some())
}

/// What the topmost layer that has `path` has there.
pub(super) fn find(machine: &Machine, layers: &[String], path: &str, limit: u32) -> Outcome<Seen> {
    let Some((_, layers)) = open(machine, None, layers)? else { return Ok(Seen::Missing) };
    for layer in &layers {
        match rooted::find(layer, path, true) {
            Ok(found) => {
                let stat = fstat(&found).doing(|| format!("look at {path}"))?;
                if is_whiteout(&stat) {
                    return Ok(Seen::Missing);
                }
                return file::facts(layer, &found, path, limit).map(Seen::File);
            }
            // Something that is no directory lies on the way, and hides what is below.
            Err(Errno::ENOTDIR) => return Ok(Seen::Missing),
            Err(Errno::ENOENT | Errno::ELOOP) if hides(layer, path) => return Ok(Seen::Missing),
            Err(Errno::ENOENT | Errno::ELOOP) => {}
            Err(errno) => return Err(errno).doing(|| format!("find {path}")),
        }
    }
    Ok(Seen::Missing)
}

/// Whether a directory above `path` is opaque in this layer.
fn hides(layer: &OwnedFd, path: &str) -> bool {
    path.match_indices('/').skip(1).any(|(end, _)| {
        path.get(..end).and_then(|above| rooted::find(layer, above, false).ok()).is_some_and(|above| is_opaque(&above))
    })
}

pub(super) fn scan(machine: &Machine, pid: Option<i32>, layers: &[String]) -> Outcome<Seen> {
    let Some((_, layers)) = open(machine, pid, layers)? else { return Ok(Seen::Missing) };
    let mut scan = Scan { entries: Vec::new(), files: 0, truncated: false, deadline: Instant::now() + TIME };
    scan.directory(&layers, "", 0);
    Ok(Seen::Scan { entries: scan.entries, truncated: scan.truncated })
}

struct Scan {
    entries: Vec<ScanEntry>,
    files: usize,
    truncated: bool,
    deadline: Instant,
}

impl Scan {
    /// One directory of the merged tree, the same in each layer, the topmost first.
    fn directory(&mut self, layers: &[OwnedFd], path: &str, depth: usize) {
        if depth > DEEPEST || Instant::now() >= self.deadline {
            self.truncated = true;
            return;
        }
        // By name what is below: whether lower layers still count, and the directories that join.
        let mut joined: BTreeMap<OsString, Vec<OwnedFd>> = BTreeMap::new();
        let mut decided: BTreeSet<OsString> = BTreeSet::new();
        for layer in layers {
            let Ok(listing) = std::fs::read_dir(rooted::through(layer)) else {
                self.truncated = true;
                continue;
            };
            for entry in listing.flatten() {
                let name = entry.file_name();
                if decided.contains(&name) {
                    continue;
                }
                self.files += 1;
                if self.files > MOST_FILES {
                    self.truncated = true;
                    return;
                }
                let Ok(plain) = CString::new(name.clone().into_encoded_bytes()) else { continue };
                let Ok(found) = rooted::entry(layer, &plain) else { continue };
                let Ok(stat) = fstat(&found) else { continue };
                if file::kind(&stat) == FileKind::Directory {
                    if is_opaque(&found) {
                        decided.insert(name.clone());
                    }
                    joined.entry(name).or_default().push(found);
                    continue;
                }
                decided.insert(name.clone());
                // Below a directory of a layer above it does not show.
                if !is_whiteout(&stat) && !joined.contains_key(&name) {
                    self.entry(&found, &stat, format!("{path}/{}", name.to_string_lossy()), path);
                }
            }
        }
        for (name, directories) in joined {
            self.directory(&directories, &format!("{path}/{}", name.to_string_lossy()), depth + 1);
        }
    }

    fn entry(&mut self, found: &OwnedFd, stat: &FileStat, path: String, directory: &str) {
        let kind = file::kind(stat);
        let regular = kind == FileKind::File;
        let capable = regular && xattr::get(found, c"security.capability").is_some();
        let mode = stat.st_mode & 0o7777;
        if !(PROGRAMS.contains(&directory) || capable || (regular && mode & SET_IDS != 0)) {
            return;
        }
        if self.entries.len() >= MOST_ENTRIES {
            self.truncated = true;
            return;
        }
        let size = u64::try_from(stat.st_size).unwrap_or_default();
        self.entries.push(ScanEntry { path, kind, mode, uid: stat.st_uid, size, capable });
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::PermissionsExt,
        path::{Path, PathBuf},
    };

    use nix::{
        fcntl::{OFlag, open},
        sys::stat::{Mode, SFlag, mknod},
    };

    use super::*;

    fn layer(home: &Path, name: &str, files: &[(&str, u32)]) -> OwnedFd {
        let at = home.join(name);
        for (path, mode) in files {
            let file: PathBuf = at.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "x").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(*mode)).unwrap();
        }
        open(&at, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()).unwrap()
    }

    #[test]
    fn the_topmost_layer_decides() {
        let home = std::env::temp_dir().join(format!("bulkhead-agent-layers-{}", std::process::id()));
        let bottom = layer(&home, "0", &[("usr/bin/su", 0o4755), ("usr/bin/ping", 0o4755), ("opt/x/helper", 0o2755)]);
        let top = layer(&home, "1", &[("usr/bin/su", 0o755), ("app/run", 0o6755)]);
        let scan = |layers: &[OwnedFd]| {
            let mut scan = Scan { entries: vec![], files: 0, truncated: false, deadline: Instant::now() + TIME };
            scan.directory(layers, "", 0);
            assert!(!scan.truncated);
            let mut found: Vec<_> =
                scan.entries.into_iter().map(|entry| format!("{} {:o}", entry.path, entry.mode)).collect();
            found.sort();
            found
        };
        let layers = [top, bottom];
        assert_eq!(scan(&layers), ["/app/run 6755", "/opt/x/helper 2755", "/usr/bin/ping 4755", "/usr/bin/su 755"]);
        // A whiteout takes rights that a user of a test may lack.
        if mknod(&home.join("1/usr/bin/ping"), SFlag::S_IFCHR, Mode::empty(), 0).is_ok() {
            mknod(&home.join("1/opt"), SFlag::S_IFCHR, Mode::empty(), 0).unwrap();
            assert_eq!(scan(&layers), ["/app/run 6755", "/usr/bin/su 755"]);
        }
        fs::remove_dir_all(home).unwrap();
    }
}
