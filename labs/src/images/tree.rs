//! Tar entries on their way into a sandbox image. Guarantees: every parent directory is an entry of its own (an
//! implicit one would belong to the engine's root, which breaks `sudo` on the student's machine), and ids of a machine are
//! shifted to the range that its user namespace maps.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
};

use bulkhead_agent::boot::IDS_PER_MACHINE;
use tar::{Builder, Entry, EntryType, Header};

/// First outer id of the student's machine; the same in every image, so that its layers can be shared.
pub(super) const HOST_ID_BASE: u32 = 100_000;
/// Where the student's machine lies in a sandbox image.
pub(super) const HOST: &str = "host";

const CAPABILITY: &str = "SCHILY.xattr.security.capability";
const USER_XATTRS: &str = "SCHILY.xattr.user.";

pub(super) struct TreeWriter<W: Write> {
    tar: Builder<W>,
    directories: BTreeSet<PathBuf>,
    /// First outer id of the machine whose files come now.
    id_base: u32,
}

/// Who owns what is written without an entry to copy from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The engine's root: out of the student's reach.
    Platform,
    /// Root of the machine that the tree is.
    Machine,
}

impl<W: Write> TreeWriter<W> {
    pub(super) fn new(output: W) -> Self {
        Self { tar: Builder::new(output), directories: BTreeSet::new(), id_base: HOST_ID_BASE }
    }

    /// What follows is another machine's than the student's host.
    pub(super) fn belongs_to(&mut self, id_base: u32) {
        self.id_base = id_base;
    }

    fn id(&self, owner: Owner) -> u32 {
        match owner {
            Owner::Platform => 0,
            Owner::Machine => self.id_base,
        }
    }

    /// What lies above `path` is there already, in the image below.
    pub(super) fn assume_parents(&mut self, path: impl AsRef<Path>) {
        self.directories.extend(path.as_ref().ancestors().skip(1).map(Path::to_owned));
    }

    pub(super) fn directory(&mut self, path: impl AsRef<Path>, mode: u32, owner: Owner) -> io::Result<()> {
        let path = path.as_ref();
        self.parents(path, owner)?;
        if !self.directories.insert(path.to_owned()) {
            return Ok(());
        }
        let mut header = header(EntryType::Directory, mode, self.id(owner), self.id(owner), 0);
        self.tar.append_data(&mut header, path, io::empty())
    }

    pub(super) fn file(&mut self, path: impl AsRef<Path>, mode: u32, owner: Owner, content: &[u8]) -> io::Result<()> {
        self.parents(path.as_ref(), owner)?;
        let mut header = header(EntryType::Regular, mode, self.id(owner), self.id(owner), 0);
        header.set_size(content.len() as u64);
        self.tar.append_data(&mut header, path, content)
    }

    pub(super) fn symlink(&mut self, path: impl AsRef<Path>, target: &Path, owner: Owner) -> io::Result<()> {
        self.parents(path.as_ref(), owner)?;
        let mut header = header(EntryType::Symlink, 0o777, self.id(owner), self.id(owner), 0);
        self.tar.append_link(&mut header, path, target)
    }

    /// Copies an entry of the machine to `to`, shifted; `link` is where a hard link of it now leads.
    pub(super) fn copy<R: Read>(&mut self, mut entry: Entry<'_, R>, to: &Path, link: Option<&Path>) -> io::Result<()> {
        self.parents(to, Owner::Machine)?;
        let kind = entry.header().entry_type();
        if kind.is_dir() && !self.directories.insert(to.to_owned()) {
            return Ok(());
        }
        let (uid, gid) = (self.shifted(entry.header().uid()?, to)?, self.shifted(entry.header().gid()?, to)?);
        let mut header = header(kind, entry.header().mode()?, uid, gid, entry.header().mtime()?);
        let attributes = attributes(&mut entry, self.id_base)?;
        self.tar.append_pax_extensions(attributes.iter().map(|(key, value)| (key.as_str(), value.as_slice())))?;
        match kind {
            EntryType::Directory => self.tar.append_data(&mut header, to, io::empty()),
            EntryType::Link => self.tar.append_link(&mut header, to, link.unwrap_or(to)),
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                match header.set_link_name_literal(&target) {
                    // As it stands: a target is text, not a path to be tidied.
                    Ok(()) => self.tar.append_data(&mut header, to, io::empty()),
                    Err(_) => self.tar.append_link(&mut header, to, path_of(&target)),
                }
            }
            kind if kind.is_file() => {
                header.set_size(entry.size());
                self.tar.append_data(&mut header, to, &mut entry)
            }
            // Pipes and devices are made at boot, by those who may.
            _ => Ok(()),
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.tar.into_inner()?.flush()
    }

    fn shifted(&self, id: u64, path: &Path) -> io::Result<u32> {
        u32::try_from(id).ok().filter(|id| *id < IDS_PER_MACHINE).map(|id| id + self.id_base).ok_or_else(|| {
            io::Error::other(format!(
                "{} belongs to id {id}, which a machine of {IDS_PER_MACHINE} ids does not have",
                path.display()
            ))
        })
    }

    fn parents(&mut self, path: &Path, owner: Owner) -> io::Result<()> {
        let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
        if self.directories.contains(parent) {
            return Ok(());
        }
        self.directory(parent, 0o755, owner)
    }
}

/// The entry's path, without a leading `./` or `/`; `None` for the root itself and for one that climbs out.
pub(super) fn plain(bytes: &[u8]) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for component in path_of(bytes).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    (!path.as_os_str().is_empty()).then_some(path)
}

fn path_of(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn header(kind: EntryType, mode: u32, uid: u32, gid: u32, mtime: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode & 0o7777);
    header.set_uid(u64::from(uid));
    header.set_gid(u64::from(gid));
    header.set_mtime(mtime);
    header.set_size(0);
    header
}

fn attributes<R: Read>(entry: &mut Entry<'_, R>, id_base: u32) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut kept = Vec::new();
    let Some(extensions) = entry.pax_extensions()? else { return Ok(kept) };
    for extension in extensions {
        let extension = extension?;
        let (Ok(key), value) = (extension.key(), extension.value_bytes()) else { continue };
        if key == CAPABILITY {
            kept.push((key.to_owned(), owned_capability(value, id_base)?));
        } else if key.starts_with(USER_XATTRS) {
            kept.push((key.to_owned(), value.to_vec()));
        }
    }
    Ok(kept)
}

/// File capabilities of revision 2 count in the engine's own user namespace only; revision 3 names the root for whom
/// they count, which here is the machine's.
fn owned_capability(value: &[u8], id_base: u32) -> io::Result<Vec<u8>> {
    const REVISION_2: u32 = 0x0200_0000;
    const REVISION_3: u32 = 0x0300_0000;
    let odd = || io::Error::other("a file capability that is neither of revision 2 nor 3");
    let magic = u32::from_le_bytes(*value.first_chunk().ok_or_else(odd)?);
    let sets = match (magic & 0xff00_0000, value.len()) {
        (REVISION_2, 20) | (REVISION_3, 24) => value.get(4..20).ok_or_else(odd)?,
        _ => return Err(odd()),
    };
    let mut owned = (REVISION_3 | (magic & 0x00ff_ffff)).to_le_bytes().to_vec();
    owned.extend_from_slice(sets);
    owned.extend_from_slice(&id_base.to_le_bytes());
    Ok(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_is_given_to_the_students_root() {
        let mut two = vec![1, 0, 0, 2];
        two.extend_from_slice(&[7; 16]);
        let three = owned_capability(&two, 300_000).unwrap();
        assert_eq!(three.len(), 24);
        assert_eq!(three[..4], [1, 0, 0, 3]);
        assert_eq!(three[4..20], [7; 16]);
        assert_eq!(three[20..], 300_000_u32.to_le_bytes());
        assert_eq!(owned_capability(&three, 300_000).unwrap(), three);
        assert!(owned_capability(&[1, 0, 0, 1], 0).is_err());
        assert!(owned_capability(&[], 0).is_err());
    }

    #[test]
    fn paths_are_plain_or_refused() {
        assert_eq!(plain(b"./etc/passwd"), Some(PathBuf::from("etc/passwd")));
        assert_eq!(plain(b"/etc//x/"), Some(PathBuf::from("etc/x")));
        assert_eq!(plain(b"./"), None);
        assert_eq!(plain(b"a/../../b"), None);
    }
}
