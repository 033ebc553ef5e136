//! Whether the site is made of what its sources are now. npm, cargo and the optimiser write their files anew each time, and
//! the server embeds them: without this every start would build the server again.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::Profile;
use crate::shell::{command, read, root, target};

/// Besides the compiler. Which crates are inside, for the list of licences, the lock file says.
const SOURCES: [&str; 5] = ["app", "style", "xtask/src", "Cargo.lock", "Cargo.toml"];
/// Comes by the lock file beside it.
const INSTALLED: &str = "node_modules";

/// Of equal sources and profiles it is equal. Another release of Rust may hash otherwise: then the site is built once more.
pub(super) fn of(profile: Profile) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (profile == Profile::Release).hash(&mut hasher);
    read(command("rustc").arg("--version"))?.hash(&mut hasher);
    hash(root(), &SOURCES, hasher)
}

fn hash(root: &Path, sources: &[&str], mut hasher: DefaultHasher) -> Result<String> {
    let mut files = Vec::new();
    for source in sources {
        collect(&root.join(source), &mut files)?;
    }
    files.sort();
    for file in files {
        file.strip_prefix(root)?.hash(&mut hasher);
        fs::read(&file).with_context(|| format!("read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

pub(super) fn holds(stamp: &str) -> bool {
    fs::read_to_string(place()).is_ok_and(|had| had == stamp)
}

/// Until [`write()`] the site is made of nothing known.
pub(super) fn clear() {
    let _none_before = fs::remove_file(place());
}

pub(super) fn write(stamp: &str) -> Result<()> {
    Ok(fs::write(place(), stamp)?)
}

fn place() -> PathBuf {
    target().join("site.stamp")
}

fn collect(path: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_name() != INSTALLED {
                collect(&entry.path(), into)?;
            }
        }
    } else {
        into.push(path.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_any_source_is_another_stamp() {
        let folder = target().join(format!("stamp-test-{}", std::process::id()));
        let put = |path: &str, text: &str| {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            fs::write(file, text).expect("written");
        };
        let stamp = || hash(&folder, &["app", "lock"], DefaultHasher::new()).expect("a stamp");
        put("app/src/page.rs", "page");
        put("lock", "1");
        let first = stamp();
        put("app/web/node_modules/x/index.js", "of others");
        put("target/site/app.css", "made");
        assert_eq!(stamp(), first, "neither what is installed nor what is made is a source");
        put("lock", "2");
        let second = stamp();
        assert_ne!(second, first);
        put("app/src/more.rs", "");
        assert_ne!(stamp(), second, "a new file counts, though it is empty");
        fs::remove_dir_all(folder).expect("removed");
    }
}
