//! What a link's tasks and handles know together: who waits for which answer, and every process's queue.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use bulkhead_agent::{
    frame::Kind,
    protocol::{Event, Reply, Response},
};
use bytes::BytesMut;
use tokio::sync::{oneshot, watch};

use super::{
    LinkError,
    process::{Ending, Process},
    queue::Queue,
    wire::Wire,
};

/// Requests that wait for an answer, those that were given up on included. Beyond it the peer just does not answer.
const PENDING: usize = 256;

pub(super) enum Answer {
    Reply(Reply),
    Process(Process),
}

/// What a request brings beside its answer. The queue must exist before the process's first byte comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Brings {
    Nothing,
    Opened { terminal: bool },
    Attached,
}

pub(super) struct Pending {
    pub(super) brings: Brings,
    pub(super) answer: oneshot::Sender<Result<Answer, LinkError>>,
}

#[derive(Default)]
struct Tables {
    last: u32,
    pending: HashMap<u32, Pending>,
    processes: HashMap<u32, Arc<Queue>>,
}

pub(super) struct Shared {
    tables: Mutex<Tables>,
    pub(super) closed: watch::Sender<Option<LinkError>>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self { tables: Mutex::default(), closed: watch::Sender::new(None) }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn why(&self) -> LinkError {
        self.closed.borrow().clone().unwrap_or_else(|| LinkError::Closed("the link ended".to_owned()))
    }

    pub(super) fn register(&self, pending: Pending) -> Result<u32, LinkError> {
        let mut tables = self.tables();
        if let Some(why) = self.closed.borrow().clone() {
            return Err(why);
        }
        if tables.pending.len() >= PENDING {
            return Err(LinkError::Closed(format!("it left {PENDING} requests without an answer")));
        }
        // 0 is left for requests whose answer nobody reads.
        let id = loop {
            tables.last = tables.last.wrapping_add(1);
            if tables.last != 0 && !tables.pending.contains_key(&tables.last) {
                break tables.last;
            }
        };
        tables.pending.insert(id, pending);
        Ok(id)
    }

    /// Nobody waits for this answer any more. What would bring a process stays, so that the process is not leaked.
    pub(super) fn forget(&self, id: u32) {
        let mut tables = self.tables();
        if tables.pending.get(&id).is_some_and(|pending| pending.brings == Brings::Nothing) {
            tables.pending.remove(&id);
        }
    }

    /// The first reason counts. Everyone who waits learns it.
    pub(super) fn close(&self, why: LinkError) {
        let mut tables = self.tables();
        let first = self.closed.send_if_modified(|closed| {
            let first = closed.is_none();
            closed.get_or_insert_with(|| why.clone());
            first
        });
        if !first {
            return;
        }
        let Tables { pending, processes, .. } = std::mem::take(&mut *tables);
        drop(tables);
        for pending in pending.into_values() {
            let _gone = pending.answer.send(Err(why.clone()));
        }
        for queue in processes.into_values() {
            queue.end(Ending::Lost(why.clone()));
        }
    }

    /// Takes the queue off the table if it is still this process's: nobody reads it, and it is no terminal.
    pub(super) fn remove(&self, id: u32, queue: &Arc<Queue>) -> bool {
        let mut tables = self.tables();
        let current = tables.processes.get(&id).is_some_and(|current| Arc::ptr_eq(current, queue));
        if current && !queue.terminal {
            tables.processes.remove(&id);
        }
        current
    }

    pub(super) fn end(&self, process: u32, ending: Ending) {
        if let Some(queue) = self.tables().processes.remove(&process) {
            queue.end(ending);
        }
    }

    /// Takes in one frame. An error closes the link.
    pub(super) fn receive(
        &self,
        kind: Kind,
        channel: u32,
        payload: BytesMut,
        wire: &Weak<Wire>,
    ) -> Result<(), LinkError> {
        match kind {
            Kind::Response => self.respond(channel, parse("response", &payload)?, wire),
            Kind::Data => {
                let queue = self.tables().processes.get(&channel).cloned();
                let Some(queue) = queue else { return Ok(()) };
                let credit = queue
                    .put(payload)
                    .map_err(|_| LinkError::Protocol(format!("process {channel} sent more than its credit")))?;
                if let (Some(credit), Some(wire)) = (credit, wire.upgrade()) {
                    wire.send(Kind::Credit, channel, &credit.to_be_bytes());
                }
            }
            Kind::Event => {
                let ending = match parse("event", &payload)? {
                    Event::Exited { code, stderr } => Ending::Exited { code, stderr },
                    Event::Detached => Ending::Detached,
                };
                self.end(channel, ending);
            }
            Kind::Credit => {
                let bytes = payload.first_chunk().filter(|_| payload.len() == 4);
                let bytes = bytes.ok_or_else(|| LinkError::Protocol("credit is four bytes".to_owned()))?;
                let queue = self.tables().processes.get(&channel).cloned();
                if let Some(queue) = queue {
                    queue.typed(u32::from_be_bytes(*bytes));
                }
            }
            Kind::Request => {
                return Err(LinkError::Protocol(format!("{kind:?} comes from the platform only")));
            }
        }
        Ok(())
    }

    fn respond(&self, id: u32, response: Response, wire: &Weak<Wire>) {
        let Some(pending) = self.tables().pending.remove(&id) else { return };
        let answer = match (response, pending.brings) {
            (Err(fault), _) => Err(LinkError::Fault(fault)),
            (Ok(Reply::Process { process, offset }), Brings::Opened { .. } | Brings::Attached) => {
                let terminal = pending.brings != Brings::Opened { terminal: false };
                let queue = {
                    let processes = &mut self.tables().processes;
                    let before = processes.remove(&process);
                    let queue = Arc::new(Queue::new(terminal, before.is_some()));
                    processes.insert(process, Arc::clone(&queue));
                    if let Some(before) = before {
                        before.end(Ending::Detached);
                    }
                    queue
                };
                match wire.upgrade() {
                    Some(wire) => Ok(Answer::Process(Process::new(wire, process, offset, queue))),
                    None => Err(self.why()),
                }
            }
            (Ok(reply), _) => Ok(Answer::Reply(reply)),
        };
        // Given up on meanwhile. A piped process ends as it is dropped here, and a terminal that was attached runs on
        // unseen; one that was just opened would be nobody's.
        if let Err(Ok(Answer::Process(process))) = pending.answer.send(answer)
            && let (Brings::Opened { terminal: true }, Some(wire)) = (pending.brings, wire.upgrade())
        {
            wire.close_process(process.id);
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, payload: &[u8]) -> Result<T, LinkError> {
    serde_json::from_slice(payload).map_err(|error| LinkError::Protocol(format!("{what}: {error}")))
}
