//! This terminal, handed over: every key goes through as it is, until [`Held`] is dropped.

use std::io;

use bulkhead_agent::protocol::Size;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

/// `None` where standard output is no terminal.
pub(super) fn size() -> Option<Size> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some(Size { cols: size.ws_col, rows: size.ws_row })
}

#[derive(Debug)]
pub(super) struct Held(Option<Termios>);

/// Without a terminal there is nothing to hold, and bytes go through as they are anyway.
pub(super) fn hold() -> io::Result<Held> {
    if !isatty(io::stdin()) {
        return Ok(Held(None));
    }
    let before = tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    raw.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
    Ok(Held(Some(before)))
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _gone = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
