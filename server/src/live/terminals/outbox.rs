//! What waits to be sent to one viewer. Bytes are bounded by his window, notices by being few and merged.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bulkhead_app::api::terminal::{FromServer, OUTPUT, SNAPSHOT};
use bytes::{BufMut, Bytes, BytesMut};
use tokio::sync::Notify;

/// Small pieces of output are merged into messages of up to about this size.
const MESSAGE: usize = 64 * 1024;
/// A viewer for whom more waits does not read; he is let go.
const ITEMS: usize = 1024;

/// One message on its way to a browser.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A binary frame, its kind byte first.
    Bytes(Bytes),
    Notice(FromServer),
    /// Find out whether the other end is alive.
    Probe,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    closed: bool,
}

#[derive(Debug)]
enum Waiting {
    Output(BytesMut),
    Snapshot(Bytes),
    Notice(FromServer),
    Probe,
}

impl Outbox {
    pub(super) fn output(&self, bytes: &[u8]) {
        let mut state = self.state();
        if let Some(Waiting::Output(message)) = state.waiting.back_mut()
            && message.len() + bytes.len() <= MESSAGE
        {
            message.extend_from_slice(bytes);
            return;
        }
        let mut message = BytesMut::with_capacity(1 + bytes.len());
        message.put_u8(OUTPUT);
        message.extend_from_slice(bytes);
        self.push(state, Waiting::Output(message));
    }

    pub(super) fn snapshot(&self, bytes: &[u8]) {
        let mut message = BytesMut::with_capacity(1 + bytes.len());
        message.put_u8(SNAPSHOT);
        message.extend_from_slice(bytes);
        self.push(self.state(), Waiting::Snapshot(message.freeze()));
    }

    pub(super) fn notice(&self, notice: FromServer) {
        let mut state = self.state();
        // Of two sizes in a row only the last counts.
        if let (Some(Waiting::Notice(last @ FromServer::Size { .. })), FromServer::Size { .. }) =
            (state.waiting.back_mut(), &notice)
        {
            *last = notice;
            return;
        }
        self.push(state, Waiting::Notice(notice));
    }

    pub(super) fn probe(&self) {
        self.push(self.state(), Waiting::Probe);
    }

    /// What waits is still sent, then the socket closes.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.arrived.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// `None`: it is over. Safe to cancel.
    pub(super) async fn next(&self) -> Option<Item> {
        loop {
            {
                let mut state = self.state();
                if let Some(waiting) = state.waiting.pop_front() {
                    return Some(match waiting {
                        Waiting::Output(message) => Item::Bytes(message.freeze()),
                        Waiting::Snapshot(message) => Item::Bytes(message),
                        Waiting::Notice(notice) => Item::Notice(notice),
                        Waiting::Probe => Item::Probe,
                    });
                }
                if state.closed {
                    return None;
                }
            }
            self.arrived.notified().await;
        }
    }

    fn push(&self, mut state: MutexGuard<'_, State>, item: Waiting) {
        if state.closed {
            return;
        }
        state.waiting.push_back(item);
        if state.waiting.len() > ITEMS {
            state.waiting.clear();
            state.closed = true;
        }
        drop(state);
        self.arrived.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_pieces_are_merged_and_order_is_kept() {
        let outbox = Outbox::default();
        outbox.snapshot(b"S");
        outbox.output(b"a");
        outbox.output(b"b");
        outbox.notice(FromServer::Size { cols: 1, rows: 1 });
        outbox.notice(FromServer::Size { cols: 2, rows: 2 });
        outbox.output(b"c");
        outbox.close();
        let mut got = Vec::new();
        while let Some(item) = outbox.next().await {
            got.push(item);
        }
        assert_eq!(
            got,
            [
                Item::Bytes(Bytes::from_static(b"\0S")),
                Item::Bytes(Bytes::from_static(b"\x01ab")),
                Item::Notice(FromServer::Size { cols: 2, rows: 2 }),
                Item::Bytes(Bytes::from_static(b"\x01c")),
            ]
        );
    }

    #[tokio::test]
    async fn who_does_not_read_is_let_go() {
        let outbox = Outbox::default();
        for _ in 0..=ITEMS {
            outbox.probe();
        }
        assert_eq!(outbox.next().await, None);
    }
}
