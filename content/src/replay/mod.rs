//! Running a lesson's commands again: which, whether they still print what is shown, and putting right what is shown.
//! Who runs them is the caller's business.
//!
//! ```text
//! expect  what was printed against what is shown
//! varies  what is not compared
//! paste   what was printed into the lesson
//! ```

mod expect;
mod paste;
mod varies;

pub use expect::Difference;
pub use paste::paste;

use crate::{Command, Lesson};

/// How much of a lesson is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Whole,
    /// Up to the first command that is compared, and that.
    ToFirstTestable,
}

impl Lesson {
    /// What to run, in order; nothing where the span ends at a command that is not there.
    pub fn replay(&self, span: Span) -> Vec<&Command> {
        let end = match span {
            Span::Whole => self.commands.len(),
            Span::ToFirstTestable => self.commands.iter().position(|command| command.testable).map_or(0, |at| at + 1),
        };
        self.commands[..end].iter().filter(|command| command.runnable).collect()
    }
}
