//! The `bulkhead` binary.

use std::path::PathBuf;

use anyhow::Result;

use super::{HOST, Profile};
use crate::shell::{cargo, run, target};

pub(crate) fn build(profile: Profile) -> Result<()> {
    let mut cargo = cargo(&["build", "--locked"]);
    match profile {
        Profile::Dev => cargo.args(HOST),
        Profile::Release => cargo.args(["--release", "-p", "bulkhead"]),
    };
    run("Build the server", &mut cargo)
}

pub(crate) fn binary(profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    target().join(folder).join("bulkhead")
}
