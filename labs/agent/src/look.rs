//! Observations: what the agent can look at, and what it saw.
//!
//! All of it happens outside the student's machine or in a process of ours that runs no program of his. What he can
//! write is data: paths resolve inside his root only, sizes and times are bounded, text is decoded lossily.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "look", rename_all = "kebab-case")]
pub enum Look {
    /// Asks a machine's Docker engine over its socket.
    Engine { machine: String, method: String, path: String, body: Option<String>, timeout_ms: u32, limit: u32 },
    /// A process by its pid as that machine numbers it, as the kernel shows it from outside.
    Process { machine: String, pid: i32 },
    /// A file; with `pid` (as the machine numbers it) in that process's root, else in the machine's. A symbolic link
    /// is what it leads to; one that leads nowhere is seen as the link itself.
    File { machine: String, pid: Option<i32>, path: String, limit: u32 },
    /// Every entry below a directory, depth first, up to `limit` entries, each regular file under 1 MiB with its hash.
    /// Links are not followed and other file systems not gone into.
    Tree { machine: String, pid: Option<i32>, path: String, limit: u32 },
    /// In that process's place (namespaces, ids, capabilities): tries to create `path`, and removes it again.
    Create { machine: String, pid: i32, path: String },
    /// In that process's place: drops a harmless program of ours into `dir`, tries to run it, and removes it.
    Execute { machine: String, pid: i32, dir: String },
    /// HTTP/1.1 from `machine`'s network to `host` (a machine's name or an address).
    Http {
        machine: String,
        host: String,
        port: u16,
        method: String,
        path: String,
        headers: Vec<(String, String)>,
        body: String,
        timeout_ms: u32,
        limit: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "kebab-case")]
pub enum Seen {
    Http {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
        truncated: bool,
    },
    /// For `Http`: nobody answered as HTTP; `why` is the kernel's word or what was wrong.
    NoAnswer {
        why: String,
    },
    Process(ProcessFacts),
    /// No such process, file or directory.
    Missing,
    File(FileFacts),
    Tree {
        entries: Vec<TreeEntry>,
        truncated: bool,
    },
    /// What the kernel said to an attempt: `None` for success, else `EROFS`, `EACCES`, …
    Attempt {
        errno: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    pub pid: i32,
    pub exe: String,
    pub cmdline: Vec<String>,
    /// Real, effective, saved, file system; as numbered in the machine's user namespace.
    pub uid: [u32; 4],
    pub gid: [u32; 4],
    pub groups: Vec<u32>,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub cap_bounding: u64,
    pub cap_ambient: u64,
    pub no_new_privs: bool,
    /// 0 off, 1 strict, 2 filter.
    pub seccomp: u8,
    /// `net` → `4026531840`, …
    pub namespaces: BTreeMap<String, u64>,
    /// True for a namespace that the process shares with its machine's first process.
    pub shared_with_machine: BTreeMap<String, bool>,
    pub mounts: Vec<MountFacts>,
    /// Controller (`""` on v2) → path.
    pub cgroups: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountFacts {
    pub root: String,
    pub mount_point: String,
    /// Per-mount options (`ro`, `noexec`, …).
    pub options: Vec<String>,
    pub fs_type: String,
    pub source: String,
    /// Per-superblock options (`size=4096k`, …).
    pub super_options: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    pub kind: FileKind,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    /// The path after every symbolic link, inside the root it was looked up in.
    pub real_path: String,
    /// Regular files up to 64 MiB.
    pub sha256: Option<String>,
    /// The first `limit` bytes; for a symbolic link its target.
    pub content: String,
    pub truncated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    File,
    Directory,
    Symlink,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeEntry {
    /// Relative to the directory looked at.
    pub path: String,
    pub kind: FileKind,
    pub mode: u32,
    pub uid: u32,
    pub size: u64,
    pub sha256: Option<String>,
}
