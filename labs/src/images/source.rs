//! What goes into images. Whoever calls reads it from a folder or out of the binary; nothing here touches a disk.

use std::{collections::BTreeMap, path::PathBuf};

use bulkhead_agent::boot::MachineKind;

/// Environment variable that names a base image to use in place of a bootstrapped one, best by digest.
pub const BASE_VARIABLE: &str = "BULKHEAD_BASE_IMAGE";

/// Path relative to a folder → content.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseSource {
    /// Debian's archive, by mmdebstrap.
    Bootstrap,
    /// An image that the engine has or can pull.
    Image(String),
}

#[derive(Clone, Debug)]
pub struct Sources {
    pub base: BaseSource,
    /// `labs/images/docker-host/`: a Dockerfile and what it copies.
    pub machine: Files,
    /// `labs/images/plain/`: the same for machines without an engine.
    pub plain: Files,
    /// Static programs by name: `agent` and `init` always, others as fixtures ask for them.
    pub programs: Files,
    /// The folder of other people's programs that the machine's `tools.txt` pins.
    pub tools: PathBuf,
    pub labs: Vec<LabSource>,
}

#[derive(Clone, Debug)]
pub struct LabSource {
    pub id: String,
    /// Names and kinds, in the manifest's order.
    pub machines: Vec<(String, MachineKind)>,
    /// The lab's `fixtures/`; empty for a lab that needs none.
    pub fixtures: Files,
}

/// The files below `folder`, with paths relative to it.
pub(super) fn below(files: &Files, folder: &str) -> Files {
    files
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(folder)?.strip_prefix('/')?.to_owned(), bytes.clone())))
        .collect()
}

/// Files carry no mode here, so their first bytes decide: scripts and programs may be executed.
pub(super) fn mode(bytes: &[u8]) -> u32 {
    if bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF") { 0o755 } else { 0o644 }
}
