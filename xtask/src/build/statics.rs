//! What runs inside sandboxes: static binaries that need nothing from the image around them.

use anyhow::Result;

use crate::shell::{cargo, run, target};

/// Programs that labs are about, by the names of their folders.
const FIXTURES: &[&str] = &["cms", "darkroom", "doorman", "ferry", "ops", "runner", "sockproxy"];

pub(crate) fn build() -> Result<()> {
    let mut cargo = cargo(&["build", "--locked", "--profile", "static", "--target", "x86_64-unknown-linux-gnu"]);
    cargo
        .args(["-p", "bulkhead-agent", "-p", "bulkhead-init"])
        .args(FIXTURES.iter().flat_map(|name| ["-p".to_owned(), format!("bulkhead-fixture-{name}")]))
        // A folder of its own: other RUSTFLAGS in the common one would rebuild everything at each turn.
        .env("CARGO_TARGET_DIR", target().join("static"))
        .env("RUSTFLAGS", "-C target-feature=+crt-static");
    run("Build the static binaries", &mut cargo)
}
