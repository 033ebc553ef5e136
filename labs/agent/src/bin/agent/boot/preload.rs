//! Images that a lab's engine has from the start: their layers are the sandbox image's own, shared and read-only; only
//! the engine's notes about them are copied for each student.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink},
    path::Path,
};

use crate::fault::{Doing, Outcome};

const META: &str = "/preload/meta";
pub(super) const LAYERS: &str = "/preload/layers";
/// Where the notes' links expect the layers.
pub(super) const LAYERS_INSIDE: &str = "/var/lib/docker-preload/layers";

/// Copies the engine's notes to what will be its data directory. Both are the image's, not the student's yet.
pub(super) fn copy_meta(to: &Path) -> Outcome<()> {
    let from = Path::new(META);
    if from.is_dir() { copy_tree(from, to).doing(|| format!("copy {META}")) } else { Ok(()) }
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let facts = entry.metadata()?;
        if facts.is_dir() {
            fs::create_dir_all(&target)?;
            copy_tree(&source, &target)?;
        } else if facts.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if facts.is_file() {
            fs::copy(&source, &target)?;
        } else {
            continue;
        }
        lchown(&target, Some(facts.uid()), Some(facts.gid()))?;
        if !facts.is_symlink() {
            fs::set_permissions(&target, fs::Permissions::from_mode(facts.mode() & 0o7777))?;
        }
    }
    Ok(())
}
