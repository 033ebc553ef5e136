//! An engine's store, as `tar -C /var/lib/docker` gives it → `/preload` of a sandbox image.
//!
//! ```text
//! overlay2/<id>/diff/…   → preload/layers/<id>/diff/…               shared, read-only
//!                          preload/meta/overlay2/<id>/diff          a symbolic link to where the student sees it
//! all else               → preload/meta/…                           copied for each student
//! ```

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use bulkhead_agent::boot::PRELOAD_MOUNT;
use tar::{Archive, Entry};

use super::{
    bake::{PRELOAD_LAYERS, PRELOAD_META},
    tree::{Owner, TreeWriter, plain},
};

pub(super) fn split<W: Write>(store: &mut dyn Read, tree: &mut TreeWriter<W>) -> io::Result<()> {
    let mut linked = BTreeSet::new();
    let mut archive = Archive::new(store);
    for entry in archive.entries()? {
        let entry = entry?;
        let Some(path) = plain(&entry.path_bytes()) else { continue };
        let Some(layer) = Layer::of(&path) else {
            let link = entry
                .link_name_bytes()
                .and_then(|target| plain(&target))
                .map(|target| Path::new(PRELOAD_META).join(target));
            tree.copy(entry, &Path::new(PRELOAD_META).join(path), link.as_deref())?;
            continue;
        };
        refuse_whiteout(&entry, &path)?;
        if linked.insert(layer.id.clone()) {
            tree.directory(Path::new(PRELOAD_LAYERS).join(&layer.id), 0o710, Owner::Student)?;
            let link = Path::new(PRELOAD_META).join("overlay2").join(&layer.id).join("diff");
            tree.symlink(link, &Path::new(PRELOAD_MOUNT).join(&layer.id).join("diff"), Owner::Student)?;
        }
        let link = entry.link_name_bytes().and_then(|target| plain(&target)).and_then(|target| Layer::of(&target));
        tree.copy(entry, &layer.place(), link.map(|layer| layer.place()).as_deref())?;
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

/// A deletion is a device 0:0 here, and the outer engine would take it for a deletion in its own layer.
fn refuse_whiteout<R: Read>(entry: &Entry<'_, R>, path: &Path) -> io::Result<()> {
    if entry.header().entry_type().is_character_special() {
        return Err(io::Error::other(format!(
            "a layer of a preloaded image deletes or makes a device at {}; write its Dockerfile so that no layer deletes what an earlier one made",
            path.display()
        )));
    }
    Ok(())
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
        split(&mut store.as_slice(), &mut tree)?;
        tree.finish()?;
        let mut archive = Archive::new(out.as_slice());
        archive
            .entries()?
            .map(|entry| {
                let entry = entry?;
                assert_eq!(entry.header().uid()?, 100_000, "{:?}", entry.path()?);
                let path = entry.path()?.to_string_lossy().trim_end_matches('/').to_owned();
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

    #[test]
    fn a_deletion_in_a_layer_is_refused_with_its_path() {
        let refused = through(|store| {
            let mut device = header(EntryType::Char);
            device.set_device_major(0).unwrap();
            device.set_device_minor(0).unwrap();
            store.append_data(&mut device, "overlay2/abc/diff/etc/gone", io::empty()).unwrap();
        });
        assert!(refused.unwrap_err().to_string().contains("overlay2/abc/diff/etc/gone"));
    }

    #[test]
    fn an_empty_store_is_an_error() {
        assert!(through(|_| ()).is_err());
    }
}
