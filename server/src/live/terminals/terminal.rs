//! One terminal as the rest of the server holds it, and one viewer of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bulkhead_agent::protocol::Size;
use bulkhead_app::api::lab::TerminalView;
use bulkhead_labs::link::{AgentLink, Input, Process};
use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::outbox::{Item, Outbox};

/// Orders that wait for a terminal's task; who sends more waits himself.
pub(super) const ORDERS: usize = 64;
/// A program that does not read its input loses what is typed meanwhile; the socket must not stall on it.
const INPUT_PATIENCE: Duration = Duration::from_secs(1);

/// What a viewer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// His own terminal: types as soon as nobody else does.
    Owner,
    /// An instructor: watches, and types only after he claimed the keyboard.
    Guest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ViewerId(pub(super) u64);

pub(super) enum Order {
    View { viewer: ViewerId, rights: Rights, outbox: Arc<Outbox> },
    Leave(ViewerId),
    Acknowledge { viewer: ViewerId, bytes: usize },
    Resize { viewer: ViewerId, size: Size },
    Claim(ViewerId),
    Attached(Attachment),
    End { reason: String },
}

/// A terminal's process on a link.
pub(super) struct Attachment {
    pub(super) link: AgentLink,
    pub(super) process: Process,
    /// What it had printed before this is history: it belongs on the screen and not into a browser's parser.
    pub(super) live_from: u64,
}

#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) id: u32,
    pub(super) machine: String,
    /// Number among its machine's terminals, from 1.
    pub(super) number: u32,
    pub(super) orders: mpsc::Sender<Order>,
    /// [`ViewerId`] of the one who types; 0 for nobody.
    pub(super) writer: AtomicU64,
    /// `None` while the link is lost.
    pub(super) input: watch::Sender<Option<Input>>,
}

impl Terminal {
    pub(super) fn view(&self) -> TerminalView {
        TerminalView { id: self.id, machine: self.machine.clone(), title: format!("{} {}", self.machine, self.number) }
    }

    pub(super) fn set_input(&self, input: Option<Input>) {
        self.input.send_replace(input);
    }

    /// Waits for a link that is being opened again.
    async fn input(&self) -> Option<Input> {
        let mut input = self.input.subscribe();
        input.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// A browser's place before a terminal. Dropped, it leaves.
#[derive(Debug)]
pub struct Viewer {
    id: ViewerId,
    terminal: Arc<Terminal>,
    outbox: Arc<Outbox>,
}

impl Viewer {
    /// `None` when the terminal has just ended.
    pub(super) async fn enter(terminal: Arc<Terminal>, id: ViewerId, rights: Rights) -> Option<Self> {
        let outbox = Arc::new(Outbox::default());
        let view = Order::View { viewer: id, rights, outbox: Arc::clone(&outbox) };
        terminal.orders.send(view).await.ok()?;
        Some(Self { id, terminal, outbox })
    }

    /// The next message for the browser; `None` when the terminal has no more for him. Safe to cancel.
    pub(super) async fn next(&self) -> Option<Item> {
        self.outbox.next().await
    }

    /// Keys reach the program past the terminal's task, so that output never delays them. Only the writer's count.
    pub(super) async fn type_in(&self, bytes: Bytes) {
        if self.terminal.writer.load(Ordering::Acquire) != self.id.0 {
            return;
        }
        let typed = async {
            if let Some(input) = self.terminal.input().await {
                let _lost = input.send(bytes).await;
            }
        };
        if tokio::time::timeout(INPUT_PATIENCE, typed).await.is_err() {
            tracing::debug!(
                terminal = self.terminal.id,
                "keys were lost: the program does not read, or the link is lost"
            );
        }
    }

    pub(super) async fn acknowledge(&self, bytes: usize) {
        self.order(Order::Acknowledge { viewer: self.id, bytes }).await;
    }

    pub(super) async fn resize(&self, size: Size) {
        self.order(Order::Resize { viewer: self.id, size }).await;
    }

    pub(super) async fn claim(&self) {
        self.order(Order::Claim(self.id)).await;
    }

    /// A terminal that has just ended takes no orders; its outbox says so.
    async fn order(&self, order: Order) {
        let _ended = self.terminal.orders.send(order).await;
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.outbox.close();
        let leave = Order::Leave(self.id);
        // A full queue is emptied soon; the terminal also lets go of viewers whose outbox is closed.
        let _busy = self.terminal.orders.try_send(leave);
    }
}
