//! Where screenshots and logs of a run are kept: `BULKHEAD_TEST_ARTEFACTS`, or `target/artefacts`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

pub fn folder() -> PathBuf {
    std::env::var_os("BULKHEAD_TEST_ARTEFACTS").map_or_else(|| target().join("artefacts"), PathBuf::from)
}

pub fn save(name: &str, bytes: &[u8]) -> Result<()> {
    let file = folder().join(name);
    std::fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// The workspace's target folder.
pub fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    root.join("target")
}
