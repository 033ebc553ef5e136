//! The container's log: one line for each thing worth knowing. Nothing that a student wrote goes into it.

use std::io::Write;

pub(crate) fn say(line: &str) {
    // A log that cannot be written is no reason to stop.
    let _ = writeln!(std::io::stderr(), "agent: {line}");
}
