//! The tools of the student's machine: what systemd's own would say, as far as labs need it.

mod enable;
mod journal;
mod output;
mod status;
mod systemctl;

use std::process::ExitCode;

pub(crate) use journal::journalctl;
pub(crate) use output::complain;
pub(crate) use systemctl::systemctl;

use crate::control::{Request, ask};
use output::say;

/// `service NAME COMMAND`, as sysvinit's wrapper translates it.
pub(crate) fn service(arguments: &[String]) -> ExitCode {
    match arguments {
        [all] if all == "--status-all" => systemctl(&["list-units".to_owned()]),
        [name, command, ..] => {
            systemctl(&[if command == "force-reload" { "restart" } else { command }.to_owned(), name.clone()])
        }
        _ => complain("Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]", 1),
    }
}

/// reboot and its kin: the platform starts the machine again, so all of them are a restart.
pub(crate) fn power(name: &str) -> ExitCode {
    match ask(&Request::Shutdown) {
        Ok(crate::control::Response::Denied) => complain(&format!("{name}: must be root"), 1),
        Ok(_) => {
            say("The machine goes down; Bulkhead starts it again with everything that it holds.");
            ExitCode::SUCCESS
        }
        Err(error) => complain(&format!("{name}: pid 1 does not answer: {error}"), 1),
    }
}
