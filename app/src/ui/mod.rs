//! Small shared parts of pages and islands.
//!
//! ```text
//! icon     the glyphs
//! meter    progress as a bar with words
//! time     durations and dates for people
//! verdict  how a verdict looks: icon, word, colour
//! ```

pub(crate) mod icon;
pub(crate) mod meter;
pub(crate) mod time;
pub(crate) mod verdict;

pub(crate) use icon::{Glyph, Icon};
