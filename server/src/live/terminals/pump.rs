//! The task of one terminal: takes its output, keeps its screen, serves its viewers.
//!
//! It takes more output only while every viewer who is in step has room. What it does not take stays in the sandbox's
//! agent, whose credit runs out, so the program itself waits: `yes` costs a bounded amount of memory everywhere. What is
//! dear to draw costs its own terminal time, and no other.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bulkhead_agent::protocol::Size;
use bulkhead_app::api::terminal::FromServer;
use bulkhead_labs::link::{AgentLink, Ending, Output, Process};
use bytes::Bytes;
use tokio::{sync::mpsc, time::Instant};

use super::{
    outbox::Outbox,
    screen::{Screen, bounded, worked},
    terminal::{Attachment, Order, Rights, Terminal, ViewerId},
    window::{Room, Window},
};

/// While nobody is in step a program's output only feeds the screen model; at this pace it costs little.
const UNSEEN_BYTES_PER_SECOND: usize = 8 * 1024 * 1024;

/// Output of which a byte costs more is made to be dear: a full screen that is drawn anew costs a hundredth.
const DEAR: Duration = Duration::from_micros(10);
/// Dear output rests so many times what it took; shorter work is let pass.
const REST: u32 = 9;
const NO_MATTER: Duration = Duration::from_millis(1);

type Resizing = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Pump {
    terminal: Arc<Terminal>,
    orders: mpsc::Receiver<Order>,
    link: AgentLink,
    /// `None` while the link is lost.
    output: Option<Output>,
    /// What came, and waits for the screen's next turn.
    unread: Bytes,
    screen: Screen,
    /// Bytes of the process's output that the screen has seen.
    position: u64,
    live_from: u64,
    /// Bytes to come that the screen has seen before the link was lost.
    again: usize,
    /// Draw anew once the history is read: what the agent still had may begin in the middle of a sequence.
    nudge: bool,
    viewers: BTreeMap<ViewerId, Place>,
    /// With nobody in step.
    rest_until: Option<Instant>,
    /// Whoever is in step.
    cool_until: Option<Instant>,
    resizing: Option<Resizing>,
    /// Size that is wanted after the one under way.
    wanted: Option<Size>,
}

struct Place {
    rights: Rights,
    outbox: Arc<Outbox>,
    window: Window,
}

impl Pump {
    pub(super) fn new(
        terminal: Arc<Terminal>,
        orders: mpsc::Receiver<Order>,
        size: Size,
        attachment: Attachment,
    ) -> Self {
        let Attachment { link, process, live_from } = attachment;
        let Process { offset, output, input, .. } = process;
        terminal.set_input(Some(input));
        Self {
            terminal,
            orders,
            link,
            output: Some(output),
            unread: Bytes::new(),
            screen: Screen::new(size),
            position: offset,
            live_from,
            again: 0,
            nudge: live_from > 0,
            viewers: BTreeMap::new(),
            rest_until: None,
            cool_until: None,
            resizing: None,
            wanted: None,
        }
    }

    /// Serves until the process ends or the terminal is closed.
    pub(super) async fn run(mut self) {
        let last = loop {
            self.serve_snapshots();
            let gate = self.gate(Instant::now());
            if !self.unread.is_empty() {
                // Between two turns of this screen it is the others' turn.
                tokio::task::yield_now().await;
            }
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::End { reason }) => break FromServer::Gone { reason },
                    Some(order) => self.obey(order),
                    None => break FromServer::Gone { reason: "The server let go of this terminal.".to_owned() },
                },
                bytes = next(&mut self.unread, &mut self.output), if gate.is_none() => match bytes {
                    Some(bytes) => self.take(bytes),
                    None => match self.ending().await {
                        Ending::Exited { code, .. } => break FromServer::Exited { code },
                        Ending::Detached => break FromServer::Gone { reason: "Another server took this terminal over.".to_owned() },
                        Ending::Lost(_) => self.lost(),
                    },
                },
                () = until(gate), if gate.is_some() => {}
                () = resized(&mut self.resizing), if self.resizing.is_some() => self.resized(),
            }
        };
        self.terminal.set_input(None);
        for place in self.viewers.values() {
            place.outbox.notice(last.clone());
            place.outbox.close();
        }
    }

    /// `None`: take output. Else look again at that moment.
    fn gate(&mut self, now: Instant) -> Option<Instant> {
        self.viewers.retain(|_, place| !place.outbox.is_closed());
        self.pass_on_keyboard();
        let writer = self.writer();
        let mut in_step = false;
        let mut wait = None::<Instant>;
        for (id, place) in &mut self.viewers {
            match place.window.room(now, *id == writer) {
                Room::Open => in_step = true,
                Room::WaitUntil(at) => wait = Some(wait.map_or(at, |other| other.max(at))),
                Room::Behind => {}
            }
        }
        let rest = if wait.is_some() || in_step { wait } else { self.rest_until };
        rest.max(self.cool_until).filter(|&at| at > now)
    }

    fn take(&mut self, mut bytes: Bytes) {
        let seen = self.again.min(bytes.len());
        let _seen = bytes.split_to(seen);
        self.again -= seen;
        self.draw_anew();
        let history = usize::try_from(self.live_from.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let most = if history > 0 { history.min(bytes.len()) } else { bytes.len() };
        let taken = self.feed(&bytes[..most]);
        let fed = bytes.split_to(taken);
        self.unread = bytes;
        if history == 0 {
            self.pass_on(&fed);
        } else {
            self.serve_snapshots();
            self.draw_anew();
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> usize {
        let began = worked();
        let taken = self.screen.feed(bytes);
        let (took, now) = (worked().saturating_sub(began), Instant::now());
        self.position += taken as u64;
        self.rest_until = Some(now + Duration::from_micros((taken * 1_000_000 / UNSEEN_BYTES_PER_SECOND) as u64));
        let dear = took > NO_MATTER && took > DEAR * u32::try_from(taken).unwrap_or(u32::MAX);
        self.cool_until = dear.then(|| now + took * REST);
        taken
    }

    /// Once the history is read, if it has to be.
    fn draw_anew(&mut self) {
        if self.position >= self.live_from && std::mem::take(&mut self.nudge) {
            let Size { cols, rows } = self.screen.size();
            self.resize_process(Size { cols, rows: if rows > 1 { rows - 1 } else { 2 } });
            self.resize_process(Size { cols, rows });
        }
    }

    fn pass_on(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let (now, writer) = (Instant::now(), self.writer());
        for (id, place) in &mut self.viewers {
            if place.window.room(now, *id == writer) != Room::Behind {
                place.outbox.output(bytes);
                place.window.sent(bytes.len());
            }
        }
    }

    fn serve_snapshots(&mut self) {
        if self.position < self.live_from {
            return;
        }
        let mut snapshot = None::<Bytes>;
        for place in self.viewers.values_mut().filter(|place| place.window.wants_snapshot()) {
            let bytes = snapshot.get_or_insert_with(|| self.screen.snapshot());
            place.outbox.snapshot(bytes);
            place.window.sent_snapshot(bytes.len());
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::View { viewer, rights, outbox } => {
                let Size { cols, rows } = self.screen.size();
                outbox.notice(FromServer::Size { cols, rows });
                if let Some(writer) = self.viewers.get(&self.writer())
                    && rights == Rights::Owner
                {
                    // A reload or a lost network leaves a dead socket that still holds the keyboard.
                    writer.outbox.probe();
                    outbox.notice(FromServer::Writer { yours: false });
                } else if rights == Rights::Guest {
                    outbox.notice(FromServer::Writer { yours: false });
                }
                self.viewers.insert(viewer, Place { rights, outbox, window: Window::new() });
            }
            Order::Leave(viewer) => {
                self.viewers.remove(&viewer);
            }
            Order::Acknowledge { viewer, bytes } => {
                if let Some(place) = self.viewers.get_mut(&viewer) {
                    place.window.acknowledged(Instant::now(), bytes);
                }
            }
            Order::Resize { viewer, size } => {
                if viewer == self.writer() {
                    self.resize(bounded(size));
                }
            }
            Order::Claim(viewer) => self.hand_keyboard_to(viewer),
            Order::Attached(attachment) => self.attached(attachment),
            Order::End { .. } => {}
        }
        self.pass_on_keyboard();
    }

    fn writer(&self) -> ViewerId {
        ViewerId(self.terminal.writer.load(Ordering::Acquire))
    }

    /// A keyboard that nobody holds goes to the owner's first viewer.
    fn pass_on_keyboard(&mut self) {
        if self.viewers.contains_key(&self.writer()) {
            return;
        }
        let next = self.viewers.iter().find(|(_, place)| place.rights == Rights::Owner).map(|(&id, _)| id);
        match next {
            Some(id) => self.hand_keyboard_to(id),
            None => self.terminal.writer.store(0, Ordering::Release),
        }
    }

    fn hand_keyboard_to(&mut self, to: ViewerId) {
        let Some(place) = self.viewers.get(&to) else { return };
        let from = ViewerId(self.terminal.writer.swap(to.0, Ordering::AcqRel));
        place.outbox.notice(FromServer::Writer { yours: true });
        if from != to
            && let Some(before) = self.viewers.get(&from)
        {
            before.outbox.notice(FromServer::Writer { yours: false });
        }
    }

    fn resize(&mut self, size: Size) {
        if size == self.screen.size() {
            return;
        }
        self.screen.resize(size);
        for place in self.viewers.values() {
            place.outbox.notice(FromServer::Size { cols: size.cols, rows: size.rows });
        }
        self.resize_process(size);
    }

    /// One request at a time; of those that come meanwhile only the last counts.
    fn resize_process(&mut self, size: Size) {
        if self.resizing.is_some() {
            self.wanted = Some(size);
            return;
        }
        let (link, id) = (self.link.clone(), self.terminal.id);
        self.resizing = Some(Box::pin(async move {
            if let Err(error) = link.resize(id, size).await {
                tracing::debug!(terminal = id, %error, "the terminal was not resized");
            }
        }));
    }

    fn resized(&mut self) {
        self.resizing = None;
        if let Some(size) = self.wanted.take() {
            self.resize_process(size);
        }
    }

    async fn ending(&mut self) -> Ending {
        match &mut self.output {
            Some(output) => output.ending().await,
            None => std::future::pending().await,
        }
    }

    /// The hub opens a new link and attaches again; until then the screen stands still.
    fn lost(&mut self) {
        self.output = None;
        self.unread = Bytes::new();
        self.terminal.set_input(None);
    }

    /// The agent sends again what it still has; only what the screen has not seen is news.
    fn attached(&mut self, Attachment { link, process, .. }: Attachment) {
        let Process { offset, output, input, .. } = process;
        self.link = link;
        self.terminal.set_input(Some(input));
        self.output = Some(output);
        self.unread = Bytes::new();
        if offset > self.position {
            // More was printed than the agent keeps. What is missing must not look like output that follows.
            for place in self.viewers.values_mut() {
                place.window.fall_behind();
            }
            self.nudge = true;
            self.position = offset;
        }
        self.again = usize::try_from(self.position - offset).unwrap_or(usize::MAX);
    }
}

async fn next(unread: &mut Bytes, output: &mut Option<Output>) -> Option<Bytes> {
    if !unread.is_empty() {
        return Some(std::mem::take(unread));
    }
    match output {
        Some(output) => output.next().await,
        None => std::future::pending().await,
    }
}

async fn until(gate: Option<Instant>) {
    match gate {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn resized(resizing: &mut Option<Resizing>) {
    match resizing {
        Some(resizing) => resizing.await,
        None => std::future::pending().await,
    }
}
