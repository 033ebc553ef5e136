//! What a request asks of a unit.

use std::{
    path::Path,
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{Manager, launch, notify, sockets, state::State};
use crate::{
    control::{Request, Response},
    unit::{self, KillMode, ServiceKind, Unit},
};

const STOP_AFTER: Duration = Duration::from_secs(20);

type Waiter = Option<Sender<Response>>;

fn tell(waiter: Waiter, response: Response) {
    if let Some(waiter) = waiter {
        let _ = waiter.send(response);
    }
}

impl Manager {
    pub(super) fn asked(&mut self, request: Request, answer: Sender<Response>) {
        let waiter = Some(answer);
        match request {
            Request::Start(name) => {
                if let Some(runtime) = self.runtime(&name) {
                    // A person's start forgives earlier failures.
                    runtime.starts.clear();
                }
                self.start(&name, waiter);
            }
            Request::Stop(name) => self.stop(&name, waiter),
            Request::Restart(name) => self.restart(&name, waiter),
            Request::Reload(name) => self.reload(&name, waiter),
            Request::Kill(name) => {
                let response = self.signal(&name, Signal::TERM);
                tell(waiter, response);
            }
            Request::ResetFailed(name) => {
                if let Some(runtime) = self.runtime(&name)
                    && runtime.state == State::Failed
                {
                    runtime.starts.clear();
                    runtime.enter(State::Inactive);
                }
                tell(waiter, Response::Done);
            }
            // Files are read anew whenever a unit starts; a running one keeps what it started with.
            Request::DaemonReload => tell(waiter, Response::Done),
            Request::Status(name) => {
                let response = self.report(&name);
                tell(waiter, response);
            }
            Request::List => {
                let units = self.report_all();
                tell(waiter, Response::Units(units));
            }
            Request::Shutdown => {
                tell(waiter, Response::Done);
                self.end();
            }
        }
    }

    pub(super) fn start(&mut self, name: &str, waiter: Waiter) {
        if self.ending.is_some() {
            return tell(waiter, Response::Failed("The machine is going down.".into()));
        }
        let Some(runtime) = self.runtime(name) else {
            return tell(waiter, Response::NotFound(unit::with_suffix(name)));
        };
        if unit::enabled_state(&runtime.unit) == "masked" {
            let text = format!("Failed to start {0}: Unit {0} is masked.", runtime.unit.name);
            return tell(waiter, Response::Failed(text));
        }
        match runtime.state {
            State::Active { .. } => return tell(waiter, Response::Done),
            State::Stopping { .. } => {
                runtime.restart = true;
                runtime.waiters.extend(waiter);
                return;
            }
            State::Waiting | State::Starting { .. } => {
                runtime.waiters.extend(waiter);
                return;
            }
            State::Inactive | State::Failed | State::AutoRestart { .. } => {}
        }
        runtime.waiters.extend(waiter);
        runtime.enter(State::Waiting);
        let unit = runtime.unit.clone();
        for wanted in unit.wants.iter().filter(|wanted| wanted.ends_with(".service") || wanted.ends_with(".socket")) {
            self.start(wanted, None);
        }
    }

    /// Starts each waiting unit that nothing holds back any more.
    pub(super) fn start_what_waited(&mut self) {
        loop {
            let next = self.units.iter().find(|(_, runtime)| {
                runtime.state == State::Waiting
                    && !runtime.unit.after.iter().any(|before| {
                        self.units.get(before).is_some_and(|r| r.is_coming_up() && !waits_for(&r.unit, &runtime.unit))
                    })
            });
            let Some(name) = next.map(|(name, _)| name.clone()) else { return };
            self.begin(&name);
        }
    }

    fn begin(&mut self, name: &str) {
        let events = self.events.clone();
        let Some(runtime) = self.units.get_mut(name) else { return };
        if runtime.unit.is_socket() {
            match sockets::open(&runtime.unit) {
                Ok(listeners) => {
                    runtime.listeners = listeners;
                    runtime.enter(State::Active { pid: None });
                    runtime.answer(&Response::Done);
                    self.watch_socket(name);
                }
                Err(error) => {
                    launch::log(name, &format!("cannot listen: {error}"));
                    runtime.fail("resources");
                }
            }
            return;
        }
        if !runtime.unit.conditions.iter().all(|condition| holds(condition)) {
            runtime.enter(State::Inactive);
            return runtime.answer(&Response::Done);
        }
        if !runtime.may_start(Instant::now()) {
            launch::log(name, "Start request repeated too quickly.");
            return runtime.fail("start-limit-hit");
        }
        runtime.notified = false;
        if runtime.unit.service.kind == ServiceKind::Notify {
            notify::listen(name, events);
        }
        launch::prepare(&runtime.unit);
        self.step(name, 0);
    }

    /// Runs `ExecStartPre` number `step`, or the main command after the last.
    pub(super) fn step(&mut self, name: &str, step: usize) {
        let Some(twin) = self.units.get(name).map(|r| r.unit.twin()) else { return };
        let listener =
            self.units.get(&twin).and_then(|socket| socket.listeners.first()).and_then(|fd| fd.try_clone().ok());
        let Some(runtime) = self.units.get_mut(name) else { return };
        let service = &runtime.unit.service;
        let main = step >= service.start_pre.len();
        let Some(line) = service.start_pre.get(step).or_else(|| service.start.get(step - service.start_pre.len()))
        else {
            runtime.enter(State::Active { pid: None });
            return runtime.answer(&Response::Done);
        };
        match launch::spawn(&runtime.unit, line, None, if main { listener } else { None }) {
            Ok(pid) => {
                let kind = runtime.unit.service.kind;
                runtime.enter(State::Starting { step, pid });
                if main && kind == ServiceKind::Simple {
                    runtime.enter(State::Active { pid: Some(pid) });
                    runtime.answer(&Response::Done);
                }
            }
            Err(error) => {
                launch::log(name, &format!("cannot run {line:?}: {error}"));
                if line.starts_with('-') {
                    self.step(name, step + 1);
                } else {
                    runtime.fail("exec");
                }
            }
        }
    }

    pub(super) fn became_ready(&mut self, name: &str) {
        let Some(runtime) = self.units.get_mut(name) else { return };
        let pre = runtime.unit.service.start_pre.len();
        if let State::Starting { step, pid } = runtime.state
            && step >= pre
        {
            runtime.notified = true;
            runtime.enter(State::Active { pid: Some(pid) });
            runtime.answer(&Response::Done);
        }
    }

    pub(super) fn stop(&mut self, name: &str, waiter: Waiter) {
        let ending = self.ending.is_some();
        let Some(runtime) = self.runtime(name) else {
            return tell(waiter, Response::NotFound(unit::with_suffix(name)));
        };
        runtime.restart = false;
        if runtime.unit.is_socket() {
            runtime.listeners.clear();
            sockets::remove(&runtime.unit);
            runtime.enter(State::Inactive);
            return tell(waiter, Response::Done);
        }
        let Some(pid) = runtime.pid() else {
            if runtime.state != State::Failed {
                runtime.enter(State::Inactive);
            }
            return tell(waiter, Response::Done);
        };
        runtime.waiters.extend(waiter);
        if matches!(runtime.state, State::Stopping { .. }) {
            return;
        }
        let patience = if ending { super::GRACE } else { runtime.unit.service.stop_after.unwrap_or(STOP_AFTER) };
        runtime.enter(State::Stopping { pid, kill_at: Instant::now() + patience, killed: false });
        send(&runtime.unit, pid, Signal::TERM);
    }

    fn restart(&mut self, name: &str, waiter: Waiter) {
        let Some(runtime) = self.runtime(name) else {
            return tell(waiter, Response::NotFound(unit::with_suffix(name)));
        };
        runtime.starts.clear();
        let name = runtime.unit.name.clone();
        if runtime.pid().is_none() {
            return self.start(&name, waiter);
        }
        self.stop(&name, None);
        if let Some(runtime) = self.units.get_mut(&name) {
            runtime.restart = true;
            runtime.waiters.extend(waiter);
        }
    }

    fn reload(&mut self, name: &str, waiter: Waiter) {
        let Some(runtime) = self.runtime(name) else {
            return tell(waiter, Response::NotFound(unit::with_suffix(name)));
        };
        let unit = runtime.unit.clone();
        let (State::Active { pid: Some(pid) }, false) = (&runtime.state, unit.service.reload.is_empty()) else {
            let text = format!("Failed to reload {0}: Job type reload is not applicable for unit {0}.", unit.name);
            return tell(waiter, Response::Failed(text));
        };
        for line in &unit.service.reload {
            if let Err(error) = launch::spawn(&unit, line, Some(*pid), None) {
                let text = format!("Failed to reload {}: {error}", unit.name);
                return tell(waiter, Response::Failed(text));
            }
        }
        tell(waiter, Response::Done);
    }

    fn signal(&mut self, name: &str, signal: Signal) -> Response {
        match self.runtime(name) {
            Some(runtime) => {
                if let Some(pid) = runtime.pid() {
                    send(&runtime.unit, pid, signal);
                }
                Response::Done
            }
            None => Response::NotFound(unit::with_suffix(name)),
        }
    }

    /// Deadlines of stopping and restarting units.
    pub(super) fn keep_deadlines(&mut self) {
        let now = Instant::now();
        let mut due = Vec::new();
        for (name, runtime) in &mut self.units {
            match runtime.state {
                State::Stopping { pid, kill_at, killed: false } if now >= kill_at => {
                    runtime.state = State::Stopping { pid, kill_at, killed: true };
                    send(&runtime.unit, pid, Signal::KILL);
                }
                State::AutoRestart { at } if now >= at => due.push(name.clone()),
                _ => {}
            }
        }
        for name in due {
            self.start(&name, None);
        }
    }

    pub(super) fn until_next_deadline(&self) -> Duration {
        let now = Instant::now();
        let deadlines = self.units.values().filter_map(|runtime| match runtime.state {
            State::Stopping { kill_at, killed: false, .. } => Some(kill_at),
            State::AutoRestart { at } => Some(at),
            _ => None,
        });
        deadlines.chain(self.ending).min().map_or(Duration::from_mins(10), |at| at.saturating_duration_since(now))
    }
}

/// Two units that come after each other would wait for ever; the first in order goes.
fn waits_for(unit: &Unit, other: &Unit) -> bool {
    unit.after.contains(&other.name) && unit.name > other.name
}

fn send(unit: &Unit, pid: i32, signal: Signal) {
    let Some(pid) = Pid::from_raw(pid) else { return };
    let _ = match unit.service.kill_mode {
        KillMode::Process => kill_process(pid, signal),
        KillMode::Group => kill_process_group(pid, signal),
    };
}

/// `ConditionPathExists=`, with `!` for its opposite; `|` (one of several) counts as fulfilled.
fn holds(condition: &str) -> bool {
    match condition.strip_prefix('!') {
        Some(path) => !Path::new(path).exists(),
        None => condition.starts_with('|') || Path::new(condition).exists(),
    }
}
