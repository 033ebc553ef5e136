//! The first process of the student's machine, and the tools that speak to it.
//!
//! Debian's own unit files are what it reads, so that a student finds (and hardens, and overrides with drop-ins) the
//! files that he would find on any Debian host. It has the student's privileges and no others.
//!
//! ```text
//! unit      unit files: parsed, with their drop-ins and links
//! manager   pid 1: one loop over events; starts, watches, restarts, stops
//! control   what the tools and pid 1 say to each other over /run/init.sock
//! tools     systemctl, service, journalctl, reboot and its kin
//! ```
//!
//! # What must be in the student's tree
//!
//! | path | what |
//! |---|---|
//! | `/usr/lib/bulkhead/init` | this program, mode 0755, root |
//! | `/usr/sbin/init` | symbolic link to it (`/sbin` is a link to `usr/sbin`); the agent executes `/sbin/init` |
//! | `/usr/bin/systemctl`, `/usr/bin/journalctl`, `/usr/sbin/service` | symbolic links to it, in place of what packages put there |
//! | `/usr/sbin/{reboot,shutdown,poweroff,halt}` | symbolic links to it |
//! | `/usr/lib/systemd/system/{docker,containerd,ssh,cron}.service` | as the packages ship them, unchanged |
//! | `/etc/systemd/system/multi-user.target.wants/…` | as the packages enable them, unchanged: what starts at boot |
//!
//! Nothing else: no unit files of our own. `/run`, `/dev`, `/proc`, `/sys` are mounted by the agent before; the agent
//! also writes `/etc/hosts` and `/etc/hostname`.

mod control;
mod manager;
mod tools;
mod unit;

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let called = arguments.next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rest: Vec<String> = arguments.collect();
    match name.as_str() {
        manager::LAUNCH => manager::launch_with_socket(&rest),
        "systemctl" => tools::systemctl(&rest),
        "service" => tools::service(&rest),
        "journalctl" => tools::journalctl(&rest),
        "reboot" | "shutdown" | "poweroff" | "halt" => tools::power(&name),
        _ if rustix::process::getpid().as_raw_nonzero().get() == 1 => manager::run(),
        _ => tools::complain(&format!("{name} is the first process of a machine; use systemctl"), 2),
    }
}
