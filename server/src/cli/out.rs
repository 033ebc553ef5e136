//! What a command prints. Results go to standard output, everything else to standard error, so that a pipe gets results
//! alone. A reader that has gone away is no error.

use std::io::{self, Write};

use serde::Serialize;

pub(super) fn say(line: &str) {
    let _gone = writeln!(io::stdout().lock(), "{line}");
}

/// A result that a machine reads.
pub(super) fn json(value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    say(&text);
}

pub(super) fn complain(line: &str) {
    let _gone = writeln!(io::stderr().lock(), "{line}");
}

/// Bytes as they are, at once.
pub(super) fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Rows in columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say(padded.join("  ").trim_end());
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
}
