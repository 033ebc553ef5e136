//! What a visitor does where an attacker would stand.

use serde::{Deserialize, Serialize};

use super::Protocol;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "kebab-case")]
pub enum Errand {
    /// Runs a program of the place. Answers `Exec`.
    Run { argv: Vec<String>, env: Vec<(String, String)>, stdin: String, timeout_ms: u32, limit: u32 },
    /// Makes a system call with arguments that do no harm, chosen so that a call which reaches the kernel's own code
    /// succeeds or fails with another word than a filter's. Answers `Attempt`.
    Call { name: String },
    /// Reads a file. Answers `Text`, or `Attempt` with the refusal.
    Read { path: String, limit: u32 },
    /// Joins the mount namespace of the process that the place numbers `pid`, and reads a file there. Answers as `Read`.
    Enter { pid: i32, path: String, limit: u32 },
    /// Mounts an empty tmpfs and takes it off again. Answers `Attempt`.
    Mount { at: String },
    /// Makes a file and removes it. Answers `Attempt`.
    Create { path: String },
    /// HTTP/1.1 over a socket of the place's file system, or to `host` and `port`. Answers `Http` or `NoAnswer`.
    Http {
        unix: Option<String>,
        host: String,
        port: u16,
        method: String,
        path: String,
        headers: Vec<(String, String)>,
        body: String,
        timeout_ms: u32,
        limit: u32,
    },
    /// Knocks at a port. Answers `Connected` or `NoAnswer`.
    Connect { host: String, port: u16, protocol: Protocol, send: String, timeout_ms: u32 },
}

/// Who did the errands: our own program, as the kernel showed it from outside before it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    pub uid: u32,
    pub gid: u32,
    pub cap_effective: u64,
    pub cap_bounding: u64,
    pub no_new_privs: bool,
    pub seccomp: u8,
}
