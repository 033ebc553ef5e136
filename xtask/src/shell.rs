//! Runs commands where a person can follow: what runs, how long it took, and what to do when it fails.

use std::{
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where builds go, absolute.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// A line for the person who waits.
pub(crate) fn say(line: &str) {
    // A closed stderr is no reason to stop a build.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A command in the checkout.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that runs this, without what it told its child about this package.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    // What an incremental build keeps for the next one is gigabytes, and on CI nothing comes next.
    if std::env::var_os("CI").is_some() {
        cargo.env("CARGO_INCREMENTAL", "0");
    }
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs to the end; output goes to the terminal.
pub(crate) fn run(title: &str, command: &mut Command) -> Result<()> {
    say(&format!("\n▸ {title}"));
    let start = Instant::now();
    let status =
        command.status().with_context(|| format!("{title}: cannot start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{title} failed ({status}): {command:?}");
    }
    say(&format!("  {title}: {:.1} s", start.elapsed().as_secs_f32()));
    Ok(())
}

/// Runs to the end and answers with stdout.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program by name on PATH, or in the places where Debian keeps what only root runs.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
