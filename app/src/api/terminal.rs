//! The terminal socket, as browser and server speak it.
//!
//! Binary frames are bytes for or from the terminal, with one leading kind byte from the server ([`SNAPSHOT`] or
//! [`OUTPUT`]) and none from the browser (all of it is input). Text frames are JSON: [`FromBrowser`], [`FromServer`].
//!
//! The browser acknowledges what xterm.js has parsed: the bytes after the kind byte, of snapshots as well as of output,
//! counted from 0 with each socket. The server holds back beyond [`WINDOW`] unacknowledged bytes. A viewer that
//! acknowledges nothing for two seconds with a full window gets no more output, and a fresh snapshot once it has caught up.
//!
//! On connect the server says `size` and `writer`, then sends a snapshot; only then does the browser send anything. Only
//! the writer's input and `resize` count; a viewer that becomes the writer says its size. After `exited` or `gone` the
//! server closes the socket; a socket that closes without either is tried again, with back-off.

use serde::{Deserialize, Serialize};

/// Leading byte: reset the terminal, then write the rest. Sent first, and whenever the viewer fell too far behind.
pub const SNAPSHOT: u8 = 0;
/// Leading byte: write the rest.
pub const OUTPUT: u8 = 1;

/// Largest message from a browser; a longer paste is cut into several.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// Unacknowledged bytes after which the server stops sending to a viewer.
pub const WINDOW: u32 = 256 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromBrowser {
    Resize {
        cols: u16,
        rows: u16,
    },
    /// So many more bytes of terminal output were parsed.
    Ack {
        bytes: u32,
    },
    /// Take over the keyboard from another viewer.
    Claim,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromServer {
    /// Whether this viewer's input reaches the program.
    Writer { yours: bool },
    /// The size that the program sees (the writer's).
    Size { cols: u16, rows: u16 },
    /// The shell ended.
    Exited { code: i32 },
    /// The sandbox ended, or the terminal was closed elsewhere.
    Gone { reason: String },
}
