//! An engine's store, as `tar -C /var/lib/docker` gives it → `/preload` of a sandbox image.
//!
//! ```text
//! overlay2/<id>/diff/…   → preload/layers/<id>/diff/…          shared, read-only
//! overlay2/<id>/…        → preload/notes/<id>/…                copied for each student, beside his engine's data
//!                          preload/meta/overlay2/<id>          a symbolic link to where he has both together
//! all else               → preload/meta/…                      copied for each student
//! ```
//!
//! The engine must find a directory at `<id>/diff`: it compares a new layer with that of its parent without following a
//! link. Nor may it take the layer for one that can be written to, so each is marked as one that others build upon.
//!
//! A layer that hides what earlier ones made is copied for each student too. In it a device 0:0 says that something is gone;
//! the outer engine would take it for a deletion in its own layer, so it becomes a line of `preload/whiteouts`.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use bulkhead_agent::boot::{PRELOAD_MOUNT, PRELOAD_WHITEOUTS};
use tar::{Archive, Entry};

use super::{
    bake::{PRELOAD_LAYERS, PRELOAD_META, PRELOAD_NOTES},
    tree::{Owner, TreeWriter, plain},
};

/// Of all layers of a lab that hide something; it is memory of every student.
const MOST_COPIED: u64 = 32 << 20;
/// In a layer's directory: others build upon it, so the engine mounts it without a place to write to. It makes the mark
/// itself when a layer gets its first child, and a topmost one has none.
const COMMITTED: &str = "committed";

/// `hiding` are the layers that hide something of earlier ones.
pub(super) fn split<W: Write>(
    store: &mut dyn Read,
    tree: &mut TreeWriter<W>,
    hiding: &BTreeSet<String>,
) -> io::Result<()> {
    let mut shared = BTreeSet::new();
    let (mut whiteouts, mut copied) = (Vec::new(), 0);
    let mut archive = Archive::new(store);
    for entry in archive.entries()? {
        let entry = entry?;
        let Some(path) = plain(&entry.path_bytes()) else { continue };
        let layer = Layer::of(&path);
        let hides = layer.as_ref().is_some_and(|layer| hiding.contains(&layer.id));
        if layer.as_ref().is_some_and(Layer::is_content) {
            if is_whiteout(&entry, &path)? {
                if !hides {
                    return Err(io::Error::other(format!(
                        "{} came up after the layers were looked at",
                        path.display()
                    )));
                }
                whiteouts.extend_from_slice(path.as_os_str().as_bytes());
                whiteouts.push(0);
                continue;
            }
            copied += if hides { entry.size() } else { 0 };
            refuse_size(copied, &path)?;
        }
        let linked = entry.link_name_bytes().and_then(|target| plain(&target));
        let Some(layer) = layer.filter(|_| !hides) else {
            let link = linked.map(|target| Path::new(PRELOAD_META).join(target));
            tree.copy(entry, &Path::new(PRELOAD_META).join(path), link.as_deref())?;
            continue;
        };
        if shared.insert(layer.id.clone()) {
            share(tree, &layer.id)?;
        }
        // Each student's is his own.
        if layer.inside != Path::new(COMMITTED) {
            let link = linked.and_then(|target| Layer::of(&target)).map(|layer| layer.place());
            tree.copy(entry, &layer.place(), link.as_deref())?;
        }
    }
    if !whiteouts.is_empty() {
        tree.file(PRELOAD_WHITEOUTS.trim_start_matches('/'), 0o644, Owner::Platform, &whiteouts)?;
    }
    if shared.is_empty() {
        return Err(io::Error::other("the engine's store holds no layer"));
    }
    Ok(())
}

/// What stands for a shared layer in the engine's store, and that it is nobody's to write to.
fn share<W: Write>(tree: &mut TreeWriter<W>, id: &str) -> io::Result<()> {
    tree.directory(Path::new(PRELOAD_LAYERS).join(id), 0o710, Owner::Machine)?;
    let notes = Path::new(PRELOAD_NOTES).join(id);
    tree.directory(&notes, 0o710, Owner::Machine)?;
    tree.file(notes.join(COMMITTED), 0o600, Owner::Machine, b"")?;
    tree.symlink(Path::new(PRELOAD_META).join("overlay2").join(id), &Path::new(PRELOAD_MOUNT).join(id), Owner::Machine)
}

/// A path in a layer's directory.
struct Layer {
    id: String,
    inside: PathBuf,
}

impl Layer {
    fn of(path: &Path) -> Option<Self> {
        let mut parts = path.strip_prefix("overlay2").ok()?.components();
        let id = parts.next()?.as_os_str().to_str()?.to_owned();
        // Beside the layers lies the directory of their short names.
        (id != "l").then(|| Self { id, inside: parts.as_path().to_owned() })
    }
    fn is_content(&self) -> bool {
        self.inside.starts_with("diff")
    }
    fn place(&self) -> PathBuf {
        let top = if self.is_content() { PRELOAD_LAYERS } else { PRELOAD_NOTES };
        Path::new(top).join(&self.id).join(&self.inside)
    }
}

/// A deletion is a device 0:0 here.
fn is_whiteout<R: Read>(entry: &Entry<'_, R>, path: &Path) -> io::Result<bool> {
    let header = entry.header();
    if !header.entry_type().is_character_special() {
        return Ok(false);
    }
    if (header.device_major()?, header.device_minor()?) == (Some(0), Some(0)) {
        return Ok(true);
    }
    Err(io::Error::other(format!("a layer of a preloaded image makes a device at {}", path.display())))
}

fn refuse_size(copied: u64, path: &Path) -> io::Result<()> {
    if copied <= MOST_COPIED {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "layers of preloaded images that delete what earlier ones made are copied for every student, and up to {} they hold \
         more than {} MiB; delete in a step of the Dockerfile that makes nothing large",
        path.display(),
        MOST_COPIED >> 20,
    )))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tar::{Builder, EntryType, Header};

    use super::*;

    fn header(kind: EntryType) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        header
    }

    fn through(build: impl FnOnce(&mut Builder<Vec<u8>>)) -> io::Result<BTreeMap<String, Option<String>>> {
        let mut store = Builder::new(Vec::new());
        build(&mut store);
        let store = store.into_inner()?;
        let mut out = Vec::new();
        let mut tree = TreeWriter::new(&mut out);
        split(&mut store.as_slice(), &mut tree, &BTreeSet::from(["hides".to_owned()]))?;
        tree.finish()?;
        let mut archive = Archive::new(out.as_slice());
        archive
            .entries()?
            .map(|entry| {
                let entry = entry?;
                let mut entry = entry;
                let path = entry.path()?.to_string_lossy().trim_end_matches('/').to_owned();
                if path == "preload/whiteouts" {
                    let mut list = String::new();
                    entry.read_to_string(&mut list)?;
                    return Ok((path, Some(list)));
                }
                assert_eq!(entry.header().uid()?, 100_000, "{path}");
                Ok((path, entry.link_name()?.map(|link| link.to_string_lossy().into_owned())))
            })
            .collect()
    }

    #[test]
    fn layers_and_the_rest_part() {
        let found = through(|store| {
            for path in ["image/", "overlay2/", "overlay2/abc/", "overlay2/abc/diff/"] {
                store.append_data(&mut header(EntryType::Directory), path, io::empty()).unwrap();
            }
            store
                .append_data(&mut header(EntryType::Regular), "image/overlay2/repositories.json", io::empty())
                .unwrap();
            for note in ["link", "lower", "committed"] {
                store
                    .append_data(&mut header(EntryType::Regular), format!("overlay2/abc/{note}"), io::empty())
                    .unwrap();
            }
            store.append_data(&mut header(EntryType::Directory), "overlay2/abc/work", io::empty()).unwrap();
            store.append_link(&mut header(EntryType::Symlink), "overlay2/l/SHORT", "../abc/diff").unwrap();
            store.append_data(&mut header(EntryType::Regular), "overlay2/abc/diff/bin/sh", io::empty()).unwrap();
            store
                .append_link(&mut header(EntryType::Link), "overlay2/abc/diff/bin/ash", "overlay2/abc/diff/bin/sh")
                .unwrap();
        })
        .unwrap();
        assert_eq!(found["preload/meta/overlay2/abc"].as_deref(), Some("/var/lib/docker-preload/abc"));
        assert_eq!(found["preload/meta/overlay2/l/SHORT"].as_deref(), Some("../abc/diff"));
        assert_eq!(found["preload/layers/abc/diff/bin/ash"].as_deref(), Some("preload/layers/abc/diff/bin/sh"));
        for path in [
            "preload/layers/abc/diff/bin/sh",
            "preload/notes/abc/link",
            "preload/notes/abc/lower",
            "preload/notes/abc/committed",
            "preload/notes/abc/work",
            "preload/meta/image/overlay2/repositories.json",
        ] {
            assert_eq!(found[path], None, "{path}");
        }
        assert!(!found.keys().any(|path| path.starts_with("preload/meta/overlay2/abc/")));
    }

    /// Nobody has built upon it yet; here it cannot be written to all the same.
    #[test]
    fn a_topmost_layer_is_marked_as_one_to_build_upon() {
        let found = through(|store| {
            store.append_data(&mut header(EntryType::Regular), "overlay2/top/diff/app", io::empty()).unwrap();
            store.append_data(&mut header(EntryType::Regular), "overlay2/hides/diff/app", io::empty()).unwrap();
        })
        .unwrap();
        assert!(found.contains_key("preload/notes/top/committed"));
        assert!(!found.keys().any(|path| path.contains("hides/committed")), "its student can write to his copy");
    }

    fn device(major: u32, minor: u32) -> Header {
        let mut device = header(EntryType::Char);
        device.set_device_major(major).unwrap();
        device.set_device_minor(minor).unwrap();
        device
    }

    #[test]
    fn a_layer_that_deletes_is_copied_and_its_deletions_are_listed() {
        let found = through(|store| {
            store.append_data(&mut header(EntryType::Regular), "overlay2/abc/diff/etc/gone", io::empty()).unwrap();
            store.append_data(&mut header(EntryType::Directory), "overlay2/hides/diff/etc/", io::empty()).unwrap();
            store.append_data(&mut device(0, 0), "overlay2/hides/diff/etc/gone", io::empty()).unwrap();
            store.append_data(&mut header(EntryType::Regular), "overlay2/hides/diff/etc/new", io::empty()).unwrap();
        })
        .unwrap();
        assert!(found.contains_key("preload/layers/abc/diff/etc/gone"));
        assert!(found.contains_key("preload/meta/overlay2/hides/diff/etc/new"));
        assert_eq!(found["preload/whiteouts"].as_deref(), Some("overlay2/hides/diff/etc/gone\0"));
        assert!(!found.keys().any(|path| path.starts_with("preload/layers/hides")));
        assert!(!found.contains_key("preload/meta/overlay2/hides/diff/etc/gone"));
    }

    #[test]
    fn a_device_and_a_large_layer_to_copy_are_refused_with_their_path() {
        let refused = through(|store| {
            store.append_data(&mut device(1, 3), "overlay2/abc/diff/dev/null", io::empty()).unwrap();
        });
        assert!(refused.unwrap_err().to_string().contains("overlay2/abc/diff/dev/null"));
        let refused = through(|store| {
            let mut large = header(EntryType::Regular);
            large.set_size(MOST_COPIED + 1);
            store.append_data(&mut large, "overlay2/hides/diff/large", io::repeat(0).take(MOST_COPIED + 1)).unwrap();
        });
        assert!(refused.unwrap_err().to_string().contains("overlay2/hides/diff/large"));
    }

    #[test]
    fn an_empty_store_is_an_error() {
        assert!(through(|_| ()).is_err());
    }
}
