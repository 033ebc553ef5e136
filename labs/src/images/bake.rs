//! A machine's root file system → a sandbox image: the tree below `/host` with its ids shifted, the agent, and the
//! places where the agent mounts. Only what lies outside `/host` is the platform's, and it is little.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use bulkhead_agent::boot::{AGENT_PATH, PLAIN_TREES};
use tar::Archive;

use super::tree::{HOST, Owner, TreeWriter, plain};

/// Mount points of the outer container, of the engine and of the agent.
const PLATFORM_DIRECTORIES: [&str; 8] = ["bulkhead", "dev", "etc", "proc", "run", "state", "sys", "tmp"];
/// Filled by labs; empty in the plain image, so that the agent need not ask whether they are there.
pub(super) const PRELOAD_LAYERS: &str = "preload/layers";
pub(super) const PRELOAD_META: &str = "preload/meta";
pub(super) const PRELOAD_NOTES: &str = "preload/notes";

/// Below these the machine mounts at boot; what an export carries there is the engine's own litter.
const EMPTIED: [&str; 5] = ["dev", "proc", "run", "sys", "tmp"];
const LITTER: [&str; 1] = [".dockerenv"];

pub(super) fn bake(machine: &mut dyn Read, image: &mut dyn Write, agent: &[u8]) -> io::Result<()> {
    let mut tree = TreeWriter::new(image);
    for directory in PLATFORM_DIRECTORIES {
        tree.directory(directory, 0o755, Owner::Platform)?;
    }
    tree.file(AGENT_PATH.trim_start_matches('/'), 0o755, Owner::Platform, agent)?;
    for directory in ["preload", PRELOAD_LAYERS, PRELOAD_META, PRELOAD_NOTES, HOST] {
        tree.directory(directory, 0o755, Owner::Machine)?;
    }
    graft(machine, &mut tree, Path::new(HOST))?;
    tree.finish()
}

/// The tree of one more machine, for an image that has what [`bake`] makes.
pub(super) fn add(machine: &mut dyn Read, layer: &mut dyn Write, id_base: u32) -> io::Result<()> {
    let mut tree = TreeWriter::new(layer);
    let root = plain_root(id_base);
    tree.directory(root.parent().unwrap_or(Path::new("")), 0o755, Owner::Platform)?;
    tree.belongs_to(id_base);
    tree.directory(&root, 0o755, Owner::Machine)?;
    graft(machine, &mut tree, &root)?;
    tree.finish()
}

/// Where in a sandbox image the tree of a machine without an engine lies.
pub(super) fn plain_root(id_base: u32) -> PathBuf {
    Path::new(PLAIN_TREES.trim_start_matches('/')).join(id_base.to_string())
}

fn graft<W: Write>(machine: &mut dyn Read, tree: &mut TreeWriter<W>, root: &Path) -> io::Result<()> {
    let mut archive = Archive::new(machine);
    for entry in archive.entries()? {
        let entry = entry?;
        let Some(path) = plain(&entry.path_bytes()) else { continue };
        if LITTER.iter().any(|litter| path == Path::new(litter))
            || EMPTIED.iter().any(|top| path.starts_with(top) && path != Path::new(top))
        {
            continue;
        }
        let link = entry.link_name_bytes().and_then(|target| plain(&target)).map(|target| root.join(target));
        tree.copy(entry, &root.join(path), link.as_deref())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tar::{Builder, EntryType, Header};

    use super::*;

    fn header(kind: EntryType, mode: u32, uid: u64, size: usize) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(uid);
        header.set_gid(uid);
        header.set_mtime(7);
        header.set_size(size as u64);
        header
    }

    struct Baked {
        kind: EntryType,
        mode: u32,
        uid: u64,
        link: Option<String>,
        content: String,
        capability: Option<Vec<u8>>,
    }

    fn baked(tar: Vec<u8>) -> io::Result<BTreeMap<String, Baked>> {
        let mut out = Vec::new();
        bake(&mut tar.as_slice(), &mut out, b"AGENT")?;
        let mut archive = Archive::new(out.as_slice());
        let mut found = BTreeMap::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().trim_end_matches('/').to_owned();
            let capability = match entry.pax_extensions()? {
                Some(extensions) => extensions
                    .flatten()
                    .find(|e| e.key().is_ok_and(|key| key.ends_with("security.capability")))
                    .map(|e| e.value_bytes().to_vec()),
                None => None,
            };
            let mut content = String::new();
            entry.read_to_string(&mut content)?;
            let link = entry.link_name()?.map(|link| link.to_string_lossy().into_owned());
            let head = entry.header();
            let entry =
                Baked { kind: head.entry_type(), mode: head.mode()?, uid: head.uid()?, link, content, capability };
            assert!(found.insert(path.clone(), entry).is_none(), "{path} came twice");
        }
        Ok(found)
    }

    #[test]
    fn the_tree_moves_below_host_with_its_rights() {
        let mut tar = Builder::new(Vec::new());
        tar.append_data(&mut header(EntryType::Directory, 0o755, 0, 0), "usr/", io::empty()).unwrap();
        tar.append_data(&mut header(EntryType::Regular, 0o4755, 0, 4), "usr/bin/sudo", &b"sudo"[..]).unwrap();
        tar.append_link(&mut header(EntryType::Link, 0o4755, 0, 0), "usr/bin/sudoedit", "usr/bin/sudo").unwrap();
        tar.append_link(&mut header(EntryType::Symlink, 0o777, 0, 0), "bin", "usr/bin").unwrap();
        let long = format!("home/student/{}", "x".repeat(150));
        tar.append_data(&mut header(EntryType::Regular, 0o600, 1000, 2), &long, &b"hi"[..]).unwrap();
        tar.append_data(&mut header(EntryType::Regular, 0o755, 0, 0), ".dockerenv", io::empty()).unwrap();
        tar.append_data(&mut header(EntryType::Regular, 0o755, 0, 0), "dev/console", io::empty()).unwrap();
        let files = baked(tar.into_inner().unwrap()).unwrap();

        let sudo = &files["host/usr/bin/sudo"];
        assert_eq!((sudo.mode, sudo.uid, sudo.content.as_str()), (0o4755, 100_000, "sudo"));
        assert_eq!(files["host/usr/bin/sudoedit"].link.as_deref(), Some("host/usr/bin/sudo"));
        assert_eq!(files["host/usr/bin/sudoedit"].kind, EntryType::Link);
        assert_eq!(files["host/bin"].link.as_deref(), Some("usr/bin"));
        assert_eq!(
            (files[&format!("host/{long}")].uid, files[&format!("host/{long}")].content.as_str()),
            (101_000, "hi")
        );
        // Nobody said who owns these two: they must not be the engine's root.
        assert_eq!((files["host/usr/bin"].uid, files["host/home"].uid), (100_000, 100_000));
        assert_eq!((files["bulkhead/agent"].uid, files["bulkhead/agent"].mode), (0, 0o755));
        assert!(!files.contains_key("host/.dockerenv") && !files.contains_key("host/dev/console"));
        assert!(["preload/layers", "preload/meta", "state", "proc"].iter().all(|path| files.contains_key(*path)));
    }

    #[test]
    fn file_capabilities_follow_the_student() {
        let mut value = vec![1, 0, 0, 2];
        value.extend_from_slice(&[0; 16]);
        let mut tar = Builder::new(Vec::new());
        tar.append_pax_extensions([
            ("SCHILY.xattr.security.capability", value.as_slice()),
            ("SCHILY.xattr.trusted.x", b"y".as_slice()),
        ])
        .unwrap();
        tar.append_data(&mut header(EntryType::Regular, 0o755, 0, 0), "ping", io::empty()).unwrap();
        let files = baked(tar.into_inner().unwrap()).unwrap();
        assert_eq!(files["host/ping"].capability.as_ref().map(Vec::len), Some(24));
    }

    #[test]
    fn one_more_machine_has_a_place_and_ids_of_its_own() {
        let mut tar = Builder::new(Vec::new());
        tar.append_data(&mut header(EntryType::Regular, 0o755, 0, 2), "bin/sh", &b"sh"[..]).unwrap();
        tar.append_link(&mut header(EntryType::Link, 0o755, 0, 0), "bin/ash", "bin/sh").unwrap();
        let mut out = Vec::new();
        add(&mut tar.into_inner().unwrap().as_slice(), &mut out, 300_000).unwrap();
        let mut archive = Archive::new(out.as_slice());
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let path = entry.path().unwrap().to_string_lossy().trim_end_matches('/').to_owned();
                let link = entry.link_name().unwrap().map(|link| link.to_string_lossy().into_owned());
                (path, entry.header().uid().unwrap(), link)
            })
            .collect();
        let entry = |path: &str, uid, link: Option<&str>| (path.to_owned(), uid, link.map(str::to_owned));
        assert_eq!(
            found,
            [
                entry("plain", 0, None),
                entry("plain/300000", 300_000, None),
                entry("plain/300000/bin", 300_000, None),
                entry("plain/300000/bin/sh", 300_000, None),
                entry("plain/300000/bin/ash", 300_000, Some("plain/300000/bin/sh")),
            ]
        );
    }

    #[test]
    fn an_id_that_the_machine_does_not_have_is_an_error() {
        let mut tar = Builder::new(Vec::new());
        tar.append_data(&mut header(EntryType::Regular, 0o644, 65_536, 0), "x", io::empty()).unwrap();
        assert!(baked(tar.into_inner().unwrap()).err().is_some_and(|error| error.to_string().contains("65536")));
    }
}
