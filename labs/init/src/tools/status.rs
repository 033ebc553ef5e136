//! `systemctl status` and `cat`.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use time::{OffsetDateTime, macros::format_description};

use super::{
    journal,
    output::{paint, say},
    systemctl::lookup,
};
use crate::{control::UnitStatus, unit};

/// Log lines below a unit's state.
const TAIL: usize = 10;

/// Prints; the code is 0 for a unit that runs, 3 for one that does not, 4 for none.
pub(super) fn show(name: &str) -> u8 {
    let unit = match lookup(name) {
        Ok(unit) => unit,
        Err(code) => return code,
    };
    say(&format!("{} {} - {}", paint("●", &unit.active), unit.name, unit.description));
    say(&format!("     Loaded: loaded ({}; {}; preset: enabled)", unit.path, unit.enabled));
    if !unit.drop_ins.is_empty() {
        say(&format!("    Drop-In: {}", unit.drop_ins.join("\n             ")));
    }
    say(&format!("     Active: {}", active(&unit)));
    if let Some(trigger) = &unit.triggered_by {
        say(&format!("TriggeredBy: {trigger}"));
    }
    if !unit.documentation.is_empty() {
        say(&format!("       Docs: {}", unit.documentation));
    }
    if !unit.listen.is_empty() {
        say(&format!("     Listen: {} (Stream)", unit.listen.join(", ")));
    }
    if let Some(pid) = unit.main_pid {
        let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        say(&format!("   Main PID: {pid} ({})", program.trim()));
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ");
        say(&format!("             └─{pid} {command}"));
    }
    let tail = journal::tail(&unit.name, TAIL);
    if !tail.is_empty() {
        say(&format!("\n{}", tail.join("\n")));
    }
    if unit.active == "active" || unit.active == "activating" { 0 } else { 3 }
}

fn active(unit: &UnitStatus) -> String {
    let state = paint(
        &format!(
            "{} ({})",
            unit.active,
            if unit.active == "failed" { format!("Result: {}", unit.result) } else { unit.sub.clone() }
        ),
        &unit.active,
    );
    let format = format_description!("[weekday repr:short] [year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let since = i64::try_from(unit.since).ok().and_then(|since| OffsetDateTime::from_unix_timestamp(since).ok());
    let Some(since) = since.and_then(|since| since.format(format).ok()) else { return state };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    format!("{state} since {since}; {} ago", ago(now.saturating_sub(unit.since)))
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}min {}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {}min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86400),
    }
}

/// The unit's files one after the other.
pub(super) fn cat(name: &str) -> u8 {
    let Some(unit) = unit::load(&unit::with_suffix(name)) else {
        super::complain(&format!("No files found for {}.", unit::with_suffix(name)), 1);
        return 1;
    };
    for path in std::iter::once(&unit.path).chain(&unit.drop_ins) {
        say(&format!("# {}\n{}", path.display(), fs::read_to_string(path).unwrap_or_default()));
    }
    0
}

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn tells_ages_as_systemd_does() {
        assert_eq!([ago(5), ago(65), ago(3660), ago(200_000)], ["5s", "1min 5s", "1h 1min", "2 days"]);
    }
}
