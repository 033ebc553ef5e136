//! The tasks behind an [`AgentLink`](super::AgentLink): one reads frames and never waits for a consumer, one writes them.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bulkhead_agent::{
    frame::{self, HEADER, Kind, MAX_PAYLOAD},
    protocol::Request,
};
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{sleep, timeout},
};

use super::{
    LinkError,
    process::Ending,
    queue::Queue,
    shared::{Answer, Brings, Pending, Shared},
};
use crate::engine::Duplex;

/// Requests that may be under way at once.
const IN_FLIGHT: usize = 64;
/// Pieces of input that wait to be written.
const INPUT_PIECES: usize = 16;
/// Frames are collected up to about this size before they are written.
const BATCH: usize = 64 * 1024;
/// For a peer that does not take the last frames.
const FAREWELL: Duration = Duration::from_millis(500);

/// What the handles of a link share. Dropping the last one ends both tasks.
pub(super) struct Wire {
    control: mpsc::UnboundedSender<Vec<u8>>,
    input: mpsc::Sender<(u32, Bytes)>,
    in_flight: Semaphore,
    shared: Arc<Shared>,
    ending: watch::Sender<bool>,
}

impl Wire {
    pub(super) fn start(stream: Duplex) -> Arc<Self> {
        let (reader, writer) = tokio::io::split(stream);
        let (control, frames) = mpsc::unbounded_channel();
        let (input, pieces) = mpsc::channel(INPUT_PIECES);
        let (ending, ended) = watch::channel(false);
        let shared = Arc::new(Shared::new());
        let wire = Arc::new(Self {
            control,
            input,
            in_flight: Semaphore::new(IN_FLIGHT),
            shared: Arc::clone(&shared),
            ending,
        });
        tokio::spawn(read_until(reader, Arc::clone(&shared), Arc::downgrade(&wire), ended.clone()));
        tokio::spawn(write_until(writer, frames, pieces, shared, ended));
        wire
    }

    pub(super) fn closed(&self) -> Option<LinkError> {
        self.shared.closed.borrow().clone()
    }

    pub(super) async fn until_closed(&self) -> LinkError {
        let mut closed = self.shared.closed.subscribe();
        let _known = closed.wait_for(Option::is_some).await;
        self.shared.why()
    }

    pub(super) async fn ask(&self, request: &Request, brings: Brings, within: Duration) -> Result<Answer, LinkError> {
        let json = serde_json::to_vec(request).map_err(|error| LinkError::Protocol(error.to_string()))?;
        if json.len() > MAX_PAYLOAD {
            return Err(LinkError::Protocol(format!("a request of {} bytes is longer than a frame holds", json.len())));
        }
        let answered = async {
            let Ok(_permit) = self.in_flight.acquire().await else { return Err(self.shared.why()) };
            let (sender, answer) = oneshot::channel();
            let id = self.shared.register(Pending { brings, answer: sender })?;
            let _forget = Forget { shared: &self.shared, id };
            self.send(Kind::Request, id, &json);
            answer.await.unwrap_or_else(|_| Err(self.shared.why()))
        };
        timeout(within, answered).await.unwrap_or(Err(LinkError::TimedOut(within)))
    }

    /// For what is small and cannot pile up: requests are counted, credit follows what was received.
    pub(super) fn send(&self, kind: Kind, channel: u32, payload: &[u8]) {
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        frame::encode(kind, channel, payload, &mut bytes);
        let _closed = self.control.send(bytes);
    }

    pub(super) async fn send_input(&self, process: u32, piece: Bytes) -> Result<(), LinkError> {
        if let Some(why) = self.closed() {
            return Err(why);
        }
        self.input.send((process, piece)).await.map_err(|_| self.shared.why())
    }

    pub(super) fn end(&self, process: u32, ending: Ending) {
        self.shared.end(process, ending);
    }

    /// Nobody reads this process's output any more.
    pub(super) fn abandon(&self, id: u32, queue: &Arc<Queue>) {
        if !self.shared.remove(id, queue) {
            return;
        }
        if !queue.terminal {
            self.close_process(id);
        } else if let Some(credit) = queue.abandon() {
            self.send(Kind::Credit, id, &credit.to_be_bytes());
        }
    }

    /// Ends a process without waiting for the answer.
    pub(super) fn close_process(&self, process: u32) {
        if let Ok(json) = serde_json::to_vec(&Request::Close { process }) {
            self.send(Kind::Request, 0, &json);
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.ending.send_replace(true);
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("closed", &self.closed()).finish_non_exhaustive()
    }
}

struct Forget<'a> {
    shared: &'a Shared,
    id: u32,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.forget(self.id);
    }
}

async fn read_until(
    mut reader: ReadHalf<Duplex>,
    shared: Arc<Shared>,
    wire: Weak<Wire>,
    mut ended: watch::Receiver<bool>,
) {
    let mut closed = shared.closed.subscribe();
    let why = tokio::select! {
        why = read(&mut reader, &shared, &wire) => why,
        // The writer ends the link, once the last frames are out.
        _ = ended.wait_for(|ended| *ended) => return,
        _ = closed.wait_for(Option::is_some) => return,
    };
    shared.close(why);
}

async fn read(reader: &mut ReadHalf<Duplex>, shared: &Shared, wire: &Weak<Wire>) -> LinkError {
    let mut buffer = BytesMut::with_capacity(BATCH);
    loop {
        loop {
            match frame::peek(&buffer) {
                Err(error) => return LinkError::Protocol(error.to_string()),
                Ok(Some((kind, channel, size))) if buffer.len() >= size => {
                    let payload = buffer.split_to(size).split_off(HEADER);
                    if let Err(why) = shared.receive(kind, channel, payload, wire) {
                        return why;
                    }
                }
                Ok(_) => break,
            }
        }
        buffer.reserve(BATCH / 4);
        match reader.read_buf(&mut buffer).await {
            Ok(0) => return LinkError::Closed("the stream ended".to_owned()),
            Ok(_) => {}
            Err(error) => return LinkError::Closed(error.to_string()),
        }
    }
}

async fn write_until(
    mut writer: WriteHalf<Duplex>,
    mut frames: mpsc::UnboundedReceiver<Vec<u8>>,
    mut pieces: mpsc::Receiver<(u32, Bytes)>,
    shared: Arc<Shared>,
    mut ended: watch::Receiver<bool>,
) {
    let mut closed = shared.closed.subscribe();
    let given_up = async {
        drop(ended.wait_for(|ended| *ended).await);
        sleep(FAREWELL).await;
    };
    // With the last handle the channels close and `write` returns, once the last frames are out.
    let why = tokio::select! {
        written = write(&mut writer, &mut frames, &mut pieces) => written.err(),
        _ = closed.wait_for(Option::is_some) => None,
        () = given_up => None,
    };
    shared.close(LinkError::Closed(why.map_or_else(|| "it was closed here".to_owned(), |error| error.to_string())));
    let _gone = timeout(FAREWELL, writer.shutdown()).await;
}

async fn write(
    writer: &mut WriteHalf<Duplex>,
    frames: &mut mpsc::UnboundedReceiver<Vec<u8>>,
    pieces: &mut mpsc::Receiver<(u32, Bytes)>,
) -> std::io::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            biased;
            Some(bytes) = frames.recv() => batch.extend_from_slice(&bytes),
            Some((process, piece)) = pieces.recv() => frame::encode(Kind::Data, process, &piece, &mut batch),
            else => return Ok(()),
        }
        while batch.len() < BATCH {
            if let Ok(bytes) = frames.try_recv() {
                batch.extend_from_slice(&bytes);
            } else if let Ok((process, piece)) = pieces.try_recv() {
                frame::encode(Kind::Data, process, &piece, &mut batch);
            } else {
                break;
            }
        }
        writer.write_all(&batch).await?;
        writer.flush().await?;
        batch.clear();
    }
}
