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

use crate::{Command, Lesson, SavedFile};

/// How much of a lesson is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Whole,
    /// Up to the first command that is compared, and that.
    ToFirstTestable,
}

/// What a lesson has its reader do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'l> {
    Run(&'l Command),
    Save(&'l SavedFile),
}

impl Step<'_> {
    /// Where it stands in the lesson's file.
    pub fn line(&self) -> usize {
        match self {
            Self::Run(command) => command.line,
            Self::Save(saved) => saved.line,
        }
    }
}

impl Lesson {
    /// What to run and to write, in order; nothing where the span ends at a command that is not there.
    pub fn replay(&self, span: Span) -> Vec<Step<'_>> {
        let end = match span {
            Span::Whole => usize::MAX,
            Span::ToFirstTestable => {
                self.commands.iter().find(|command| command.testable).map_or(0, |first| first.line)
            }
        };
        let commands = self.commands.iter().filter(|command| command.runnable).map(Step::Run);
        let mut steps: Vec<Step<'_>> = commands.chain(self.saved.iter().map(Step::Save)).collect();
        steps.retain(|step| step.line() <= end);
        steps.sort_by_key(Step::line);
        steps
    }
}
