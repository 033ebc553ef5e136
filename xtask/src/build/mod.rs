//! The parts that cargo alone cannot build.

mod parts;
mod server;
mod site;
mod stamp;
mod statics;
mod tools;

use anyhow::Result;

pub(crate) use server::binary;

/// Crates that build for this machine. One selection for builds, lints and tests: cargo unites the features of what it
/// is asked for, so another selection would compile the dependencies again.
pub(crate) const HOST: &[&str] = &["--workspace", "--exclude", "bulkhead-front"];

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Part {
    /// What goes into sandboxes: the agent, the student's pid 1 and the fixtures as static binaries, and tools.
    Statics,
    /// Stylesheets, fonts, terminal bundle, WASM.
    Site,
    /// The `bulkhead` binary.
    Server,
    /// All of them, in order.
    All,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

impl Profile {
    pub(crate) fn from_release(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }
}

pub(crate) fn part(part: Part, profile: Profile) -> Result<()> {
    match part {
        Part::Statics => inside(),
        Part::Site => site::build(profile),
        Part::Server => server::build(profile),
        Part::All => all(profile),
    }
}

/// What sandbox images are made of.
fn inside() -> Result<()> {
    tools::fetch()?;
    statics::build()
}

/// A server that is quick to build, and the site that users get: its size is tested, and what the optimiser made of it.
pub(crate) fn for_tests() -> Result<()> {
    inside()?;
    site::build(Profile::Release)?;
    server::build(Profile::Dev)
}

/// A release embeds the site, so the server comes last.
pub(crate) fn all(profile: Profile) -> Result<()> {
    inside()?;
    site::build(profile)?;
    server::build(profile)
}
