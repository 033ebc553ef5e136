//! Small shared parts of pages and islands.
//!
//! ```text
//! icon     the glyphs
//! inline   a line of text with code in it
//! meter    progress as a bar with words
//! time     durations and dates for people
//! whole    where a component's type ends
//! verdict  how a verdict looks: icon, word, colour
//! ```

pub(crate) mod icon;
#[cfg(any(not(feature = "hydrate"), feature = "work"))]
pub(crate) mod inline;
#[cfg(feature = "ssr")]
pub(crate) mod meter;
pub(crate) mod time;
pub(crate) mod verdict;
mod whole;

pub(crate) use icon::{Glyph, Icon};
#[cfg(any(not(feature = "hydrate"), feature = "work"))]
pub(crate) use inline::inline;
pub(crate) use whole::whole;
