//! An engine's store, as `tar -C /var/lib/docker` gives it → `/preload` of a sandbox image.
//!
//! ```text
//! overlay2/<id>/diff/…   → preload/layers/<id>/diff/…               shared, read-only
//!                          preload/meta/overlay2/<id>/diff          a symbolic link to where the student sees it
//! all else               → preload/meta/…                           copied for each student
//! ```
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
    bake::{PRELOAD_LAYERS, PRELOAD_META},
    tree::{Owner, TreeWriter, plain},
};

/// Of all layers of a lab that hide something; it is memory of every student.
const MOST_COPIED: u64 = 32 << 20;

/// `hiding` are the layers that hide something of earlier ones.
pub(super) fn split<W: Write>(
    store: &mut dyn Read,
    tree: &mut TreeWriter<W>,
    hiding: &BTreeSet<String>,
) -> io::Result<()> {
    let mut linked = BTreeSet::new();
    let (mut whiteouts, mut copied) = (Vec::new(), 0);
    let mut archive = Archive::new(store);
    for entry in archive.entries()? {
        let entry = entry?;
        let Some(path) = plain(&entry.path_bytes()) else { continue };
        let layer = Layer::of(&path);
        if layer.is_some() {
            if is_whiteout(&entry, &path)? {
                if layer.is_none_or(|layer| !hiding.contains(&layer.id)) {
                    return Err(io::Error::other(format!(
                        "{} came up after the layers were looked at",
                        path.display()
                    )));
                }
                whiteouts.extend_from_slice(path.as_os_str().as_bytes());
                whiteouts.push(0);
                continue;
            }
            copied += if layer.as_ref().is_some_and(|layer| hiding.contains(&layer.id)) { entry.size() } else { 0 };
            refuse_size(copied, &path)?;
        }
        let Some(layer) = layer.filter(|layer| !hiding.contains(&layer.id)) else {
            let link = entry
                .link_name_bytes()
                .and_then(|target| plain(&target))
                .map(|target| Path::new(PRELOAD_META).join(target));
            tree.copy(entry, &Path::new(PRELOAD_META).join(path), link.as_deref())?;
            continue;
        };
        if linked.insert(layer.id.clone()) {
            tree.directory(Path::new(PRELOAD_LAYERS).join(&layer.id), 0o710, Owner::Machine)?;
            let link = Path::new(PRELOAD_META).join("overlay2").join(&layer.id).join("diff");
            tree.symlink(link, &Path::new(PRELOAD_MOUNT).join(&layer.id).join("diff"), Owner::Machine)?;
        }
        let link = entry.link_name_bytes().and_then(|target| plain(&target)).and_then(|target| Layer::of(&target));
        tree.copy(entry, &layer.place(), link.map(|layer| layer.place()).as_deref())?;
    }
    if !whiteouts.is_empty() {
        tree.file(PRELOAD_WHITEOUTS.trim_start_matches('/'), 0o644, Owner::Platform, &whiteouts)?;
    }
    if linked.is_empty() {
        return Err(io::Error::other("the engine's store holds no layer"));
    }
    Ok(())
}

/// A path inside a layer's content.
struct Layer {
    id: String,
    /// `diff` and below.
    inside: PathBuf,
}

impl Layer {
    fn of(path: &Path) -> Option<Self> {
        let mut parts = path.strip_prefix("overlay2").ok()?.components();
        let id = parts.next()?.as_os_str().to_str()?.to_owned();
        let inside = parts.as_path();
        inside.starts_with("diff").then(|| Self { id, inside: inside.to_owned() })
    }
    fn place(&self) -> PathBuf {
        Path::new(PRELOAD_LAYERS).join(&self.id).join(&self.inside)
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
            store.append_data(&mut header(EntryType::Regular), "overlay2/abc/link", io::empty()).unwrap();
            store.append_link(&mut header(EntryType::Symlink), "overlay2/l/SHORT", "../abc/diff").unwrap();
            store.append_data(&mut header(EntryType::Regular), "overlay2/abc/diff/bin/sh", io::empty()).unwrap();
            store
                .append_link(&mut header(EntryType::Link), "overlay2/abc/diff/bin/ash", "overlay2/abc/diff/bin/sh")
                .unwrap();
        })
        .unwrap();
        assert_eq!(found["preload/meta/overlay2/abc/diff"].as_deref(), Some("/var/lib/docker-preload/layers/abc/diff"));
        assert_eq!(found["preload/meta/overlay2/l/SHORT"].as_deref(), Some("../abc/diff"));
        assert_eq!(found["preload/layers/abc/diff/bin/ash"].as_deref(), Some("preload/layers/abc/diff/bin/sh"));
        for path in [
            "preload/layers/abc/diff/bin/sh",
            "preload/meta/overlay2/abc/link",
            "preload/meta/image/overlay2/repositories.json",
        ] {
            assert_eq!(found[path], None);
        }
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
