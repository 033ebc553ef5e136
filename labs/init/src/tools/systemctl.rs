//! `systemctl`: verbs, options and exit codes as systemd's.

use std::process::ExitCode;

use super::{
    complain, enable,
    output::{paint, say},
    status,
};
use crate::{
    control::{Request, Response, UnitStatus, ask},
    unit,
};

struct Options {
    now: bool,
    quiet: bool,
    properties: Vec<String>,
    value: bool,
}

pub(crate) fn systemctl(arguments: &[String]) -> ExitCode {
    let mut options = Options { now: false, quiet: false, properties: Vec::new(), value: false };
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--now" => options.now = true,
            "-q" | "--quiet" => options.quiet = true,
            "--value" => options.value = true,
            "-p" | "--property" => options.properties.extend(rest.next().cloned()),
            other if other.starts_with("--property=") => {
                options.properties.push(other["--property=".len()..].to_owned());
            }
            other if other.starts_with("-p") && other.len() > 2 => options.properties.push(other[2..].to_owned()),
            other if other.starts_with('-') => {}
            other => words.push(other.to_owned()),
        }
    }
    let Some((verb, names)) = words.split_first() else { return list() };
    match verb.as_str() {
        "list-units" => list(),
        "list-unit-files" => enable::list_files(),
        "daemon-reload" | "daemon-reexec" => jobs(&[String::new()], |_| Request::DaemonReload),
        "reboot" | "poweroff" | "halt" => super::power(verb),
        "is-system-running" => {
            say("running");
            ExitCode::SUCCESS
        }
        _ if names.is_empty() => complain("Too few arguments.", 1),
        "start" => jobs(names, Request::Start),
        "stop" => jobs(names, Request::Stop),
        "restart" | "try-restart" | "reload-or-restart" => jobs(names, Request::Restart),
        "reload" => jobs(names, Request::Reload),
        "kill" => jobs(names, Request::Kill),
        "reset-failed" => jobs(names, Request::ResetFailed),
        "status" => each(names, status::show),
        "show" => each(names, |name| show(name, &options)),
        "cat" => each(names, status::cat),
        "is-active" => each(names, |name| is(name, &options, "active", |unit| &unit.active)),
        "is-failed" => each(names, |name| is(name, &options, "failed", |unit| &unit.active)),
        "is-enabled" => each(names, |name| enable::is_enabled(name, options.quiet)),
        "enable" => enable::enable(names, options.now),
        "disable" => enable::disable(names, options.now),
        "mask" => enable::mask(names, options.now),
        "unmask" => enable::unmask(names),
        _ => complain(&format!("Unknown command verb {verb}."), 1),
    }
}

/// The worst code of all names.
fn each(names: &[String], mut show: impl FnMut(&str) -> u8) -> ExitCode {
    ExitCode::from(names.iter().map(|name| show(name)).max().unwrap_or(0))
}

/// Asks for a job on each name; prints nothing when it went well, as systemd does.
pub(super) fn jobs(names: &[String], request: impl Fn(String) -> Request) -> ExitCode {
    let mut worst = 0;
    for name in names {
        let code = match ask(&request(name.clone())) {
            Ok(Response::Done | Response::Units(_)) => 0,
            Ok(Response::Failed(text)) => {
                complain(&text, 1);
                1
            }
            Ok(Response::NotFound(name)) => {
                complain(&format!("Unit {name} not found."), 5);
                5
            }
            Ok(Response::Denied) => {
                complain(&format!("Failed to act on {name}: Access denied (be root, or use sudo)."), 4);
                4
            }
            Err(error) => {
                complain(&format!("Failed to connect to pid 1: {error}"), 1);
                1
            }
        };
        worst = worst.max(code);
    }
    ExitCode::from(worst)
}

/// The unit's state, or the exit code that says why there is none.
pub(super) fn lookup(name: &str) -> Result<UnitStatus, u8> {
    match ask(&Request::Status(name.to_owned())) {
        Ok(Response::Units(mut units)) if !units.is_empty() => Ok(units.remove(0)),
        Ok(_) => {
            complain(&format!("Unit {} could not be found.", unit::with_suffix(name)), 4);
            Err(4)
        }
        Err(error) => {
            complain(&format!("Failed to connect to pid 1: {error}"), 1);
            Err(1)
        }
    }
}

fn is(name: &str, options: &Options, wanted: &str, field: impl Fn(&UnitStatus) -> &String) -> u8 {
    let state = match ask(&Request::Status(name.to_owned())) {
        Ok(Response::Units(units)) => units.first().map_or_else(|| "inactive".to_owned(), |unit| field(unit).clone()),
        _ => "inactive".to_owned(),
    };
    if !options.quiet {
        say(&state);
    }
    match (state == wanted, wanted) {
        (true, _) => 0,
        (false, "active") => 3,
        _ => 1,
    }
}

fn show(name: &str, options: &Options) -> u8 {
    let unit = match lookup(name) {
        Ok(unit) => unit,
        Err(code) => return code,
    };
    let all = [
        ("Id", unit.name.clone()),
        ("Description", unit.description.clone()),
        ("LoadState", "loaded".to_owned()),
        ("ActiveState", unit.active.clone()),
        ("SubState", unit.sub.clone()),
        ("UnitFileState", unit.enabled.clone()),
        ("FragmentPath", unit.path.clone()),
        ("DropInPaths", unit.drop_ins.join(" ")),
        ("MainPID", unit.main_pid.unwrap_or(0).to_string()),
        ("Result", if unit.result.is_empty() { "success".to_owned() } else { unit.result.clone() }),
    ];
    let wanted: Vec<&str> = options.properties.iter().flat_map(|list| list.split(',')).collect();
    for (key, value) in all.iter().filter(|(key, _)| wanted.is_empty() || wanted.contains(key)) {
        say(&if options.value { value.clone() } else { format!("{key}={value}") });
    }
    0
}

fn list() -> ExitCode {
    let units = match ask(&Request::List) {
        Ok(Response::Units(units)) => units,
        Ok(_) => Vec::new(),
        Err(error) => return complain(&format!("Failed to connect to pid 1: {error}"), 1),
    };
    let width = units.iter().map(|unit| unit.name.len()).max().unwrap_or(4).max(4);
    say(&format!("  {:width$} LOAD   ACTIVE     SUB          DESCRIPTION", "UNIT"));
    for unit in &units {
        let line = format!("{:width$} loaded {:10} {:12} {}", unit.name, unit.active, unit.sub, unit.description);
        say(&format!("{} {line}", if unit.active == "failed" { paint("●", "failed") } else { " ".to_owned() }));
    }
    say(&format!("\n{} loaded units listed.", units.len()));
    ExitCode::SUCCESS
}
