//! Where a unit is, and how it got there.

use std::{
    os::fd::OwnedFd,
    sync::mpsc::Sender,
    time::{Duration, Instant, SystemTime},
};

use crate::{control::Response, unit::Unit};

/// Starts within this time, unless the unit says otherwise, …
const INTERVAL: Duration = Duration::from_secs(10);
/// … after which one more makes it fail.
const BURST: usize = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Inactive,
    /// Comes after units that are still starting.
    Waiting,
    /// Runs `ExecStartPre` number `step`, or (after the last) its main command and is not ready yet.
    Starting {
        step: usize,
        pid: i32,
    },
    Active {
        pid: Option<i32>,
    },
    Stopping {
        pid: i32,
        kill_at: Instant,
        killed: bool,
    },
    AutoRestart {
        at: Instant,
    },
    Failed,
}

pub(super) struct Runtime {
    pub(super) unit: Unit,
    pub(super) state: State,
    pub(super) since: SystemTime,
    /// How it ended, for a failed unit: `exit-code`, `signal`, `start-limit-hit`, …
    pub(super) result: String,
    pub(super) starts: Vec<Instant>,
    /// Told when the present job ends.
    pub(super) waiters: Vec<Sender<Response>>,
    /// Start again once it is down.
    pub(super) restart: bool,
    /// A socket unit's listeners.
    pub(super) listeners: Vec<OwnedFd>,
    pub(super) notified: bool,
}

impl Runtime {
    pub(super) fn new(unit: Unit) -> Self {
        Self {
            unit,
            state: State::Inactive,
            since: SystemTime::now(),
            result: String::new(),
            starts: Vec::new(),
            waiters: Vec::new(),
            restart: false,
            listeners: Vec::new(),
            notified: false,
        }
    }

    pub(super) fn enter(&mut self, state: State) {
        self.state = state;
        self.since = SystemTime::now();
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self.state, State::Inactive | State::Failed)
    }

    pub(super) fn is_coming_up(&self) -> bool {
        matches!(self.state, State::Waiting | State::Starting { .. })
    }

    pub(super) fn pid(&self) -> Option<i32> {
        match self.state {
            State::Starting { pid, .. } | State::Stopping { pid, .. } => Some(pid),
            State::Active { pid } => pid,
            _ => None,
        }
    }

    pub(super) fn answer(&mut self, response: &Response) {
        for waiter in self.waiters.drain(..) {
            // The tool that asked may be gone.
            let _ = waiter.send(response.clone());
        }
    }

    pub(super) fn fail(&mut self, result: &str) {
        result.clone_into(&mut self.result);
        self.enter(State::Failed);
        let name = &self.unit.name;
        let text = format!(
            "Job for {name} failed because the control process exited with error code.\nSee \"systemctl status {name}\" and \"journalctl -xeu {name}\" for details."
        );
        self.answer(&Response::Failed(text));
    }

    /// Counts a start; false when there were too many of late.
    pub(super) fn may_start(&mut self, now: Instant) -> bool {
        let interval = self.unit.service.interval.unwrap_or(INTERVAL);
        let burst = self.unit.service.burst.unwrap_or(BURST);
        self.starts.retain(|&start| now.duration_since(start) < interval);
        if burst > 0 && self.starts.len() >= burst {
            return false;
        }
        self.starts.push(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_starts_too_often_may_not_start_again_until_the_interval_passed() {
        let mut runtime = Runtime::new(Unit::default());
        runtime.unit.service.burst = Some(3);
        runtime.unit.service.interval = Some(Duration::from_mins(1));
        let now = Instant::now();
        assert!((0..3).all(|i| runtime.may_start(now + Duration::from_secs(i))));
        assert!(!runtime.may_start(now + Duration::from_secs(4)));
        assert!(runtime.may_start(now + Duration::from_secs(62)));
    }
}
