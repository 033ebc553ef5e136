//! `journalctl -u UNIT`: what the unit printed, from its log file.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    process::ExitCode,
    time::Duration,
};

use super::{complain, output::say};
use crate::{manager::log_file, unit};

/// Read from a log's end at most.
const WINDOW: u64 = 1024 * 1024;

pub(crate) fn journalctl(arguments: &[String]) -> ExitCode {
    let mut units = Vec::new();
    let mut lines = 1000;
    let mut follow = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        // `-xeu docker`: the name follows the last letter.
        let short = argument.starts_with('-') && !argument.starts_with("--");
        if argument == "--unit" || (short && argument.ends_with('u')) {
            units.extend(rest.next().map(|name| unit::with_suffix(name)));
        } else if let Some(name) = argument.strip_prefix("--unit=") {
            units.push(unit::with_suffix(name));
        } else if argument == "-n" || argument == "--lines" {
            lines = rest.next().and_then(|n| n.parse().ok()).unwrap_or(lines);
        } else if let Some(n) = argument.strip_prefix("-n").or_else(|| argument.strip_prefix("--lines=")) {
            lines = n.parse().unwrap_or(lines);
        } else if argument == "--follow" || (short && argument.contains('f')) {
            follow = true;
        }
    }
    let [name] = &units[..] else {
        return complain(
            "This machine keeps one log for each unit: journalctl -u NAME (docker, containerd, ssh, cron).",
            1,
        );
    };
    let tail = tail(name, lines);
    if tail.is_empty() {
        say("-- No entries --");
    }
    for line in tail {
        say(&line);
    }
    if follow { follow_file(name) } else { ExitCode::SUCCESS }
}

/// The last lines of a unit's log.
pub(super) fn tail(unit: &str, lines: usize) -> Vec<String> {
    let Ok(mut file) = File::open(log_file(unit)) else { return Vec::new() };
    let length = file.metadata().map_or(0, |m| m.len());
    let mut text = Vec::new();
    let read = file
        .seek(SeekFrom::Start(length.saturating_sub(WINDOW)))
        .and_then(|_| file.take(WINDOW).read_to_end(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}

fn follow_file(unit: &str) -> ExitCode {
    let Ok(mut file) = File::open(log_file(unit)) else { return ExitCode::from(1) };
    let _ = file.seek(SeekFrom::End(0));
    loop {
        let mut text = String::new();
        if file.read_to_string(&mut text).is_err() {
            return ExitCode::from(1);
        }
        text.lines().for_each(say);
        std::thread::sleep(Duration::from_millis(300));
    }
}
