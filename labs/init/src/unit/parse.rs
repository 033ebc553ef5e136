//! The format of unit files: sections, `Key=value`, line continuation, an empty value that clears a list.

use std::time::Duration;

use super::{KillMode, Restart, ServiceKind, Unit};

/// Applies one file's text to `unit`; called for the unit file and then for each of its drop-ins.
pub(super) fn apply(unit: &mut Unit, text: &str) {
    let mut section = String::new();
    for line in joined_lines(text) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=') {
            set(unit, &section, key.trim(), value.trim());
        }
    }
}

/// Lines without comments, a trailing backslash joining a line with the next.
fn joined_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(head) = line.strip_suffix('\\') {
            open.push_str(head);
            open.push(' ');
            continue;
        }
        open.push_str(line);
        if !open.is_empty() {
            lines.push(std::mem::take(&mut open));
        }
    }
    lines
}

fn set(unit: &mut Unit, section: &str, key: &str, value: &str) {
    match (section, key) {
        ("Unit", "Description") => value.clone_into(&mut unit.description),
        ("Unit", "Documentation") => value.clone_into(&mut unit.documentation),
        ("Unit", "After") => names(&mut unit.after, value),
        ("Unit", "Wants" | "Requires" | "BindsTo") => names(&mut unit.wants, value),
        ("Unit", "ConditionPathExists") => list(&mut unit.conditions, value),
        ("Unit" | "Service", "StartLimitBurst") => unit.service.burst = value.parse().ok(),
        ("Unit" | "Service", "StartLimitInterval" | "StartLimitIntervalSec") => unit.service.interval = duration(value),
        ("Install", "WantedBy" | "RequiredBy") => names(&mut unit.install.wanted_by, value),
        ("Install", "Also") => names(&mut unit.install.also, value),
        ("Install", "Alias") => names(&mut unit.install.alias, value),
        ("Service", _) => set_service(unit, key, value),
        ("Socket", "ListenStream") => list(&mut unit.socket.listen, value),
        ("Socket", "SocketMode") => unit.socket.mode = u32::from_str_radix(value, 8).ok(),
        ("Socket", "SocketUser") => unit.socket.user = Some(value.to_owned()),
        ("Socket", "SocketGroup") => unit.socket.group = Some(value.to_owned()),
        _ => {}
    }
}

fn set_service(unit: &mut Unit, key: &str, value: &str) {
    let service = &mut unit.service;
    match key {
        "Type" => {
            service.kind = match value {
                "notify" | "notify-reload" => ServiceKind::Notify,
                "oneshot" => ServiceKind::Oneshot,
                "forking" => ServiceKind::Forking,
                _ => ServiceKind::Simple,
            }
        }
        "ExecStartPre" => list(&mut service.start_pre, value),
        "ExecStart" => list(&mut service.start, value),
        "ExecReload" => list(&mut service.reload, value),
        "Environment" => list(&mut service.environment, value),
        "EnvironmentFile" => list(&mut service.environment_files, value),
        "WorkingDirectory" => service.working_directory = Some(value.trim_start_matches('-').to_owned()),
        "RuntimeDirectory" => names(&mut service.runtime_directory, value),
        "Restart" => {
            service.restart = match value {
                "always" => Restart::Always,
                "on-failure" | "on-abnormal" | "on-abort" => Restart::OnFailure,
                _ => Restart::No,
            }
        }
        "RestartSec" => service.restart_after = duration(value).unwrap_or_default(),
        "KillMode" => service.kill_mode = if value == "process" { KillMode::Process } else { KillMode::Group },
        "RemainAfterExit" => service.remain_after_exit = matches!(value, "yes" | "true" | "1" | "on"),
        "TimeoutStopSec" => service.stop_after = duration(value),
        _ => {}
    }
}

fn list(into: &mut Vec<String>, value: &str) {
    if value.is_empty() { into.clear() } else { into.push(value.to_owned()) }
}

fn names(into: &mut Vec<String>, value: &str) {
    if value.is_empty() { into.clear() } else { into.extend(value.split_whitespace().map(str::to_owned)) }
}

/// `5`, `500ms`, `2min`, `1min 30s`.
fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for part in text.split_whitespace() {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let number: u64 = part[..digits].parse().ok()?;
        total += match &part[digits..] {
            "" | "s" | "sec" => Duration::from_secs(number),
            "ms" | "msec" => Duration::from_millis(number),
            "m" | "min" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            _ => return None,
        };
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_in_clears_and_replaces_a_command() {
        let mut unit = Unit::default();
        apply(
            &mut unit,
            "[Service]\nType=notify\nExecStart=/usr/sbin/dockerd -H fd:// \\\n$DOCKER_OPTS\nRestartSec=2\n",
        );
        assert_eq!(unit.service.start, ["/usr/sbin/dockerd -H fd://  $DOCKER_OPTS"]);
        apply(&mut unit, "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --icc=false\n");
        assert_eq!(unit.service.start, ["/usr/sbin/dockerd --icc=false"]);
        assert_eq!((unit.service.kind, unit.service.restart_after), (ServiceKind::Notify, Duration::from_secs(2)));
    }

    #[test]
    fn reads_times_as_systemd_writes_them() {
        assert_eq!(duration("1min 30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("soon"), None);
        assert_eq!(duration("99999999999999999999h"), None);
    }

    #[test]
    fn nonsense_changes_nothing() {
        let mut unit = Unit::default();
        apply(&mut unit, "]\n[\n=x\nExecStart=/bin/no-section\n[Service\n\u{0}=\u{0}\n[Service]\nType=\n");
        assert_eq!(unit, Unit::default());
    }
}
