//! What goes into images. Whoever calls reads it from a folder or out of the binary; nothing here touches a disk.

use std::{collections::BTreeMap, ops::Deref, path::PathBuf};

use bulkhead_agent::boot::MachineKind;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Environment variable that names a base image to use in place of a bootstrapped one, best by digest.
pub const BASE_VARIABLE: &str = "BULKHEAD_BASE_IMAGE";

/// Path relative to a folder → content.
pub type Files = BTreeMap<String, Content>;

/// A file's bytes. Cheap to clone, and never read for its hash once that is known: a server names images at every start
/// and builds none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    bytes: Bytes,
    sha256: [u8; 32],
}

impl Content {
    pub fn hashed(bytes: impl Into<Bytes>, sha256: [u8; 32]) -> Self {
        Self { bytes: bytes.into(), sha256 }
    }

    pub(super) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

impl<B: Into<Bytes>> From<B> for Content {
    fn from(bytes: B) -> Self {
        let bytes = bytes.into();
        let sha256 = Sha256::digest(&bytes).into();
        Self { bytes, sha256 }
    }
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

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
    /// `labs/images/stock/`: a folder with a Dockerfile for each image that labs share.
    pub stock: Files,
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
