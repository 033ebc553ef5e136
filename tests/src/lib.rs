//! The product as a user meets it: the real binary, a real engine, a real browser.
//!
//! ```text
//! server    the `bulkhead` binary on a free port with a data folder of its own
//! preview   `bulkhead content preview` on a copy of the course
//! axe       what axe-core finds on a page
//! browser   headless Chromium by WebDriver; fails on console errors
//! page      what a person does on a page
//! user      the same requests without a browser: events, terminal sockets
//! process   what the kernel says of a process's memory
//! artefacts where screenshots go
//! ```

pub mod artefacts;
pub mod axe;
pub mod browser;
pub mod page;
pub mod preview;
pub mod process;
pub mod server;
pub mod user;
