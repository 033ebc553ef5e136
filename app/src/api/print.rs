//! The course on paper.

use serde::{Deserialize, Serialize};

use super::course::{GlossaryTerm, Link, Reference};

/// A module on one sheet: what to keep of each of its lessons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummarySheet {
    pub number: u8,
    pub title: String,
    pub summary: String,
    pub module: Link,
    pub lessons: Vec<LessonSummary>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonSummary {
    pub title: String,
    pub href: String,
    pub objectives: Vec<String>,
    /// Sanitised HTML.
    pub takeaways_html: Option<String>,
    pub commands: Vec<String>,
}

/// The whole course as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeCourse {
    pub title: String,
    pub summary: String,
    pub modules: Vec<PrintedModule>,
    pub glossary: Vec<GlossaryTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedModule {
    pub number: u8,
    pub title: String,
    pub summary: String,
    pub lessons: Vec<PrintedLesson>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedLesson {
    pub anchor: String,
    pub title: String,
    pub section: String,
    pub summary: String,
    pub updated: String,
    pub objectives: Vec<String>,
    /// Sanitised HTML whose anchors are the lesson's own in the document.
    pub html: String,
    pub references: Vec<Reference>,
}
