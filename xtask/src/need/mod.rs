//! What the machine must have. Each part finds it, sets it up where it may, or says exactly what to type.

pub(crate) mod disk;
pub(crate) mod engine;
pub(crate) mod packages;
pub(crate) mod wasm;

use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Whether the machine may be changed: a person at a terminal is asked; without one the command itself is the consent.
pub(crate) fn allowed(question: &str, yes: bool) -> bool {
    if yes || !std::io::stdin().is_terminal() {
        return true;
    }
    let _ = write!(std::io::stderr().lock(), "{question} [Y/n] ");
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    !line.trim().to_lowercase().starts_with('n')
}
