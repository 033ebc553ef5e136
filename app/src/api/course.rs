//! Reading: outline, lesson, quiz, search.

use serde::{Deserialize, Serialize};

use super::test::TestLink;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    pub title: String,
    pub modules: Vec<ModuleEntry>,
    /// Where the caller left off: a lesson's href.
    pub resume: Option<String>,
    pub final_test: Option<TestLink>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleEntry {
    pub number: u8,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub sections: Vec<SectionEntry>,
    pub labs: Vec<LabLink>,
    pub test: Option<TestLink>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionEntry {
    pub title: String,
    pub lessons: Vec<LessonEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonEntry {
    pub id: String,
    pub title: String,
    /// `None`: announced in the outline, not written yet.
    pub href: Option<String>,
    pub minutes: u16,
    pub state: LessonState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LessonState {
    Unread,
    Read,
    /// Read, and its quiz passed.
    Done,
    /// Announced, not written yet.
    ToCome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabLink {
    pub id: String,
    pub title: String,
    pub href: String,
    pub minutes: u16,
    pub best_score: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonPage {
    pub id: String,
    pub title: String,
    pub summary: String,
    pub module_number: u8,
    pub module_title: String,
    pub module_href: String,
    pub section_title: String,
    pub minutes: u16,
    pub updated: String,
    pub objectives: Vec<String>,
    /// Sanitised by `content`.
    pub html: String,
    pub headings: Vec<Heading>,
    pub references: Vec<Reference>,
    pub quiz: Option<Quiz>,
    pub labs: Vec<LabLink>,
    pub previous: Option<Link>,
    pub next: Option<Link>,
    pub state: LessonState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub title: String,
    pub href: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    pub level: u8,
    pub text: String,
    pub anchor: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub title: String,
    pub url: Option<String>,
    /// ISO date of the source.
    pub date: Option<String>,
}

/// A quiz as shown: no key in it. `result` is the caller's last submission, if any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiz {
    pub lesson: String,
    pub questions: Vec<Question>,
    pub result: Option<QuizResult>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub id: String,
    /// Sanitised HTML.
    pub prompt_html: String,
    /// An output that the question is about.
    pub printed: Option<Printed>,
    pub kind: QuestionKind,
}

/// Plain text, both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    pub command: Option<String>,
    pub output: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Exactly one of `options_html`.
    Single { options_html: Vec<String> },
    /// Any subset of `options_html`.
    Multiple { options_html: Vec<String> },
    /// Free text of one line.
    Short,
    /// Each of `items_html` is given its place.
    Order { items_html: Vec<String> },
}

/// `choices` for the choice kinds, `text` for [`QuestionKind::Short`]; for [`QuestionKind::Order`] `choices` holds the
/// place (from 0) of each item, in the order in which the items are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub question: String,
    #[serde(default)]
    pub choices: Vec<usize>,
    #[serde(default)]
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizResult {
    pub correct: usize,
    pub total: usize,
    pub passed: bool,
    pub marks: Vec<Mark>,
}

/// One question after it was answered: now each option may explain itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub question: String,
    pub answer: Answer,
    pub correct: bool,
    /// One entry for each option or item (or one for a short answer).
    pub why: Vec<OptionMark>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionMark {
    pub right: bool,
    /// Where an item belongs, from 0.
    pub place: Option<usize>,
    /// Sanitised HTML.
    pub why_html: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlossaryTerm {
    pub term: String,
    pub aliases: Vec<String>,
    /// Sanitised HTML.
    pub definition_html: String,
    pub anchor: String,
    /// The lesson that explains it, where it is written.
    pub lesson: Option<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    pub title: String,
    /// The lesson that holds the section.
    pub lesson: String,
    pub href: String,
    /// Sanitised HTML with `<mark>`.
    pub excerpt_html: String,
}
