//! A process on a machine, as the platform holds it.

use std::sync::Arc;

use bulkhead_agent::frame::Kind;
use bytes::Bytes;

use super::{LinkError, queue::Queue, wire::Wire};

/// Input goes out in pieces of this size, so that one paste does not hold up other processes.
const PIECE: usize = 32 * 1024;

/// A running process. Its parts can go to different tasks.
#[derive(Debug)]
pub struct Process {
    pub id: u32,
    /// Bytes it had printed before the first that [`Output::next`] gives.
    pub offset: u64,
    pub output: Output,
    pub input: Input,
}

impl Process {
    pub(super) fn new(wire: Arc<Wire>, id: u32, offset: u64, queue: Arc<Queue>) -> Self {
        let input = Input { wire: Arc::clone(&wire), id, queue: Arc::clone(&queue) };
        Self { id, offset, output: Output { wire, id, queue }, input }
    }
}

/// How a process, or the view of it, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// 128 + signal when it was killed; 129 (hang-up) after [`AgentLink::close`](super::AgentLink::close). `stderr`: the tail of a piped process's.
    Exited { code: i32, stderr: String },
    /// Another attach took the terminal over.
    Detached,
    /// The link went; a terminal runs on in the sandbox and can be attached again.
    Lost(LinkError),
}

/// What a process prints. At most the credit (256 KiB) waits here; a reader that stops stops the process.
///
/// Dropped before the end: a piped process is ended, a terminal runs on unseen.
#[derive(Debug)]
pub struct Output {
    wire: Arc<Wire>,
    id: u32,
    queue: Arc<Queue>,
}

impl Output {
    /// The next bytes, as many as have come; `None` once all were given. Safe to cancel.
    pub async fn next(&mut self) -> Option<Bytes> {
        let (bytes, credit) = self.queue.take().await?;
        if let Some(credit) = credit {
            self.wire.send(Kind::Credit, self.id, &credit.to_be_bytes());
        }
        Some(bytes)
    }

    /// How it ended. Waits for that, and throws away what was printed and not taken.
    pub async fn ending(&mut self) -> Ending {
        while self.next().await.is_some() {}
        self.queue.ending().unwrap_or_else(|| Ending::Lost(LinkError::Closed("the process is gone".to_owned())))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.wire.abandon(self.id, &self.queue);
    }
}

/// A process's input: a terminal's keys, or standard input.
#[derive(Clone, Debug)]
pub struct Input {
    wire: Arc<Wire>,
    id: u32,
    queue: Arc<Queue>,
}

impl Input {
    /// Returns once the stream has taken it; waits while the process does not read. What has ended takes nothing, and says
    /// so by its [`Ending`].
    pub async fn send(&self, bytes: impl Into<Bytes>) -> Result<(), LinkError> {
        let mut bytes: Bytes = bytes.into();
        while !bytes.is_empty() {
            let piece = bytes.split_to(PIECE.min(bytes.len()));
            if !self.queue.reserve(u32::try_from(piece.len()).unwrap_or(u32::MAX)).await {
                return self.wire.closed().map_or(Ok(()), Err);
            }
            self.wire.send_input(self.id, piece).await?;
        }
        Ok(())
    }

    /// End of input, for a piped process.
    pub async fn end(&self) -> Result<(), LinkError> {
        self.wire.send_input(self.id, Bytes::new()).await
    }
}
