//! Pid 1: one loop over events. Threads only wait (for signals, readiness, sockets, requests) and send events here.
//!
//! ```text
//! inactive ──start──▶ waiting (for what it comes after) ──▶ starting ──ready──▶ active
//!    ▲                                                        │                  │ exit
//!    │                                                        ▼                  ▼
//!    └───────────────stopped─── stopping ◀──stop── (any)    failed ◀── too often ─ auto-restart
//! ```
//!
//! ```text
//! state      where a unit is, and how it got there
//! jobs       start, stop, restart, reload: what a request asks
//! exits      what becomes of a unit whose process ended
//! launch     one command as a child
//! sockets    listening sockets, and what starts when somebody knocks
//! notify     readiness as sd_notify tells it
//! serve      requests over the control socket
//! report     what `status` shows
//! ```

mod exits;
mod jobs;
mod launch;
mod notify;
mod report;
mod serve;
mod sockets;
mod state;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use rustix::process::{WaitOptions, WaitStatus, wait};
use signal_hook::{
    consts::{SIGCHLD, SIGINT, SIGTERM},
    iterator::Signals,
};

pub(crate) use launch::{LAUNCH, launch_with_socket, log_file};

use crate::{
    control::{Request, Response},
    tools::complain,
    unit::{self, Unit},
};
use state::Runtime;

/// What is left to the units at the end of the machine.
const GRACE: Duration = Duration::from_secs(5);

enum Event {
    Exited {
        pid: i32,
        status: WaitStatus,
    },
    /// The unit's main process says that it serves.
    Ready {
        unit: String,
    },
    /// Somebody knocked at this socket unit.
    Knock {
        socket: String,
    },
    Asked {
        request: Request,
        answer: Sender<Response>,
    },
    Terminate,
}

struct Manager {
    units: BTreeMap<String, Runtime>,
    events: Sender<Event>,
    /// Set once the machine goes down.
    ending: Option<Instant>,
}

/// Runs until the machine is told to end.
pub(crate) fn run() -> ExitCode {
    let (events, inbox) = mpsc::channel();
    if let Err(error) = watch_signals(events.clone()).and_then(|()| serve::listen(events.clone())) {
        return complain(&format!("init: {error}"), 1);
    }
    let mut manager = Manager { units: BTreeMap::new(), events, ending: None };
    manager.boot();
    manager.turn(&inbox);
    ExitCode::SUCCESS
}

fn watch_signals(events: Sender<Event>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGCHLD, SIGTERM, SIGINT])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if signal != SIGCHLD {
                let _ = events.send(Event::Terminate);
                continue;
            }
            // Every orphan of the machine ends here too; one signal may stand for many children.
            let _held = launch::REAPING.lock().unwrap_or_else(PoisonError::into_inner);
            while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
                let _ = events.send(Event::Exited { pid: pid.as_raw_nonzero().get(), status });
            }
        }
    })?;
    Ok(())
}

impl Manager {
    fn boot(&mut self) {
        for target in unit::BOOT_TARGETS {
            for name in unit::wanted_by(target) {
                self.start(&name, None);
            }
        }
    }

    fn turn(&mut self, inbox: &Receiver<Event>) {
        loop {
            self.keep_deadlines();
            self.start_what_waited();
            match inbox.recv_timeout(self.until_next_deadline()) {
                Ok(event) => self.handle(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Some(by) = self.ending
                && (Instant::now() >= by || self.units.values().all(Runtime::is_down))
            {
                return;
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Exited { pid, status } => self.exited(pid, status),
            Event::Ready { unit } => self.became_ready(&unit),
            Event::Knock { socket } => self.knocked(&socket),
            Event::Asked { request, answer } => self.asked(request, answer),
            Event::Terminate => self.end(),
        }
    }

    fn end(&mut self) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(Instant::now() + GRACE);
        let names: Vec<String> = self.units.keys().cloned().collect();
        for name in names {
            self.stop(&name, None);
        }
    }

    /// The runtime of a unit under its real name, its files read anew while nothing of it runs.
    fn runtime(&mut self, name: &str) -> Option<&mut Runtime> {
        let unit: Unit = unit::load(&unit::with_suffix(name))?;
        let name = unit.name.clone();
        let runtime = self.units.entry(name).or_insert_with(|| Runtime::new(unit.clone()));
        if runtime.is_down() {
            runtime.unit = unit;
        }
        Some(runtime)
    }
}
