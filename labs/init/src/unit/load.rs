//! Finds units where Debian keeps them, with drop-ins and the links that enable them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Unit, parse};

pub(crate) const ETC: &str = "/etc/systemd/system";
/// First found wins.
const UNIT_FOLDERS: [&str; 4] =
    [ETC, "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];
/// What these want starts at boot.
pub(crate) const BOOT_TARGETS: [&str; 2] = ["sockets.target", "multi-user.target"];

/// A unit file that is larger is no unit file.
const LARGEST: u64 = 256 * 1024;

/// `docker` → `docker.service`.
pub(crate) fn with_suffix(name: &str) -> String {
    if [".service", ".socket", ".target", ".timer"].iter().any(|suffix| name.ends_with(suffix)) {
        name.to_owned()
    } else {
        format!("{name}.service")
    }
}

/// The file of a unit, after alias links.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    UNIT_FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find_map(|path| path.canonicalize().ok())
}

pub(crate) fn load(name: &str) -> Option<Unit> {
    let path = find(name)?;
    // An alias (sshd.service) is the unit that its link leads to.
    let name = path.file_name()?.to_string_lossy().into_owned();
    let mut unit = Unit { path: path.clone(), ..Unit::default() };
    parse::apply(&mut unit, &read(&path)?);
    for file in drop_in_files(&name) {
        if let Some(text) = read(&file) {
            parse::apply(&mut unit, &text);
            unit.drop_ins.push(file);
        }
    }
    unit.wants.extend(wanted_by(&name));
    unit.name = name;
    Some(unit)
}

fn read(path: &Path) -> Option<String> {
    let size = fs::metadata(path).ok()?.len();
    (size <= LARGEST).then(|| fs::read(path).ok()).flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// `NAME.d/*.conf` in all folders, in the order of their file names.
fn drop_in_files(name: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = UNIT_FOLDERS
        .iter()
        .flat_map(|folder| entries(&Path::new(folder).join(format!("{name}.d"))))
        .filter(|path| path.extension().is_some_and(|e| e == "conf"))
        .collect();
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    files
}

/// Units linked in `NAME.wants/`.
pub(crate) fn wanted_by(name: &str) -> Vec<String> {
    UNIT_FOLDERS
        .iter()
        .flat_map(|folder| entries(&Path::new(folder).join(format!("{name}.wants"))))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| is_ours(name))
        .collect()
}

/// All services and sockets that have a file.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = UNIT_FOLDERS
        .iter()
        .flat_map(|folder| entries(Path::new(folder)))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| is_ours(name) && !name.contains('@'))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn is_ours(name: &str) -> bool {
    name.ends_with(".service") || name.ends_with(".socket")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).map(|entries| entries.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    paths.sort();
    paths
}

/// enabled, disabled, masked, static, or alias as `systemctl is-enabled` says it.
pub(crate) fn enabled_state(unit: &Unit) -> &'static str {
    if fs::read_link(Path::new(ETC).join(&unit.name)).is_ok_and(|target| target == Path::new("/dev/null")) {
        return "masked";
    }
    if unit.install.wanted_by.is_empty() {
        return "static";
    }
    let linked = unit
        .install
        .wanted_by
        .iter()
        .any(|target| Path::new(ETC).join(format!("{target}.wants")).join(&unit.name).is_symlink());
    if linked { "enabled" } else { "disabled" }
}
