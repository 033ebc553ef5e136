//! What a sandbox is told at boot: `BULKHEAD_BOOT` in the outer container's environment, as JSON.
//! Nothing secret is in it.

use serde::{Deserialize, Serialize};

/// Environment variable that carries [`Boot`] as JSON.
pub const BOOT_VARIABLE: &str = "BULKHEAD_BOOT";
/// Where the agent's image keeps the agent itself.
pub const AGENT_PATH: &str = "/bulkhead/agent";
/// Read-only in the sandbox's image: layers of the engine's images, shared by all sandboxes of a lab.
pub const PRELOAD_LAYERS: &str = "/preload/layers";
/// The rest of an engine's store (`image`, `overlay2`), small. At boot the agent copies it to `/var/lib/docker` with its
/// owners and modes; its layers are symbolic links to [`PRELOAD_MOUNT`].
pub const PRELOAD_META: &str = "/preload/meta";
/// Where the student's machine sees [`PRELOAD_LAYERS`], read-only, bound from the image and not through his overlay.
pub const PRELOAD_MOUNT: &str = "/var/lib/docker-preload/layers";
/// Processes that the whole sandbox's limit must leave to the agent, on top of the machines' own.
pub const AGENT_PIDS: u32 = 64;
/// Ids in one machine's user namespace.
pub const IDS_PER_MACHINE: u32 = 65_536;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boot {
    pub sandbox: String,
    pub generation: u32,
    /// Outer uid that owns the middle user namespace; unique for each sandbox, so that per-user kernel limits are too.
    pub owner_uid: u32,
    pub machines: Vec<Machine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub name: String,
    pub kind: MachineKind,
    /// First outer id of this machine's range.
    pub id_base: u32,
    /// Address on the sandbox's switch, `10.77.0.0/24`.
    pub address: [u8; 4],
    pub memory_bytes: u64,
    pub pids: u32,
    /// Size of the writable layer. 0 for a machine without one.
    pub disk_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineKind {
    /// The student is root here and has a Docker engine. Its tree is the image's `/host`.
    DockerHost,
    /// Nothing but the agent: asks services from outside.
    Probe,
}
