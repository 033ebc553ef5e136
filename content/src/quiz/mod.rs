//! Questions at the end of a lesson, and their marking.
//!
//! A [`Quiz`] holds the keys and therefore never leaves the server: pages get [`Quiz::public`], and [`Quiz::mark`]
//! explains each option once an answer was given.

mod lint;
mod mark;
mod parse;

pub(crate) use parse::parse;
use serde::{Deserialize, Serialize};

/// With keys. Not serialisable on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiz {
    pub questions: Vec<Question>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Immutable within its lesson.
    pub id: String,
    /// Where it stands in its file, for diagnostics.
    pub line: usize,
    pub prompt_html: String,
    /// What a command printed, when the question is about reading it.
    pub printed: Option<Printed>,
    pub kind: Kind,
}

/// An output to be read. Plain text, both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Printed {
    pub command: Option<String>,
    pub output: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Single { options: Vec<QuizOption> },
    Multiple { options: Vec<QuizOption> },
    Short { accepted: Vec<String>, why_html: String },
    Order { items: Vec<OrderItem> },
}

/// One of the things to be put in order, as they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderItem {
    pub html: String,
    /// Where it belongs, from 0.
    pub place: usize,
    pub why_html: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuizOption {
    pub html: String,
    pub right: bool,
    pub why_html: String,
}

/// A quiz as shown: no key in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicQuiz {
    pub questions: Vec<PublicQuestion>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicQuestion {
    pub id: String,
    pub prompt_html: String,
    pub printed: Option<Printed>,
    pub kind: PublicKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PublicKind {
    Single { options_html: Vec<String> },
    Multiple { options_html: Vec<String> },
    Short,
    Order { items_html: Vec<String> },
}

/// `choices` for the choice kinds, `text` for a short answer. To put in order means `choices` with the place (from 0) that
/// each of the items was given, in the order in which they were shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub question: String,
    #[serde(default)]
    pub choices: Vec<usize>,
    #[serde(default)]
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuizMarks {
    pub correct: usize,
    pub total: usize,
    /// At least [`PASS_PERCENT`] of the questions.
    pub passed: bool,
    /// One for each question of the quiz, in its order; a question left out is wrong.
    pub marks: Vec<Mark>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    pub question: String,
    /// As it was understood: choices sorted, without duplicates or any that do not exist; of places one for each item.
    pub answer: Answer,
    pub correct: bool,
    /// One entry for each option or item (or one for a short answer).
    pub why: Vec<OptionMark>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionMark {
    pub right: bool,
    /// Where an item belongs, from 0.
    pub place: Option<usize>,
    pub why_html: String,
}

pub const PASS_PERCENT: usize = 80;
