//! What `status` and `list-units` show.

use std::time::UNIX_EPOCH;

use super::{
    Manager,
    state::{Runtime, State},
};
use crate::{
    control::{Response, UnitStatus},
    unit::{self, Unit},
};

impl Manager {
    pub(super) fn report(&mut self, name: &str) -> Response {
        match self.runtime(name) {
            Some(runtime) => Response::Units(vec![describe(runtime)]),
            None => Response::NotFound(unit::with_suffix(name)),
        }
    }

    /// Every unit that was touched since boot.
    pub(super) fn report_all(&mut self) -> Vec<UnitStatus> {
        self.units.values().map(describe).collect()
    }
}

fn describe(runtime: &Runtime) -> UnitStatus {
    let unit: &Unit = &runtime.unit;
    let (active, sub) = match &runtime.state {
        State::Inactive | State::Waiting => ("inactive", "dead"),
        State::Starting { .. } => ("activating", "start"),
        State::Active { .. } if unit.is_socket() => ("active", "listening"),
        State::Active { pid: Some(_) } => ("active", "running"),
        State::Active { pid: None } => ("active", "exited"),
        State::Stopping { .. } => ("deactivating", "stop-sigterm"),
        State::AutoRestart { .. } => ("activating", "auto-restart"),
        State::Failed => ("failed", "failed"),
    };
    UnitStatus {
        name: unit.name.clone(),
        description: unit.description.clone(),
        path: unit.path.display().to_string(),
        drop_ins: unit.drop_ins.iter().map(|path| path.display().to_string()).collect(),
        enabled: unit::enabled_state(unit).to_owned(),
        active: active.to_owned(),
        sub: sub.to_owned(),
        since: runtime.since.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        main_pid: runtime.pid(),
        result: runtime.result.clone(),
        triggered_by: (!unit.is_socket()).then(|| unit.twin()).filter(|twin| unit::find(twin).is_some()),
        documentation: unit.documentation.clone(),
        listen: unit.socket.listen.clone(),
    }
}
