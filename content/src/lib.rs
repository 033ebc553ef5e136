//! The course: Markdown and front matter in, typed modules, HTML, quizzes and search out. No web, no database.
//!
//! ```text
//! files        bytes by path, from a folder or embedded
//! diagnostic   what is wrong, where, and what would be right
//! course       modules, sections, lessons in order
//! lesson       one lesson: front matter and what was rendered
//! quiz         questions, marking
//! ```

mod course;
mod diagnostic;
mod files;
mod lesson;
mod quiz;

pub use course::{Course, Entry, Module, Placed, Section};
pub use diagnostic::{Diagnostic, Severity};
pub use files::{Files, ReadError, read_dir};
pub use lesson::{Command, Heading, Lesson, Reference, Status, TextSection};
pub use quiz::{
    Answer, Kind, Mark, OptionMark, PASS_PERCENT, PublicKind, PublicQuestion, PublicQuiz, Question, Quiz, QuizMarks,
    QuizOption,
};
