//! The platform's end of an agent's stream: many requests, processes and terminals at once over one [`Duplex`].
//!
//! ```text
//! mod      AgentLink: typed requests, each with a deadline
//! account  a machine's accounts by name
//! process  Process: output with credit, input with back pressure, how it ended
//! queue    what was received and not yet taken: never more than the credit that was given
//! shared   who waits for which answer; every process's queue
//! wire     the two tasks that read and write frames
//! ```
//!
//! ```no_run
//! # use bulkhead_agent::protocol::{Open, Size};
//! # use bulkhead_labs::{engine::{SandboxEngine, SandboxId}, link::AgentLink};
//! # async fn example(engine: &dyn SandboxEngine, id: &SandboxId) -> Result<(), Box<dyn std::error::Error>> {
//! let link = AgentLink::open(engine.connect(id).await?).await?;
//! let size = Size { cols: 80, rows: 24 };
//! let open = Open { machine: "host".into(), uid: 0, argv: vec![], tty: Some(size) };
//! let mut shell = link.start(open).await?;
//! shell.input.send("id\n").await?;
//! while let Some(bytes) = shell.output.next().await {
//!     let _show = bytes;
//! }
//! let _how = shell.output.ending().await;
//! # Ok(()) }
//! ```
//!
//! A link is cheap to clone and ends with its last clone (and the last [`Process`] it gave out). What the peer sends is
//! hostile data: a frame that is malformed, too long or beyond its credit closes the link with [`LinkError::Protocol`].

mod account;
mod process;
mod queue;
mod shared;
mod wire;

use std::{sync::Arc, time::Duration};

use bulkhead_agent::{
    look::{Look, Seen},
    protocol::{Exec, ExecResult, Fault, FaultKind, Open, PROTOCOL, ProcessInfo, Reply, Request, Size, Status},
};
pub use process::{Ending, Input, Output, Process};
use shared::{Answer, Brings};
use wire::Wire;

use crate::engine::Duplex;

/// For a request that has no time of its own.
const REQUEST: Duration = Duration::from_secs(15);
/// 128 + SIGHUP.
const HANG_UP: i32 = 129;
/// What the agent and the way to it may add to a request's own time.
const MARGIN: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The stream ended: the sandbox, the engine or the agent is gone. Connect again.
    #[error("the sandbox's agent is gone: {0}")]
    Closed(String),
    /// The agent could not do it and says why.
    #[error("{}", .0.message)]
    Fault(Fault),
    #[error("the sandbox's agent took longer than {0:?}")]
    TimedOut(Duration),
    /// The other end does not speak our protocol, or not this version of it. The link is closed.
    #[error("the sandbox's agent broke the protocol: {0}")]
    Protocol(String),
}

/// A connection to one sandbox's agent.
#[derive(Clone)]
pub struct AgentLink {
    wire: Arc<Wire>,
}

impl AgentLink {
    /// Greets the agent; refuses one of another version.
    pub async fn open(stream: Duplex) -> Result<Self, LinkError> {
        let link = Self { wire: Wire::start(stream) };
        match link.request(Request::Hello { protocol: PROTOCOL }, REQUEST).await {
            Ok(_) => Ok(link),
            Err(LinkError::Fault(Fault { kind: FaultKind::Invalid, message })) => Err(LinkError::Protocol(message)),
            Err(other) => Err(other),
        }
    }

    /// Machines, their readiness, and the limits in force as the kernel reports them.
    pub async fn status(&self) -> Result<Status, LinkError> {
        match self.request(Request::Status, REQUEST).await? {
            Reply::Status(status) if status.protocol == PROTOCOL => Ok(status),
            Reply::Status(status) => {
                Err(LinkError::Protocol(format!("it speaks version {}, not {PROTOCOL}", status.protocol)))
            }
            other => Err(unexpected("Status", &other)),
        }
    }

    /// Runs a program to its end. `exec.timeout_ms` bounds it in the sandbox, and a little more bounds the wait here.
    pub async fn exec(&self, exec: Exec) -> Result<ExecResult, LinkError> {
        let within = Duration::from_millis(exec.timeout_ms.into()) + MARGIN;
        match self.request(Request::Exec(exec), within).await? {
            Reply::Exec(result) => Ok(result),
            other => Err(unexpected("Exec", &other)),
        }
    }

    /// Looks at the sandbox from outside the student's machine; one answer for each look, in order.
    pub async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, LinkError> {
        let asked = looks.len();
        let within = looks.iter().map(patience).sum::<Duration>() + REQUEST;
        match self.request(Request::Observe { looks }, within).await? {
            Reply::Observe { seen } if seen.len() == asked => Ok(seen),
            Reply::Observe { seen } => Err(LinkError::Protocol(format!("{} answers to {asked} looks", seen.len()))),
            other => Err(unexpected("Observe", &other)),
        }
    }

    /// Starts a process (protocol request `Open`).
    pub async fn start(&self, open: Open) -> Result<Process, LinkError> {
        let terminal = open.tty.is_some();
        self.process(Request::Open(open), Brings::Opened { terminal }).await
    }

    /// Takes over an open terminal: first what it printed lately, then what follows. The last attach wins; on this link the
    /// [`Output`] before it ends with [`Ending::Detached`].
    pub async fn attach(&self, process: u32) -> Result<Process, LinkError> {
        self.process(Request::Attach { process }, Brings::Attached).await
    }

    pub async fn processes(&self) -> Result<Vec<ProcessInfo>, LinkError> {
        match self.request(Request::Processes, REQUEST).await? {
            Reply::Processes { processes } => Ok(processes),
            other => Err(unexpected("Processes", &other)),
        }
    }

    pub async fn resize(&self, process: u32, size: Size) -> Result<(), LinkError> {
        self.done(Request::Resize { process, cols: size.cols, rows: size.rows }).await
    }

    /// Hangs up and forgets the process; idempotent. Its [`Output`] ends, if it had not.
    pub async fn close(&self, process: u32) -> Result<(), LinkError> {
        self.done(Request::Close { process }).await?;
        self.wire.end(process, Ending::Exited { code: HANG_UP, stderr: String::new() });
        Ok(())
    }

    /// Takes a machine's cable to a network out, or (without one) all its cables. It stays so when the machine starts anew.
    pub async fn cut(&self, machine: &str, network: Option<&str>) -> Result<(), LinkError> {
        self.cable(machine, network, false).await
    }

    /// Undoes [`Self::cut`].
    pub async fn restore(&self, machine: &str, network: Option<&str>) -> Result<(), LinkError> {
        self.cable(machine, network, true).await
    }

    async fn cable(&self, machine: &str, network: Option<&str>, up: bool) -> Result<(), LinkError> {
        self.done(Request::Link { machine: machine.to_owned(), network: network.map(str::to_owned), up }).await
    }

    pub fn is_closed(&self) -> bool {
        self.wire.closed().is_some()
    }

    /// Waits until the link is closed, and says why.
    pub async fn closed(&self) -> LinkError {
        self.wire.until_closed().await
    }

    async fn done(&self, request: Request) -> Result<(), LinkError> {
        self.request(request, REQUEST).await.map(|_| ())
    }

    async fn request(&self, request: Request, within: Duration) -> Result<Reply, LinkError> {
        match self.wire.ask(&request, Brings::Nothing, within).await? {
            Answer::Reply(reply) => Ok(reply),
            Answer::Process(_) => Err(LinkError::Protocol("a process that was not asked for".to_owned())),
        }
    }

    async fn process(&self, request: Request, brings: Brings) -> Result<Process, LinkError> {
        match self.wire.ask(&request, brings, REQUEST).await? {
            Answer::Process(process) => Ok(process),
            Answer::Reply(other) => Err(unexpected("Process", &other)),
        }
    }
}

impl std::fmt::Debug for AgentLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentLink").field("closed", &self.wire.closed()).finish()
    }
}

/// How long one look may take by its own word.
fn patience(look: &Look) -> Duration {
    look.time()
}

fn unexpected(asked: &str, reply: &Reply) -> LinkError {
    let got = match reply {
        Reply::Status(_) => "Status",
        Reply::Process { .. } => "Process",
        Reply::Processes { .. } => "Processes",
        Reply::Exec(_) => "Exec",
        Reply::Observe { .. } => "Observe",
        Reply::Done => "Done",
    };
    LinkError::Protocol(format!("asked for {asked}, it answered with {got}"))
}

#[cfg(test)]
mod tests;
