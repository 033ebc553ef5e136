//! A lesson as it was parsed and rendered.
//!
//! ```text
//! front   the YAML block at the top of the file
//! ```

pub(crate) mod front;

use serde::{Deserialize, Serialize};

use crate::Quiz;

#[derive(Clone, Debug)]
pub struct Lesson {
    /// Immutable: progress and quiz results hang on it.
    pub id: String,
    pub slug: String,
    /// `module-slug/lesson-slug`, the tail of its address under `/learn/`.
    pub path: String,
    /// The file it came from, relative to the course.
    pub file: String,
    pub title: String,
    pub summary: String,
    pub status: Status,
    pub minutes: u16,
    pub objectives: Vec<String>,
    pub prerequisites: Vec<String>,
    pub tags: Vec<String>,
    pub references: Vec<Reference>,
    /// ISO date of the last revision.
    pub updated: String,
    /// Ids of the labs this lesson leads to.
    pub labs: Vec<String>,
    /// The lab whose sandbox runs the commands; `None`: the usual one.
    pub sandbox: Option<String>,
    /// Sanitised; the quiz is not in it.
    pub html: String,
    pub headings: Vec<Heading>,
    /// Words of prose: code, output and quiz not counted.
    pub words: usize,
    pub commands: Vec<Command>,
    pub saved: Vec<SavedFile>,
    pub diagrams: usize,
    pub quiz: Option<Quiz>,
    /// The lesson's plain text by heading, for search.
    pub sections: Vec<TextSection>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    Beta,
    Active,
    Deprecated,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub title: String,
    pub url: Option<String>,
    /// ISO date of the source (a year, a month or a day).
    pub date: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heading {
    /// 2 to 4.
    pub level: u8,
    pub text: String,
    pub anchor: String,
}

/// A `bash` or `console` fence: what a reader may send to his terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    pub line: usize,
    /// What is typed, prompts removed.
    pub input: String,
    /// The `output` fence that follows, as it was pasted.
    pub output: Option<String>,
    /// Where that fence opens; `None` where there is none, or the output is part of a session.
    pub output_line: Option<usize>,
    pub tab: Option<String>,
    /// Marked `testable`: the runner executes it in a fresh sandbox and compares `output`.
    pub testable: bool,
    /// Marked `no-run`: cannot run in a sandbox.
    pub runnable: bool,
}

/// A fence marked `save-as`: the runner writes it on the student's machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SavedFile {
    pub line: usize,
    /// As the author wrote it; where it is not absolute, the shell's folder at this point of the lesson counts.
    pub path: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextSection {
    /// `None` for what stands before the first heading.
    pub heading: Option<Heading>,
    pub text: String,
}
