//! Images that a lab's engine has from the start: their layers are the sandbox image's own, shared and read-only; only
//! the engine's notes about them are copied for each student.
//!
//! A layer that hides files of earlier ones is copied too: an overlay marks what is gone by a device 0:0, and no image can
//! carry one (for the engine that stores the image it marks what is gone there). They are listed, and made here.

use std::{
    ffi::{CStr, OsStr, OsString},
    fs::{self, File},
    os::{
        fd::OwnedFd,
        unix::{
            ffi::OsStrExt,
            fs::{MetadataExt, PermissionsExt, lchown, symlink},
        },
    },
    path::{Component, Path},
};

use bulkhead_agent::{
    boot::{PRELOAD_LAYERS, PRELOAD_META, PRELOAD_MOUNT, PRELOAD_NOTES, PRELOAD_WHITEOUTS},
    protocol::FaultKind,
};
use nix::{
    fcntl::{OFlag, open},
    sys::stat::{Mode, SFlag, mknod},
};

use crate::{
    fault::{Doing, Outcome, fault},
    sys::{mount, rooted, xattr},
};

/// Of a copied layer's entries these say something about content or rights.
const ATTRIBUTES: [&CStr; 2] = [c"user.overlay.opaque", c"security.capability"];

/// The content of a layer, in its directory.
const CONTENT: &str = "diff";

/// Copies the engine's notes to what will be its data directory. Both are the image's, not the student's yet.
pub(super) fn copy_meta(to: &Path, owner: u32) -> Outcome<()> {
    let from = Path::new(PRELOAD_META);
    if !from.is_dir() {
        return Ok(());
    }
    copy_tree(from, to).doing(|| format!("copy {PRELOAD_META}"))?;
    match fs::read(PRELOAD_WHITEOUTS) {
        Ok(list) => whiteouts(&list).try_for_each(|path| {
            if path.components().any(|part| !matches!(part, Component::Normal(_))) {
                return Err(fault(FaultKind::Invalid, format!("{} leads out of the layers", path.display())));
            }
            let at = to.join(path);
            mknod(&at, SFlag::S_IFCHR, Mode::empty(), 0).doing(|| format!("mark {} as gone", path.display()))?;
            lchown(&at, Some(owner), Some(owner)).doing(|| format!("own {}", at.display()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).doing(|| format!("read {PRELOAD_WHITEOUTS}")),
    }
}

/// Copies what the engine keeps beside the content of each shared layer, and makes the places for the content.
pub(super) fn copy_notes(to: &Path, owner: u32) -> Outcome<()> {
    let from = Path::new(PRELOAD_NOTES);
    if !from.is_dir() {
        return Ok(());
    }
    copy_tree(from, to).doing(|| format!("copy {PRELOAD_NOTES}"))?;
    for layer in fs::read_dir(to).doing(|| format!("list {}", to.display()))?.flatten() {
        let place = layer.path().join(CONTENT);
        fs::create_dir(&place)
            .and_then(|()| lchown(&place, Some(owner), Some(owner)))
            .doing(|| format!("make {}", place.display()))?;
    }
    Ok(())
}

/// Shared layers, opened where they can be seen, to be mounted where the student has them.
pub(super) struct Shared {
    notes: OwnedFd,
    layers: Vec<(OsString, OwnedFd)>,
}

impl Shared {
    /// `None`: nothing is preloaded.
    pub(super) fn open(notes: &Path) -> Outcome<Option<Self>> {
        let place = |path: &Path| {
            open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).doing(|| format!("open {}", path.display()))
        };
        let Ok(listing) = fs::read_dir(PRELOAD_LAYERS) else { return Ok(None) };
        let layers = listing
            .flatten()
            .map(|layer| Ok((layer.file_name(), place(&layer.path().join(CONTENT))?)))
            .collect::<Outcome<Vec<_>>>()?;
        if layers.is_empty() { Ok(None) } else { Ok(Some(Self { notes: place(notes)?, layers })) }
    }

    /// In the student's root.
    pub(super) fn mount(&self) -> Outcome<()> {
        mount::bind(rooted::through(&self.notes), PRELOAD_MOUNT)?;
        for (name, content) in &self.layers {
            let at = Path::new(PRELOAD_MOUNT).join(name).join(CONTENT);
            // He may have removed it; what he threw away he does without.
            if at.is_dir() {
                mount::bind(rooted::through(content), &at)?;
                mount::make_read_only(&at)?;
            }
        }
        Ok(())
    }
}

fn whiteouts(list: &[u8]) -> impl Iterator<Item = &Path> {
    list.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(|path| Path::new(OsStr::from_bytes(path)))
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
            let from = File::open(&source)?;
            for name in ATTRIBUTES {
                if let Some(value) = xattr::get(&from, name) {
                    xattr::set(&target, name, &value)?;
                }
            }
        }
    }
    Ok(())
}
