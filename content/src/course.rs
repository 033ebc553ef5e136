//! The course as its readers see it: modules, sections, lessons in order.

use crate::{Diagnostic, Lesson, Question, Term, search::Index};

/// A whole course. Made by [`Course::parse`](crate::Course::parse); what it holds is consistent.
#[derive(Debug)]
pub struct Course {
    pub title: String,
    pub summary: String,
    pub modules: Vec<Module>,
    /// In alphabetical order.
    pub glossary: Vec<Term>,
    /// What the lint had to say about a course that loads nevertheless.
    pub warnings: Vec<Diagnostic>,
    pub(crate) index: Index,
}

#[derive(Debug)]
pub struct Module {
    /// Counts from 1.
    pub number: u8,
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub sections: Vec<Section>,
    /// Ids of the labs that belong to this module.
    pub labs: Vec<String>,
    /// The module's own questions for the test at its end, beside those of its lessons.
    pub test: Vec<Question>,
}

/// A run of lessons below one heading. The last module of the outline has none: its lessons stand alone.
#[derive(Debug)]
pub struct Section {
    pub title: Option<String>,
    pub entries: Vec<Entry>,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "some forty entries live as long as the process; a box would only add a hop"
)]
pub enum Entry {
    Written(Lesson),
    /// Announced in the outline, not written yet.
    ToCome {
        slug: String,
        title: String,
    },
}

/// A lesson together with where it stands in the course.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    pub module: &'a Module,
    pub section: &'a Section,
    pub lesson: &'a Lesson,
}

impl Course {
    /// Every written lesson in course order.
    pub fn lessons(&self) -> impl DoubleEndedIterator<Item = Placed<'_>> {
        self.modules.iter().flat_map(|module| {
            module.sections.iter().flat_map(move |section| {
                section.entries.iter().filter_map(move |entry| match entry {
                    Entry::Written(lesson) => Some(Placed { module, section, lesson }),
                    Entry::ToCome { .. } => None,
                })
            })
        })
    }

    /// `path` is `module-slug/lesson-slug`.
    pub fn lesson(&self, path: &str) -> Option<Placed<'_>> {
        self.lessons().find(|placed| placed.lesson.path == path)
    }

    pub fn lesson_by_id(&self, id: &str) -> Option<Placed<'_>> {
        self.lessons().find(|placed| placed.lesson.id == id)
    }

    pub fn module(&self, slug: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.slug == slug)
    }

    pub fn next(&self, path: &str) -> Option<Placed<'_>> {
        self.lessons().skip_while(|placed| placed.lesson.path != path).nth(1)
    }

    pub fn previous(&self, path: &str) -> Option<Placed<'_>> {
        self.lessons().rev().skip_while(|placed| placed.lesson.path != path).nth(1)
    }
}
