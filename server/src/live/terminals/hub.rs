//! One sandbox's terminals and the one link to its agent, kept open and opened again.
//!
//! ```text
//!            link lost                     attached again
//!   Linked ─────────────▶ (terminals wait) ──────────────▶ Linked
//!      └──────────── sandbox over: every viewer is told why ────▶ Closed
//! ```

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bulkhead_agent::protocol::{FaultKind, Open, ProcessInfo, Size};
use bulkhead_app::api::lab::TerminalView;
use bulkhead_labs::{
    engine::{SandboxEngine, SandboxId},
    link::{AgentLink, LinkError},
    manifest::Machine,
};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

use super::{
    pump::Pump,
    screen::bounded,
    terminal::{Attachment, ORDERS, Order, Rights, Terminal, Viewer, ViewerId},
};

/// Terminals of one sandbox at once.
pub const MAX_TERMINALS: usize = 12;
/// A terminal's size until its first viewer says his.
const FIRST_SIZE: Size = Size { cols: 80, rows: 24 };
/// Longest pause between two tries to reach an agent.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    #[error("There are {MAX_TERMINALS} terminals open. Close one first.")]
    TooMany,
    #[error("There is no such terminal.")]
    NotFound,
    #[error("The sandbox is over.")]
    Over,
    /// The agent said no, in words for a person.
    #[error("The terminal could not be opened: {0}")]
    Refused(String),
    /// The agent does not answer.
    #[error("The sandbox does not answer: {0}")]
    Unreachable(String),
}

impl From<LinkError> for TerminalError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Fault(fault) if fault.kind == FaultKind::NotFound => Self::NotFound,
            LinkError::Fault(fault) => Self::Refused(fault.message),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

pub struct Hub {
    sandbox: SandboxId,
    engine: Arc<dyn SandboxEngine>,
    /// Held while a link is opened, so that it is opened once.
    link: AsyncMutex<Option<AgentLink>>,
    terminals: Mutex<BTreeMap<u32, Arc<Terminal>>>,
    /// Terminals that are on their way.
    opening: AtomicUsize,
    viewers: AtomicU64,
    closed: watch::Sender<bool>,
    /// Told whenever the list of terminals changes.
    changed: mpsc::UnboundedSender<SandboxId>,
}

/// A terminal on its way, until this is dropped.
struct Place<'h>(&'h AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Hub {
    /// `link`: one that is open already.
    pub(super) fn start(
        sandbox: SandboxId,
        engine: Arc<dyn SandboxEngine>,
        link: Option<AgentLink>,
        changed: mpsc::UnboundedSender<SandboxId>,
    ) -> Arc<Self> {
        let hub = Arc::new(Self {
            sandbox,
            engine,
            link: AsyncMutex::new(link),
            terminals: Mutex::default(),
            opening: AtomicUsize::new(0),
            viewers: AtomicU64::new(1),
            closed: watch::Sender::new(false),
            changed,
        });
        tokio::spawn(Arc::clone(&hub).keep_linked());
        hub
    }

    /// The open link; opens one and finds the sandbox's terminals where it was lost.
    pub async fn link(self: &Arc<Self>) -> Result<AgentLink, TerminalError> {
        let mut held = self.link.lock().await;
        if *self.closed.borrow() {
            return Err(TerminalError::Over);
        }
        if let Some(link) = held.as_ref().filter(|link| !link.is_closed()) {
            return Ok(link.clone());
        }
        let unreachable = |error: &dyn std::fmt::Display| TerminalError::Unreachable(error.to_string());
        let stream = self.engine.connect(&self.sandbox).await.map_err(|error| unreachable(&error))?;
        let link = AgentLink::open(stream).await?;
        self.find_terminals(&link).await?;
        *held = Some(link.clone());
        Ok(link)
    }

    /// A student's terminal on a machine of his lab, as the account that the lab gives him there.
    pub async fn open_on(self: &Arc<Self>, machine: &Machine) -> Result<TerminalView, TerminalError> {
        let name = machine.name.as_str();
        let uid = match &machine.user {
            Some(user) => self.link().await?.account(name, user).await?,
            None => 0,
        };
        self.open(name, uid).await
    }

    pub async fn open(self: &Arc<Self>, machine: &str, uid: u32) -> Result<TerminalView, TerminalError> {
        let link = self.link().await?;
        let _place = self.place()?;
        let open = Open { machine: machine.to_owned(), uid, argv: Vec::new(), tty: Some(FIRST_SIZE) };
        let process = link.start(open).await?;
        let attachment = Attachment { link, live_from: process.offset, process };
        Ok(self.serve(machine, FIRST_SIZE, attachment))
    }

    /// Those that are on their way have theirs, or many that come at once would all find room.
    fn place(&self) -> Result<Place<'_>, TerminalError> {
        let terminals = self.terminals();
        if terminals.len() + self.opening.load(Ordering::Acquire) >= MAX_TERMINALS {
            return Err(TerminalError::TooMany);
        }
        self.opening.fetch_add(1, Ordering::AcqRel);
        Ok(Place(&self.opening))
    }

    /// Hangs up the terminal's programs. Idempotent.
    pub async fn close(self: &Arc<Self>, terminal: u32) -> Result<(), TerminalError> {
        let Some(found) = self.terminals().remove(&terminal) else { return Ok(()) };
        let _ended = found.orders.send(Order::End { reason: "This terminal was closed.".to_owned() }).await;
        self.tell();
        self.link().await?.close(terminal).await.map_err(Into::into)
    }

    /// In the order in which they were opened.
    pub fn list(&self) -> Vec<TerminalView> {
        self.terminals().values().map(|terminal| terminal.view()).collect()
    }

    /// `None`: there is no such terminal (any more).
    pub async fn view(self: &Arc<Self>, terminal: u32, rights: Rights) -> Result<Option<Viewer>, TerminalError> {
        self.link().await?;
        let Some(found) = self.terminals().get(&terminal).cloned() else { return Ok(None) };
        let id = ViewerId(self.viewers.fetch_add(1, Ordering::Relaxed));
        Ok(Viewer::enter(found, id, rights).await)
    }

    /// The sandbox is over: every viewer is told why.
    pub(super) async fn shut(&self, reason: &str) {
        self.closed.send_replace(true);
        let terminals = std::mem::take(&mut *self.terminals());
        for terminal in terminals.into_values() {
            let _ended = terminal.orders.send(Order::End { reason: reason.to_owned() }).await;
        }
        // A link that is being opened right now is let go with the hub.
        if let Ok(mut link) = self.link.try_lock() {
            *link = None;
        }
    }

    async fn keep_linked(self: Arc<Self>) {
        let mut closed = self.closed.subscribe();
        let keep = async {
            let mut pause = Duration::from_millis(100);
            loop {
                match self.link().await {
                    Ok(link) => {
                        pause = Duration::from_millis(100);
                        let why = link.closed().await;
                        tracing::info!(sandbox = %self.sandbox, %why, "the link to the agent was lost");
                    }
                    Err(TerminalError::Over) => return,
                    Err(error) => {
                        tracing::warn!(sandbox = %self.sandbox, %error, "no link to the agent");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        };
        tokio::select! {
            () = keep => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
    }

    /// Takes over the terminals that the agent kept, and lets go of those that it has no more.
    async fn find_terminals(self: &Arc<Self>, link: &AgentLink) -> Result<(), TerminalError> {
        let kept = link.processes().await?;
        let gone: Vec<_> = {
            let mut terminals = self.terminals();
            let gone: Vec<u32> =
                terminals.keys().copied().filter(|id| !kept.iter().any(|process| process.process == *id)).collect();
            gone.iter().filter_map(|id| terminals.remove(id)).collect()
        };
        for terminal in gone {
            let _ended = terminal.orders.send(Order::End { reason: "Its shell ended.".to_owned() }).await;
        }
        for info in kept {
            let Some(size) = info.tty else { continue };
            if info.exited.is_some() {
                link.close(info.process).await?;
                continue;
            }
            self.take_over(link, &info, size).await?;
        }
        self.tell();
        Ok(())
    }

    async fn take_over(
        self: &Arc<Self>,
        link: &AgentLink,
        info: &ProcessInfo,
        size: Size,
    ) -> Result<(), TerminalError> {
        let process = match link.attach(info.process).await {
            Ok(process) => process,
            // It ended in between.
            Err(LinkError::Fault(fault)) if fault.kind == FaultKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let attachment = Attachment { link: link.clone(), process, live_from: info.offset };
        let known = self.terminals().get(&info.process).cloned();
        match known {
            Some(terminal) => {
                let _ended = terminal.orders.send(Order::Attached(attachment)).await;
            }
            None => {
                self.serve(&info.machine, size, attachment);
            }
        }
        Ok(())
    }

    fn serve(self: &Arc<Self>, machine: &str, size: Size, attachment: Attachment) -> TerminalView {
        let (orders, received) = mpsc::channel(ORDERS);
        let id = attachment.process.id;
        let terminal = {
            let mut terminals = self.terminals();
            let number = (1..=u32::MAX)
                .find(|number| !terminals.values().any(|other| other.machine == machine && other.number == *number))
                .unwrap_or(1);
            let terminal = Arc::new(Terminal {
                id,
                machine: machine.to_owned(),
                number,
                orders,
                writer: AtomicU64::new(0),
                input: watch::Sender::new(None),
            });
            terminals.insert(id, Arc::clone(&terminal));
            terminal
        };
        let view = terminal.view();
        let pump = Pump::new(Arc::clone(&terminal), received, bounded(size), attachment);
        let hub = Arc::downgrade(self);
        tokio::spawn(async move {
            pump.run().await;
            if let Some(hub) = hub.upgrade() {
                hub.forget(&terminal);
            }
        });
        self.tell();
        view
    }

    fn forget(&self, ended: &Arc<Terminal>) {
        let mut terminals = self.terminals();
        if terminals.get(&ended.id).is_some_and(|current| Arc::ptr_eq(current, ended)) {
            terminals.remove(&ended.id);
            drop(terminals);
            self.tell();
        }
    }

    fn tell(&self) {
        if !*self.closed.borrow() {
            let _nobody = self.changed.send(self.sandbox.clone());
        }
    }

    fn terminals(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Terminal>>> {
        self.terminals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
