//! The lab workspace.
//!
//! ```text
//! feed       what is true about this lab now; one event stream a page
//! head       score, tasks done, time left, check, reset, stop
//! task       one task: checks with what was expected and observed, hints, answer
//! stage      the right side: start, start steps, terminals, or why it is over
//! terminals  tabs of terminals and notes
//! solution   locked or open
//! ```

pub(crate) mod feed;
pub mod head;
pub mod solution;
pub mod stage;
pub mod task;
mod terminals;
