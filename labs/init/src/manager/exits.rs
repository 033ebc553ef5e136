//! What becomes of a unit whose process ended.

use std::time::Instant;

use rustix::process::WaitStatus;

use super::{Manager, launch, state::State};
use crate::{
    control::Response,
    unit::{Restart, ServiceKind},
};

impl Manager {
    pub(super) fn exited(&mut self, pid: i32, status: WaitStatus) {
        // An orphan of the machine: nothing but its reaping was our business.
        let Some(name) =
            self.units.iter().find(|(_, runtime)| runtime.pid() == Some(pid)).map(|(name, _)| name.clone())
        else {
            return;
        };
        let clean = status.exit_status() == Some(0) || status.terminating_signal() == Some(15);
        let Some(runtime) = self.units.get_mut(&name) else { return };
        let service = runtime.unit.service.clone();
        match runtime.state.clone() {
            State::Stopping { .. } => {
                runtime.enter(State::Inactive);
                if std::mem::take(&mut runtime.restart) {
                    let waiters = std::mem::take(&mut runtime.waiters);
                    self.start(&name, None);
                    if let Some(runtime) = self.units.get_mut(&name) {
                        runtime.waiters.extend(waiters);
                    }
                } else {
                    runtime.answer(&Response::Done);
                    self.watch_twin(&name);
                }
            }
            State::Starting { step, .. } if step < service.start_pre.len() => {
                if clean || service.start_pre[step].starts_with('-') {
                    self.step(&name, step + 1);
                } else {
                    self.failed(&name, status);
                }
            }
            State::Starting { step, .. } if service.kind == ServiceKind::Oneshot && clean => {
                if step + 1 < service.start_pre.len() + service.start.len() {
                    self.step(&name, step + 1);
                } else {
                    runtime.enter(if service.remain_after_exit {
                        State::Active { pid: None }
                    } else {
                        State::Inactive
                    });
                    runtime.answer(&Response::Done);
                }
            }
            State::Starting { .. } if service.kind == ServiceKind::Forking && clean => {
                runtime.enter(State::Active { pid: None });
                runtime.answer(&Response::Done);
            }
            _ if clean && service.restart != Restart::Always => {
                runtime.enter(State::Inactive);
                runtime.answer(&Response::Done);
                self.watch_twin(&name);
            }
            _ => self.failed(&name, status),
        }
    }

    fn failed(&mut self, name: &str, status: WaitStatus) {
        let Some(runtime) = self.units.get_mut(name) else { return };
        let (result, words) = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => ("exit-code", format!("code=exited, status={code}")),
            (None, Some(signal)) => ("signal", format!("code=killed, signal={signal}")),
            (None, None) => ("exit-code", "ended".to_owned()),
        };
        launch::log(name, &format!("{name}: Main process exited, {words}"));
        let again = runtime.unit.service.restart != Restart::No;
        let delay = runtime.unit.service.restart_after;
        runtime.fail(result);
        if again && self.ending.is_none() {
            runtime.enter(State::AutoRestart { at: Instant::now() + delay });
        }
    }
}
