//! What looks find, where it takes more than a line to say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FileKind;

/// One control group above a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupLevel {
    /// Below the machine's own group, which is `/`.
    pub path: String,
    /// The files that limit or count (`memory.max`, `pids.current`, …), of all hierarchies.
    pub files: BTreeMap<String, String>,
}

/// A socket that waits for callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketFacts {
    /// `tcp`, `tcp6`, `udp` or `udp6`.
    pub protocol: String,
    pub address: String,
    pub port: u16,
    /// As numbered in the machine's user namespace.
    pub uid: u32,
    /// Who holds it, if that could be found out.
    pub owner: Option<ProcessBrief>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessBrief {
    /// As the machine numbers it.
    pub pid: i32,
    pub parent: i32,
    pub uid: u32,
    pub exe: String,
    pub cmdline: Vec<String>,
    /// Below the machine's own group; of the hierarchy that tells containers apart.
    pub cgroup: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub interface: String,
    pub address: String,
}

/// What the other side of a TLS connection showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsPeer {
    pub version: String,
    /// Its certificate and those that it sent along, DER in hexadecimal.
    pub chain: Vec<String>,
    /// When that was, in seconds since 1970.
    pub time: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Which needle.
    pub needle: usize,
    /// The directory that was asked for, and the path below it.
    pub directory: String,
    pub path: String,
    /// It is in the name, not in the content.
    pub named: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEntry {
    pub path: String,
    pub kind: FileKind,
    pub mode: u32,
    pub uid: u32,
    pub size: u64,
    /// Has file capabilities.
    pub capable: bool,
}

/// How far somebody was told of what happens on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Seconds since 1970, with a fraction.
    pub time: String,
    /// By path, what tells one state of a file from another. One that is not there is left out.
    pub files: BTreeMap<String, String>,
}

/// A program that is not what the image has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The student's own text, for `Serves`.
    pub path: String,
    pub what: Tampering,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tampering {
    /// It has other contents, or leads elsewhere.
    Changed,
    /// Something of another kind lies in its place.
    Replaced,
    Removed,
    /// Another file system lies over it, and on that it is another.
    Covered,
    /// The image has none there, and it is found before the image's own.
    Added,
    /// It holds the engine's socket, and is not the image's engine.
    Serves,
}
