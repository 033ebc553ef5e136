//! A compiler for wasm32-unknown-unknown.
//!
//! In this order: the target is installed already; rustup installs it; or, where rustup cannot reach its server,
//! Debian's `rustc-web` with a standard library built once from Debian's own sources.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::packages;
use crate::shell::{command, read, run, say, target, which};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What a cargo command needs in its environment to build for [`TARGET`].
pub(crate) struct Toolchain {
    variables: Vec<(&'static str, PathBuf)>,
    /// Cargo does not notice a replaced sysroot, so each toolchain has a target folder of its own.
    pub(crate) target_folder: PathBuf,
}

impl Toolchain {
    pub(crate) fn apply(&self, cargo: &mut Command) {
        cargo.env("CARGO_TARGET_DIR", &self.target_folder);
        for (name, value) in &self.variables {
            cargo.env(name, value);
        }
    }
}

pub(crate) fn ensure(yes: bool) -> Result<Toolchain> {
    let rustup = Toolchain { variables: Vec::new(), target_folder: target().join("wasm") };
    if has_std(Path::new("rustc")) || rustup_adds_it() {
        return Ok(rustup);
    }
    debian(yes).context("this toolchain cannot build for wasm32, rustup could not add the target, and Debian's compiler could not be set up instead.\nWith network access: rustup target add wasm32-unknown-unknown")
}

fn has_std(rustc: &Path) -> bool {
    let Ok(folder) = read(command(rustc).args(["--print", "target-libdir", "--target", TARGET])) else { return false };
    fs::read_dir(folder.trim()).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

fn rustup_adds_it() -> bool {
    if which("rustup").is_none() {
        return false;
    }
    say("\n▸ rustup target add wasm32-unknown-unknown");
    let Ok(mut child) =
        command("rustup").args(["target", "add", TARGET]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    else {
        return false;
    };
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success() && has_std(Path::new("rustc")),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(100)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

fn debian(yes: bool) -> Result<Toolchain> {
    if !(Path::new("/usr/lib/rustlib/src/rust/library/vendor").exists()
        && Path::new("/usr/bin/cargo").exists()
        && linker().is_some())
    {
        packages::install(&["rustc-web", "cargo-web", "rust-web-src", "lld-22"], yes)?;
    }
    let version = read(command("/usr/bin/rustc").arg("-vV"))?;
    let release =
        version.lines().find_map(|line| line.strip_prefix("release: ")).context("Debian's rustc names no release")?;
    let package = read(command("dpkg-query").args(["-W", "-f", "${Version}", "rustc-web"]))?;
    let sysroot = target().join(format!("wasm-sysroot/{release}-{}", package.replace(['/', ':', '~', '+'], "_")));
    let rustc = sysroot.join("bin/rustc");
    if !rustc.exists() {
        build_sysroot(&sysroot)?;
    }
    let linker = linker().context("lld is not installed (package lld-22)")?;
    Ok(Toolchain {
        variables: vec![("RUSTC", rustc), ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)],
        target_folder: target().join(format!("wasm-{release}")),
    })
}

fn linker() -> Option<PathBuf> {
    (22..40).rev().find_map(|version| which(&format!("wasm-ld-{version}")))
}

/// Builds the standard library for wasm from Debian's sources, offline, into `sysroot`.
fn build_sysroot(sysroot: &Path) -> Result<()> {
    let work = sysroot.with_extension("build");
    let _ = fs::remove_dir_all(&work);
    let _ = fs::remove_dir_all(sysroot);
    let seed = work.join("seed");
    fs::create_dir_all(seed.join("src"))?;
    fs::write(seed.join("src/lib.rs"), "")?;
    fs::write(
        seed.join("Cargo.toml"),
        "[package]\nname=\"std-seed\"\nversion=\"0.0.0\"\nedition=\"2021\"\n[workspace]\n[profile.release]\nopt-level=3\n",
    )?;
    let home = std::env::var_os("HOME").unwrap_or_default();
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo
        .env_clear()
        .env("HOME", &home)
        .env("PATH", "/usr/bin:/bin")
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_HOME", work.join("cargo"))
        .env("CARGO_TARGET_DIR", work.join("target"))
        // Without bitcode, LTO of the app against this std fails.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes -Zforce-unstable-if-unmarked")
        // Tells cargo to hash std's crates apart from the app's, as rustc's own bootstrap does.
        .env("__CARGO_DEFAULT_LIB_METADATA", "bulkhead")
        .current_dir(&seed)
        .args([
            "--config",
            "source.crates-io.replace-with=\"debian\"",
            "--config",
            "source.debian.directory=\"/usr/lib/rustlib/src/rust/library/vendor\"",
        ])
        .args(["build", "--release", "--offline", "--target", TARGET, "-Zbuild-std=std,panic_abort,proc_macro"]);
    run("Build the standard library for wasm32 (once)", &mut cargo)?;

    let made = work.join("made");
    let libraries = made.join(format!("lib/rustlib/{TARGET}/lib"));
    fs::create_dir_all(&libraries)?;
    fs::create_dir_all(made.join("bin"))?;
    let mut copied = 0;
    for entry in fs::read_dir(work.join(format!("target/{TARGET}/release/deps")))?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("lib") && name.ends_with(".rlib") && !name.starts_with("libstd_seed") {
            fs::copy(entry.path(), libraries.join(&*name))?;
            copied += 1;
        }
    }
    if copied == 0 {
        bail!("Debian's standard library built, but left no library files in {}", work.display());
    }
    let host = read(command("/usr/bin/rustc").args(["--print", "sysroot"]))?;
    symlink(
        Path::new(host.trim()).join("lib/rustlib/x86_64-unknown-linux-gnu"),
        made.join("lib/rustlib/x86_64-unknown-linux-gnu"),
    )?;
    let rustc = made.join("bin/rustc");
    fs::write(
        &rustc,
        "#!/bin/sh\nexec /usr/bin/rustc --sysroot \"$(dirname \"$(dirname \"$(readlink -f \"$0\")\")\")\" \"$@\"\n",
    )?;
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))?;
    // Last step by rename: a half-made sysroot is never taken for a whole one.
    fs::rename(&made, sysroot)?;
    fs::remove_dir_all(&work)?;
    Ok(())
}
