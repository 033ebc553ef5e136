//! Pages for reading, from the parsed course and what its reader has done. Nothing is looked up elsewhere and nothing is
//! kept, so the preview of a course that is being written shows the same pages.

use bulkhead_app::api::{
    ApiError, ApiResult,
    course::{
        GlossaryTerm, Heading, LabLink, LessonEntry, LessonPage, LessonState, Link, ModuleEntry, Outline, Quiz,
        Reference, SearchHit, SectionEntry,
    },
    test::TestLink,
};
use bulkhead_content::{self as content, Course, Entry, Lesson, Placed};
use bulkhead_labs::manifest::Catalog;

use super::{Reader, quiz::shown_questions};
use crate::backend::lab;

/// A course, and the labs that it leads to.
#[derive(Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) course: &'a Course,
    pub(crate) labs: &'a Catalog,
}

impl<'a> Shelf<'a> {
    /// The lesson at `module-slug/lesson-slug`, if the reader may see it.
    pub(crate) fn find(self, reader: &Reader, path: &str) -> ApiResult<Placed<'a>> {
        self.course.lesson(path).filter(|placed| reader.sees(placed.lesson)).ok_or(ApiError::NotFound)
    }

    /// `tests` by their modules' slugs; `None` for the one over the course.
    pub(crate) fn outline(self, reader: &Reader, tests: &[(Option<String>, TestLink)]) -> Outline {
        let modules = self.course.modules.iter().map(|module| ModuleEntry {
            number: module.number,
            slug: module.slug.clone(),
            title: module.title.clone(),
            summary: module.summary.clone(),
            sections: module
                .sections
                .iter()
                .map(|section| SectionEntry {
                    title: section.title.clone().unwrap_or_default(),
                    lessons: section.entries.iter().map(|entry| lesson_entry(reader, entry)).collect(),
                })
                .collect(),
            labs: self.lab_links(reader, &module.labs),
            test: tests.iter().find(|(of, _)| of.as_ref() == Some(&module.slug)).map(|(_, test)| test.clone()),
        });
        Outline {
            final_test: tests.iter().find(|(of, _)| of.is_none()).map(|(_, test)| test.clone()),
            title: self.course.title.clone(),
            modules: modules.collect(),
            resume: self.resume(reader),
        }
    }

    /// The lesson read last, or, where that is done, the first after it that is not.
    fn resume(self, reader: &Reader) -> Option<String> {
        let (last, _) = reader.read.iter().max_by_key(|(_, at)| **at)?;
        let lessons = self.course.lessons().map(|placed| placed.lesson).filter(|lesson| reader.sees(lesson));
        let open = |lesson: &&Lesson| reader.state(lesson) != LessonState::Done;
        lessons.skip_while(|lesson| lesson.id != *last).find(open).map(href)
    }

    pub(crate) fn lesson(self, reader: &Reader, placed: &Placed<'_>, quiz: Option<Quiz>) -> LessonPage {
        let lesson = placed.lesson;
        let around: Vec<&Lesson> = self.course.lessons().map(|p| p.lesson).filter(|l| reader.sees(l)).collect();
        let here = around.iter().position(|l| l.id == lesson.id);
        let link = |lesson: &&Lesson| Link { title: lesson.title.clone(), href: href(lesson) };
        LessonPage {
            id: lesson.id.clone(),
            title: lesson.title.clone(),
            summary: lesson.summary.clone(),
            module_number: placed.module.number,
            module_title: placed.module.title.clone(),
            module_href: format!("/#module-{}", placed.module.number),
            section_title: placed.section.title.clone().unwrap_or_default(),
            minutes: lesson.minutes,
            updated: lesson.updated.clone(),
            objectives: lesson.objectives.clone(),
            html: lesson.html.clone(),
            headings: lesson.headings.iter().map(heading).collect(),
            references: lesson.references.iter().map(reference).collect(),
            quiz,
            labs: self.lab_links(reader, &lesson.labs),
            previous: here.and_then(|at| around.get(at.checked_sub(1)?)).map(link),
            next: here.and_then(|at| around.get(at + 1)).map(link),
            state: reader.state(lesson),
        }
    }

    pub(crate) fn glossary(self, reader: &Reader) -> Vec<GlossaryTerm> {
        let lesson = |path: &str| {
            let lesson = self.find(reader, path).ok()?.lesson;
            Some(Link { title: lesson.title.clone(), href: href(lesson) })
        };
        let term = |term: &content::Term| GlossaryTerm {
            term: term.term.clone(),
            aliases: term.aliases.clone(),
            definition_html: term.definition_html(),
            anchor: term.anchor(),
            lesson: term.lesson.as_deref().and_then(lesson),
        };
        self.course.glossary.iter().map(term).collect()
    }

    /// Sections that match, the best first.
    pub(crate) fn search(self, reader: &Reader, query: &str) -> Vec<SearchHit> {
        const MOST: usize = 20;
        let hits = self.course.search(query, 2 * MOST).into_iter();
        let hits = hits.filter(|hit| self.find(reader, &hit.path).is_ok()).take(MOST);
        hits.map(|hit| {
            let anchor = hit.anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
            SearchHit {
                title: hit.title,
                lesson: hit.lesson,
                href: format!("/learn/{}{anchor}", hit.path),
                excerpt_html: hit.excerpt_html,
            }
        })
        .collect()
    }

    fn lab_links(self, reader: &Reader, ids: &[String]) -> Vec<LabLink> {
        ids.iter().filter_map(|id| lab::link(self.labs, id, reader.best.get(id).copied())).collect()
    }
}

fn lesson_entry(reader: &Reader, entry: &Entry) -> LessonEntry {
    match entry {
        Entry::Written(lesson) if reader.sees(lesson) => LessonEntry {
            id: lesson.id.clone(),
            title: lesson.title.clone(),
            href: Some(href(lesson)),
            minutes: lesson.minutes,
            state: reader.state(lesson),
        },
        Entry::Written(Lesson { slug, title, .. }) | Entry::ToCome { slug, title } => {
            LessonEntry { id: slug.clone(), title: title.clone(), href: None, minutes: 0, state: LessonState::ToCome }
        }
    }
}

/// The lesson's quiz before anybody answered.
pub(crate) fn open_quiz(lesson: &Lesson) -> Option<Quiz> {
    let quiz = lesson.quiz.as_ref()?;
    Some(Quiz { lesson: lesson.path.clone(), questions: shown_questions(quiz), result: None })
}

fn heading(heading: &content::Heading) -> Heading {
    Heading { level: heading.level, text: heading.text.clone(), anchor: heading.anchor.clone() }
}

pub(in crate::backend) fn reference(reference: &content::Reference) -> Reference {
    Reference { title: reference.title.clone(), url: reference.url.clone(), date: reference.date.clone() }
}

pub(in crate::backend) fn href(lesson: &Lesson) -> String {
    format!("/learn/{}", lesson.path)
}
