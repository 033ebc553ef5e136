//! The interactive parts, one file each. The server renders them whole; the browser wakes them.
//!
//! ```text
//! browser    what only a browser has (storage, clock, event stream, terminal), absent on the server
//! code       copy and run buttons on code blocks
//! confirm    a button that asks once
//! keyboard   `/` to search, `?` for the list of shortcuts
//! lab/       the lab workspace: feed, head, task cards, stage, terminals, solution
//! matrix     the instructor's students × labs
//! quiz       marks a quiz in place
//! splitter   the handle between instructions and terminals
//! theme      light, dark, as the system
//! ```
//!
//! Pages for reading load a module without `confirm`, `lab`, `matrix` and `splitter` (the feature `work`).
//!
//! Islands of a lab page share one `lab::feed::Feed`, so the page has one event stream however many cards it shows.

pub(crate) mod browser;
pub mod code;
#[cfg(any(not(feature = "hydrate"), feature = "work"))]
pub(crate) mod confirm;
pub mod keyboard;
#[cfg(any(not(feature = "hydrate"), feature = "work"))]
pub mod lab;
#[cfg(any(not(feature = "hydrate"), feature = "work"))]
pub mod matrix;
pub mod quiz;
#[cfg(any(not(feature = "hydrate"), feature = "work"))]
pub mod splitter;
pub mod theme;
