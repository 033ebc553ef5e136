//! Requests, responses and events. JSON inside [`super::frame`]s.

use serde::{Deserialize, Serialize};

use crate::look::{Look, Seen};

/// Both sides refuse another version.
pub const PROTOCOL: u32 = 2;

/// Output that the agent sends for a process, and input that the platform does, before it waits for
/// [`super::frame::Kind::Credit`].
pub const INITIAL_CREDIT: u32 = 256 * 1024;
/// Credit goes back in steps of this size: few frames, and the sender never runs dry while the other side keeps up.
pub const CREDIT_STEP: u32 = INITIAL_CREDIT / 4;
/// Recent output that the agent keeps for each terminal, for an attach after the platform was away.
pub const RING: usize = 256 * 1024;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// First on every stream.
    Hello {
        protocol: u32,
    },
    /// Machines, their readiness, and the limits in force.
    Status,
    /// Starts a process on a machine, attached to this stream.
    Open(Open),
    /// Takes over an open terminal's output: the ring's bytes first, then what follows. The last attach wins.
    Attach {
        process: u32,
    },
    Processes,
    Resize {
        process: u32,
        cols: u16,
        rows: u16,
    },
    /// Hangs up and forgets; idempotent.
    Close {
        process: u32,
    },
    /// Runs to the end and answers with what it printed, bounded.
    Exec(Exec),
    /// Looks at the sandbox from outside the student's machine. Answers in order, one for each.
    Observe {
        looks: Vec<Look>,
    },
    /// Takes a machine's cables out, or puts them back: that to one network, or all.
    Link {
        machine: String,
        #[serde(default)]
        network: Option<String>,
        up: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub machine: String,
    /// A uid on that machine; the login shell is its own.
    pub uid: u32,
    /// Empty: the login shell.
    pub argv: Vec<String>,
    /// A terminal of that size, kept when the stream goes; without it pipes, ended with the stream.
    pub tty: Option<Size>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub cols: u16,
    pub rows: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec {
    pub machine: String,
    pub uid: u32,
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub stdin: String,
    pub timeout_ms: u32,
    /// Bytes kept of each of stdout and stderr.
    pub limit: u32,
}

/// What answers a [`Request`].
pub type Response = Result<Reply, Fault>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    Status(Status),
    /// Answers `Open` and `Attach`: the process's id, and how many bytes it had printed before the first that follows.
    Process {
        process: u32,
        offset: u64,
    },
    Processes {
        processes: Vec<ProcessInfo>,
    },
    Exec(ExecResult),
    Observe {
        seen: Vec<Result<Seen, Fault>>,
    },
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub protocol: u32,
    pub sandbox: String,
    pub generation: u32,
    pub cgroup_version: u8,
    pub kernel: String,
    pub machines: Vec<MachineStatus>,
    /// Of all machines together: the outer container's.
    #[serde(default)]
    pub outer: OuterLimits,
}

/// As the kernel reports them, not as they were asked for. `None`: not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OuterLimits {
    pub memory_bytes: Option<u64>,
    /// Memory that may be swapped out beside it. Zero: none.
    pub swap_bytes: Option<u64>,
    pub pids: Option<u64>,
    pub milli_cpus: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineStatus {
    pub name: String,
    /// Its first process runs.
    pub up: bool,
    /// A docker-host's engine answers its socket.
    pub engine: bool,
    /// How often its first process ended and was started anew; what it had written stays.
    #[serde(default)]
    pub restarts: u32,
    /// As the kernel reports them, not as they were asked for. `None`: not limited.
    pub memory_bytes: Option<u64>,
    pub pids: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub memory_used_bytes: u64,
    pub pids_used: u64,
    pub disk_used_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    pub process: u32,
    pub machine: String,
    pub uid: u32,
    pub tty: Option<Size>,
    /// Bytes printed so far.
    pub offset: u64,
    /// Exit code, once it ended (128 + signal when killed).
    pub exited: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecResult {
    pub code: i32,
    /// Invalid UTF-8 is replaced.
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
    pub timed_out: bool,
    pub millis: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The process of this channel ended; all its output was sent before. `stderr`: the tail of a piped process's.
    Exited { code: i32, stderr: String },
    /// Another stream attached to the terminal of this channel.
    Detached,
}

/// Why the agent could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// For a person: what was tried and what the kernel said.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// No such machine, process or terminal.
    NotFound,
    /// The request makes no sense; a bug on our side.
    Invalid,
    /// The machine is down, or its engine does not answer.
    Down,
    TimedOut,
    /// The sandbox is at one of its limits (pids, memory, disk).
    Exhausted,
    /// Anything else that the kernel refused.
    Failed,
}
