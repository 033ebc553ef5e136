//! Lines for a person. A closed pipe is no error: `systemctl status | head` is common.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

pub(crate) fn complain(line: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
    ExitCode::from(code)
}

/// Green and red as systemd has them, on a terminal only.
pub(super) fn paint(text: &str, state: &str) -> String {
    let colour = match state {
        "active" => "1;32",
        "failed" => "1;31",
        "activating" | "deactivating" => "1;33",
        _ => return text.to_owned(),
    };
    if std::io::stdout().is_terminal() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}
