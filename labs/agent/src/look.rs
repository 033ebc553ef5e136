//! Observations: what the agent can look at, and what it saw.
//!
//! All of it happens outside the student's machine or in a process of ours that runs no program of his. What he can
//! write is data: paths resolve inside his root only, sizes and times are bounded, text is decoded lossily.

pub mod errand;
pub mod facts;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::protocol::{Exec, ExecResult};
use errand::{Errand, Visitor};
use facts::{Address, CgroupLevel, Change, Hit, Mark, ProcessBrief, ScanEntry, SocketFacts, TlsPeer};

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
        /// From the network of that process (as the machine numbers it) in place of the machine's own.
        #[serde(default)]
        pid: Option<i32>,
        #[serde(default)]
        way: Way,
    },
    /// Runs a command on a machine as one of its users, to its end.
    Exec(Exec),
    /// Goes to a place, and does errands there one after the other.
    Visit { machine: String, place: Place, errands: Vec<Errand>, timeout_ms: u32 },
    /// The control groups of a process, from its own up to its machine's.
    Cgroup { machine: String, pid: i32 },
    /// Sockets that wait for callers in the network of a process, or of the machine.
    Sockets { machine: String, pid: Option<i32> },
    /// Kernel settings as a process (or the machine's first) meets them; names with dots.
    Sysctl { machine: String, pid: Option<i32>, names: Vec<String> },
    /// The addresses in the network of a process, or of the machine.
    Addresses { machine: String, pid: Option<i32> },
    /// Knocks at a port from the network of a process, or of the machine; sends `send`, and takes what comes back.
    Connect {
        machine: String,
        pid: Option<i32>,
        host: String,
        port: u16,
        protocol: Protocol,
        send: String,
        timeout_ms: u32,
    },
    /// Asks the same again and again, and takes the times.
    Load { machine: String, host: String, port: u16, path: String, count: u32, timeout_ms: u32 },
    /// All that a machine's engine tells to have happened so far, one JSON object a line.
    Events { machine: String, filters: String, limit: u32 },
    /// The last lines that a container wrote, by its engine's account.
    Logs { machine: String, container: String, lines: u32, limit: u32 },
    /// The last `limit` bytes of a file.
    Tail { machine: String, pid: Option<i32>, path: String, limit: u32 },
    /// Looks for texts in the names and contents of all files below these directories.
    Search { machine: String, pid: Option<i32>, directories: Vec<String>, needles: Vec<String> },
    /// Everything that these directories hold when they lie on each other as an image's layers do, the first on top:
    /// what has a set-id bit or a capability, and what lies in a directory of programs.
    Scan { machine: String, pid: Option<i32>, layers: Vec<String> },
    /// The first of these layers that has `path` (the first on top) decides what it is.
    Layered { machine: String, layers: Vec<String>, path: String, limit: u32 },
    /// The packet filter of a machine's network, as the image's own `iptables-save` prints it.
    Firewall { machine: String },
    /// Which programs of a machine are no longer the image's: all in the student's layer below `directories`, and these
    /// `programs` (by name) as they are found, mounts and all; and who holds the engine's socket.
    Tampered { machine: String, directories: Vec<String>, programs: Vec<String> },
    /// Every process of a machine.
    Processes { machine: String },
    /// Waits until the machine's engine tells of something or one of these files changes, at most so long. `since`: how
    /// far it was told already; without it, from now on.
    Wait { machine: String, paths: Vec<String>, since: Option<Mark>, timeout_ms: u32 },
}

/// How HTTP is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "kebab-case")]
pub enum Way {
    #[default]
    Tcp,
    /// Over a socket in the file system of the process, or of the machine; host and port are for the header only.
    Unix { path: String },
    /// Over TLS. The certificates are PEM; whom to trust is judged by who asked, not here.
    Tls { name: String, certificate: String, key: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    Tcp,
    Udp,
}

/// Where errands are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "place", rename_all = "kebab-case")]
pub enum Place {
    /// In a container, as its engine's own `exec` lets one in: with the user of its first process `pid`, and the
    /// capabilities and the seccomp filter that the engine gives there.
    Container { id: String, pid: i32 },
    /// On the machine itself, as one of its users.
    User { uid: u32 },
}

impl Look {
    /// How long it may take by its own word.
    pub fn time(&self) -> Duration {
        match self {
            Self::Engine { timeout_ms, .. } | Self::Http { timeout_ms, .. } | Self::Connect { timeout_ms, .. } => {
                own_time(*timeout_ms)
            }
            Self::Wait { timeout_ms, .. } => own_time(*timeout_ms) + Duration::from_secs(2),
            Self::Exec(exec) => own_time(exec.timeout_ms) + Duration::from_secs(10),
            Self::Visit { timeout_ms, .. } => own_time(*timeout_ms) + Duration::from_secs(10),
            Self::Load { timeout_ms, count, .. } => own_time(timeout_ms.saturating_mul(*count)),
            Self::Process { .. }
            | Self::Create { .. }
            | Self::Execute { .. }
            | Self::Cgroup { .. }
            | Self::Sysctl { .. }
            | Self::Addresses { .. } => Duration::from_secs(5),
            Self::File { .. }
            | Self::Tail { .. }
            | Self::Layered { .. }
            | Self::Sockets { .. }
            | Self::Processes { .. }
            | Self::Events { .. }
            | Self::Logs { .. }
            | Self::Firewall { .. } => Duration::from_secs(10),
            Self::Tree { .. } | Self::Search { .. } | Self::Scan { .. } | Self::Tampered { .. } => {
                Duration::from_secs(20)
            }
        }
    }
}

fn own_time(millis: u32) -> Duration {
    const LONGEST: u32 = 60_000;
    Duration::from_millis(millis.min(LONGEST).into())
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
    Exec(ExecResult),
    /// What came of each errand, as far as they were done.
    Visit {
        /// Of a container's visitor.
        visitor: Option<Visitor>,
        met: Vec<Seen>,
    },
    /// Innermost first; the last is the machine's own.
    Cgroup {
        levels: Vec<CgroupLevel>,
    },
    Sockets {
        sockets: Vec<SocketFacts>,
        truncated: bool,
    },
    /// By name; `None`: there is no such setting here.
    Settings {
        values: BTreeMap<String, Option<String>>,
    },
    Addresses {
        addresses: Vec<Address>,
    },
    /// Somebody took the call. `reply`: the first bytes that came back, as text.
    Connected {
        reply: String,
    },
    /// Of HTTP over TLS, what the other side showed; `answer` is the HTTP part.
    Tls {
        peer: TlsPeer,
        answer: Box<Seen>,
    },
    /// Milliseconds of each answer, and how often there was none.
    Load {
        millis: Vec<u32>,
        failed: u32,
    },
    Text {
        text: String,
        truncated: bool,
    },
    Search {
        hits: Vec<Hit>,
        files: u64,
        bytes: u64,
        /// Something was not looked at.
        truncated: bool,
    },
    Scan {
        entries: Vec<ScanEntry>,
        truncated: bool,
    },
    Tampered {
        changes: Vec<Change>,
        truncated: bool,
    },
    Processes {
        processes: Vec<ProcessBrief>,
        truncated: bool,
    },
    /// What came of waiting: whether the engine told of something, and which files changed. Neither: nothing happened.
    Happened {
        mark: Mark,
        engine: bool,
        paths: Vec<String>,
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
    /// 0 off, 1 strict, 2 filter. The filter of the whole sandbox, which all its processes have, is not counted.
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
