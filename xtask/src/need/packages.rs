//! Debian packages: what is missing is installed as root through apt, or the line to type is printed.

use std::path::Path;

use anyhow::{Result, bail};

use crate::shell::{command, read, run, say, which};

/// Something we need, how to see that it is there, and the packages that bring it.
struct Need {
    packages: &'static [&'static str],
    present: fn() -> bool,
}

/// To build and serve.
const BUILD: &[Need] = &[
    Need { packages: &["gcc", "libc6-dev"], present: || which("cc").is_some() },
    Need { packages: &["nodejs", "npm"], present: || which("node").is_some() && which("npm").is_some() },
    Need { packages: &["python3", "python3-pip"], present: has_pip },
    Need { packages: &["mmdebstrap"], present: || which("mmdebstrap").is_some() },
    Need {
        packages: &["debian-archive-keyring"],
        present: || Path::new("/usr/share/keyrings/debian-archive-keyring.gpg").exists(),
    },
];

/// A container engine, where none answers.
const ENGINE: &[Need] = &[
    Need { packages: &["docker.io"], present: || which("dockerd").is_some() },
    Need { packages: &["iptables"], present: || which("iptables").is_some() },
];

/// What only the tests need.
const TEST: &[Need] = &[
    Need {
        packages: &["chromium", "chromium-driver"],
        present: || which("chromium").is_some() && which("chromedriver").is_some(),
    },
    Need { packages: &["postgresql"], present: || has_postgres() },
    Need { packages: &["util-linux"], present: || which("runuser").is_some() },
];

/// What only the benchmarks need.
const BENCH: &[Need] = &[
    Need { packages: &["nginx-light"], present: || which("nginx").is_some() },
    Need { packages: &["wrk"], present: || which("wrk").is_some() },
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Build,
    Engine,
    Test,
    Bench,
}

fn has_pip() -> bool {
    which("python3").is_some()
        && command("python3").args(["-m", "pip", "--version"]).output().is_ok_and(|o| o.status.success())
}

fn has_postgres() -> bool {
    std::fs::read_dir("/usr/lib/postgresql")
        .is_ok_and(|versions| versions.flatten().any(|v| v.path().join("bin/initdb").is_file()))
}

/// Installs what `groups` miss.
pub(crate) fn ensure(groups: &[Group], yes: bool) -> Result<()> {
    let missing: Vec<&str> = groups
        .iter()
        .flat_map(|group| match group {
            Group::Build => BUILD,
            Group::Engine => ENGINE,
            Group::Test => TEST,
            Group::Bench => BENCH,
        })
        .filter(|need| !(need.present)())
        .flat_map(|need| need.packages.iter().copied())
        .collect();
    install(&missing, yes)
}

/// Installs packages by name; nothing to do for an empty list.
pub(crate) fn install(packages: &[&str], yes: bool) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if which("apt-get").is_none() {
        bail!(
            "This machine lacks {}. It is not a Debian or Ubuntu, so install them by its own package manager and run this again.",
            packages.join(", ")
        );
    }
    if !is_root()? {
        bail!(
            "This machine lacks {}. Type this, then run this again:\n\n    sudo apt-get update && sudo {line}\n",
            packages.join(", ")
        );
    }
    say(&format!("Missing on this machine: {}", packages.join(", ")));
    if !super::allowed("Install them through apt now?", yes) {
        bail!("Nothing was installed. The line would have been:\n\n    {line}\n");
    }
    run("apt-get update", command("apt-get").arg("update").arg("-q"))?;
    run(
        &line,
        command("apt-get")
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

pub(crate) fn is_root() -> Result<bool> {
    Ok(read(command("id").arg("-u"))?.trim() == "0")
}
