//! What a machine stands on: its tree and the disk that it may fill.

use std::{
    fs,
    os::unix::fs::{chown, symlink},
    path::{Path, PathBuf},
};

use bulkhead_agent::boot::{Machine, MachineKind, PLAIN_TREES};
use nix::mount::MsFlags;

use super::preload;
use crate::{
    fault::{Doing, Outcome},
    sys::mount,
};

/// One file for each so many bytes; enough for unpacked packages, too few to fill the kernel's memory with names.
const BYTES_PER_FILE: u64 = 4096;
const MOST_FILES: u64 = 400_000;
const FEWEST_FILES: u64 = 20_000;

pub(crate) struct Disk {
    /// Where the machine's tree is, in the middle mount namespace.
    pub(super) root: PathBuf,
    /// The bounded file system below it. A probe has none: it cannot write.
    pub(crate) state: Option<PathBuf>,
    /// The image's tree that lies below what the student writes.
    pub(crate) image: Option<PathBuf>,
    pub(super) engine: Option<Engine>,
}

/// What a machine's engine has on its disk.
pub(super) struct Engine {
    pub(super) data: PathBuf,
    /// Beside the content of shared layers.
    pub(super) notes: PathBuf,
}

impl Disk {
    pub(super) fn make(spec: &Machine) -> Outcome<Self> {
        let home = PathBuf::from("/run/m").join(&spec.name);
        let root = home.join("root");
        fs::create_dir_all(&root).doing(|| format!("make {}", root.display()))?;
        match spec.kind {
            MachineKind::Probe => probe(spec, root),
            MachineKind::DockerHost => tree(spec, "/host", &home, root),
            MachineKind::Plain | MachineKind::Registry | MachineKind::Attacker => {
                tree(spec, &format!("{PLAIN_TREES}/{}", spec.id_base), &home, root)
            }
        }
    }
}

/// The image's tree, shared and read-only, below a file system that holds what this student writes.
fn tree(spec: &Machine, below: &str, home: &Path, root: PathBuf) -> Outcome<Disk> {
    let state = home.join("state");
    fs::create_dir_all(&state).doing(|| format!("make {}", state.display()))?;
    let files = (spec.disk_bytes / BYTES_PER_FILE).clamp(FEWEST_FILES, MOST_FILES);
    // Neither nosuid nor nodev: an engine's layers lie here, and mounts from it must be able to have neither.
    mount::fresh("tmpfs", &state, MsFlags::empty(), &format!("mode=755,size={},nr_inodes={files}", spec.disk_bytes))?;
    let make = |name: &str, owner| {
        let directory = state.join(name);
        fs::create_dir(&directory)
            .and_then(|()| chown(&directory, Some(owner), Some(owner)))
            .doing(|| format!("make {}", directory.display()))
            .map(|()| directory)
    };
    make("upper", spec.id_base)?;
    make("work", 0)?;
    let options = format!("lowerdir={below},upperdir={0}/upper,workdir={0}/work,userxattr", state.display());
    mount::fresh("overlay", &root, MsFlags::empty(), &options)?;
    let engine = match spec.kind {
        MachineKind::DockerHost => {
            let (data, notes) = (make("docker", spec.id_base)?, make("preload", spec.id_base)?);
            preload::copy_meta(&data, spec.id_base)?;
            preload::copy_notes(&notes, spec.id_base)?;
            Some(Engine { data, notes })
        }
        _ => None,
    };
    Ok(Disk { root, state: Some(state), image: Some(below.into()), engine })
}

/// Nothing but places to mount on.
fn probe(spec: &Machine, root: PathBuf) -> Outcome<Disk> {
    mount::fresh("tmpfs", &root, mount::PLAIN, "mode=755,size=64k,nr_inodes=64")?;
    for name in ["proc", "sys", "dev", "run", "etc", "tmp"] {
        let directory = root.join(name);
        fs::create_dir(&directory)
            .and_then(|()| chown(&directory, Some(spec.id_base), Some(spec.id_base)))
            .doing(|| format!("make {}", directory.display()))?;
    }
    symlink("/proc/self/mounts", root.join("etc/mtab")).doing(|| "make /etc/mtab".into())?;
    chown(&root, Some(spec.id_base), Some(spec.id_base)).doing(|| "own the probe's root".into())?;
    Ok(Disk { root, state: None, image: None, engine: None })
}
