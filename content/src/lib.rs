//! The course: Markdown and front matter in, typed modules, HTML, quizzes and search out. No web, no database.
//!
//! ```text
//! files        bytes by path, from a folder or embedded
//! diagnostic   what is wrong, where, and what would be right
//! outline      course.toml, the table of contents
//! glossary     terms, and where a text names them
//! check        a lesson as a whole, lessons against the course
//! load         files -> course: `Course::parse`, `Course::read`, `lint`
//! memory       pages as they were rendered last time
//! course       modules, sections, lessons in order
//! lesson       one lesson: front matter and what was rendered
//! replay       running a lesson's commands again, and comparing
//! render       Markdown -> sanitised HTML, in stages; `render_fragment` for labs
//! print        lessons on paper
//! quiz         questions, marking
//! exam         tests over a module and over the course
//! search       sections by words, tolerant of typing errors
//! ```
//!
//! A course is a folder: `course.toml` is the outline, `<module>/<lesson>/lesson.md` a lesson, its diagrams lie beside it.

mod check;
mod course;
mod diagnostic;
pub mod exam;
mod files;
mod glossary;
mod lesson;
mod load;
mod memory;
mod outline;
mod print;
mod quiz;
mod render;
mod replay;
mod search;
mod text;

pub use course::{Course, Entry, Module, Placed, Section};
pub use diagnostic::{Diagnostic, Severity};
pub use files::{Files, ReadError, read_dir};
pub use glossary::Term;
pub use lesson::{Command, Heading, Lesson, Reference, SavedFile, Status, TextSection};
pub use load::{LoadError, lint};
pub use memory::Memory;
pub use quiz::{
    Answer, Kind, Mark, OptionMark, OrderItem, PASS_PERCENT, Printed, PublicKind, PublicQuestion, PublicQuiz, Question,
    Quiz, QuizMarks, QuizOption,
};
pub use render::{Fragment, Grammars, render_fragment};
pub use replay::{Difference, Span, Step, paste};
pub use search::SearchHit;
