//! enable, disable, mask: links under /etc/systemd/system, as systemd makes them.

use std::{fs, io::ErrorKind, os::unix::fs::symlink, path::Path, process::ExitCode};

use super::{complain, output::say, systemctl::jobs};
use crate::{
    control::Request,
    unit::{self, ETC, Unit},
};

pub(super) fn enable(names: &[String], now: bool) -> ExitCode {
    for name in names {
        let Some(unit) = load(name) else { return ExitCode::from(1) };
        if unit.install.wanted_by.is_empty() {
            say(
                "The unit files have no installation config (WantedBy=, RequiredBy=, Alias= settings in the [Install] section).",
            );
            continue;
        }
        let links = links(&unit);
        for link in links {
            if Path::new(&link).is_symlink() {
                continue;
            }
            if let Err(error) = fs::create_dir_all(Path::new(&link).parent().unwrap_or(Path::new(ETC)))
                .and_then(|()| symlink(&unit.path, &link))
            {
                return complain(&format!("Failed to enable {}: {link}: {error}", unit.name), 1);
            }
            say(&format!("Created symlink {link} → {}.", unit.path.display()));
        }
    }
    if now { jobs(names, Request::Start) } else { ExitCode::SUCCESS }
}

pub(super) fn disable(names: &[String], now: bool) -> ExitCode {
    for name in names {
        let Some(unit) = load(name) else { return ExitCode::from(1) };
        for link in links(&unit) {
            match fs::remove_file(&link) {
                Ok(()) => say(&format!("Removed \"{link}\".")),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return complain(&format!("Failed to disable {}: {link}: {error}", unit.name), 1),
            }
        }
    }
    if now { jobs(names, Request::Stop) } else { ExitCode::SUCCESS }
}

pub(super) fn mask(names: &[String], now: bool) -> ExitCode {
    for name in names {
        let name = unit::with_suffix(name);
        let link = format!("{ETC}/{name}");
        if let Err(error) = symlink("/dev/null", &link) {
            return complain(&format!("Failed to mask {name}: {link}: {error}"), 1);
        }
        say(&format!("Created symlink {link} → /dev/null."));
    }
    if now { jobs(names, Request::Stop) } else { ExitCode::SUCCESS }
}

pub(super) fn unmask(names: &[String]) -> ExitCode {
    for name in names {
        let link = format!("{ETC}/{}", unit::with_suffix(name));
        if fs::read_link(&link).is_ok_and(|target| target == Path::new("/dev/null")) && fs::remove_file(&link).is_ok() {
            say(&format!("Removed \"{link}\"."));
        }
    }
    ExitCode::SUCCESS
}

pub(super) fn is_enabled(name: &str, quiet: bool) -> u8 {
    let Some(unit) = load(name) else { return 4 };
    let state = unit::enabled_state(&unit);
    if !quiet {
        say(state);
    }
    u8::from(!matches!(state, "enabled" | "static" | "alias"))
}

pub(super) fn list_files() -> ExitCode {
    say(&format!("{:40} {:10} PRESET", "UNIT FILE", "STATE"));
    for unit in unit::names().iter().filter_map(|name| unit::load(name)) {
        say(&format!("{:40} {:10} enabled", unit.name, unit::enabled_state(&unit)));
    }
    ExitCode::SUCCESS
}

fn load(name: &str) -> Option<Unit> {
    let unit = unit::load(&unit::with_suffix(name));
    if unit.is_none() {
        complain(&format!("Failed to look up unit file: Unit {} does not exist", unit::with_suffix(name)), 1);
    }
    unit
}

fn links(unit: &Unit) -> Vec<String> {
    let wants = unit.install.wanted_by.iter().map(|target| format!("{ETC}/{target}.wants/{}", unit.name));
    wants.chain(unit.install.alias.iter().map(|alias| format!("{ETC}/{alias}"))).collect()
}
