//! What the tools and pid 1 say to each other: one JSON line each way over a socket.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub(crate) const SOCKET: &str = "/run/init.sock";
/// Longer than any unit's start or stop may take.
const PATIENCE: Duration = Duration::from_mins(3);
/// A line that a tool may send. Anyone on the machine may write to the socket.
pub(crate) const LONGEST_LINE: u64 = 16 * 1024;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Start(String),
    Stop(String),
    Restart(String),
    Reload(String),
    Kill(String),
    ResetFailed(String),
    /// Forget cached unit files.
    DaemonReload,
    Status(String),
    List,
    /// End the machine; the platform starts it again.
    Shutdown,
}

impl Request {
    /// Looking is for everyone; changing is for root.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self, Self::Status(_) | Self::List)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Response {
    Done,
    /// The unit did not come up or go down; the text is what systemctl prints.
    Failed(String),
    NotFound(String),
    Denied,
    Units(Vec<UnitStatus>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnitStatus {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) path: String,
    pub(crate) drop_ins: Vec<String>,
    pub(crate) enabled: String,
    /// active, activating, deactivating, inactive, failed
    pub(crate) active: String,
    /// running, listening, dead, exited, start, stop, auto-restart, failed
    pub(crate) sub: String,
    /// Seconds since the epoch.
    pub(crate) since: u64,
    pub(crate) main_pid: Option<i32>,
    /// For a failed unit: how it ended.
    pub(crate) result: String,
    pub(crate) triggered_by: Option<String>,
    pub(crate) documentation: String,
    pub(crate) listen: Vec<String>,
}

/// Asks pid 1.
pub(crate) fn ask(request: &Request) -> std::io::Result<Response> {
    let mut stream = UnixStream::connect(SOCKET)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}
