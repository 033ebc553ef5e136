//! Unit files: `load` finds a unit with its links and drop-ins, `parse` reads the format, `words` splits command lines.

mod load;
mod parse;
mod words;

pub(crate) use load::{BOOT_TARGETS, ETC, enabled_state, find, load, names, wanted_by, with_suffix};
pub(crate) use words::{Environment, expand};

use std::{path::PathBuf, time::Duration};

/// A unit as its files describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) drop_ins: Vec<PathBuf>,
    pub(crate) description: String,
    pub(crate) documentation: String,
    pub(crate) after: Vec<String>,
    /// `Wants=`, `Requires=` and the links in `….wants/`.
    pub(crate) wants: Vec<String>,
    pub(crate) conditions: Vec<String>,
    pub(crate) install: Install,
    pub(crate) service: Service,
    pub(crate) socket: Socket,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Install {
    pub(crate) wanted_by: Vec<String>,
    pub(crate) also: Vec<String>,
    pub(crate) alias: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) kind: ServiceKind,
    pub(crate) start_pre: Vec<String>,
    pub(crate) start: Vec<String>,
    pub(crate) reload: Vec<String>,
    pub(crate) environment: Vec<String>,
    pub(crate) environment_files: Vec<String>,
    pub(crate) working_directory: Option<String>,
    pub(crate) runtime_directory: Vec<String>,
    pub(crate) restart: Restart,
    pub(crate) restart_after: Duration,
    pub(crate) kill_mode: KillMode,
    pub(crate) remain_after_exit: bool,
    /// Starts within `interval` after which the unit counts as failed.
    pub(crate) burst: Option<usize>,
    pub(crate) interval: Option<Duration>,
    pub(crate) stop_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ServiceKind {
    #[default]
    Simple,
    Notify,
    Oneshot,
    Forking,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Restart {
    #[default]
    No,
    OnFailure,
    Always,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum KillMode {
    /// Everything that the unit started and that stayed in its process group.
    #[default]
    Group,
    /// Its main process only: a container engine's containers outlive it.
    Process,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) listen: Vec<String>,
    pub(crate) mode: Option<u32>,
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
}

impl Unit {
    pub(crate) fn is_socket(&self) -> bool {
        self.name.ends_with(".socket")
    }

    /// A service's socket or a socket's service, by name.
    pub(crate) fn twin(&self) -> String {
        match self.name.strip_suffix(".socket") {
            Some(stem) => format!("{stem}.service"),
            None => format!("{}.socket", self.name.trim_end_matches(".service")),
        }
    }
}
