//! The course on paper: only what the caller may see of it.

use bulkhead_app::api::{
    ApiError, ApiResult,
    course::Link,
    print::{LessonSummary, PrintedLesson, PrintedModule, SummarySheet, WholeCourse},
};
use bulkhead_content::{Lesson, Module, Placed};

use super::course::{self, Reader, Shelf};

/// Commands of a lesson on the summary sheet.
const COMMANDS: usize = 6;

pub(crate) fn summary(shelf: Shelf<'_>, reader: &Reader, module: &str) -> ApiResult<SummarySheet> {
    let module = shelf.course.module(module).ok_or(ApiError::NotFound)?;
    Ok(SummarySheet {
        number: module.number,
        title: format!("Summary: {}", module.title),
        summary: module.summary.clone(),
        module: Link {
            title: format!("{} {}", module.number, module.title),
            href: format!("/#module-{}", module.number),
        },
        lessons: lessons(shelf, reader, module).map(|placed| lesson_summary(placed.lesson)).collect(),
    })
}

fn lesson_summary(lesson: &Lesson) -> LessonSummary {
    LessonSummary {
        title: lesson.title.clone(),
        href: course::href(lesson),
        objectives: lesson.objectives.clone(),
        takeaways_html: lesson.takeaways_html(),
        commands: lesson.key_commands(COMMANDS),
    }
}

pub(crate) fn whole_course(shelf: Shelf<'_>, reader: &Reader) -> WholeCourse {
    let modules = shelf.course.modules.iter().map(|module| PrintedModule {
        number: module.number,
        title: module.title.clone(),
        summary: module.summary.clone(),
        lessons: lessons(shelf, reader, module).map(|placed| printed(&placed)).collect(),
    });
    WholeCourse {
        title: shelf.course.title.clone(),
        summary: shelf.course.summary.clone(),
        modules: modules.filter(|module| !module.lessons.is_empty()).collect(),
        glossary: shelf.glossary(reader),
    }
}

fn printed(placed: &Placed<'_>) -> PrintedLesson {
    let lesson = placed.lesson;
    PrintedLesson {
        anchor: lesson.print_anchor(),
        title: lesson.title.clone(),
        section: placed.section.title.clone().unwrap_or_else(|| placed.module.title.clone()),
        summary: lesson.summary.clone(),
        updated: lesson.updated.clone(),
        objectives: lesson.objectives.clone(),
        html: lesson.print_html(),
        references: lesson.references.iter().map(course::reference).collect(),
    }
}

fn lessons<'p>(shelf: Shelf<'p>, reader: &'p Reader, module: &'p Module) -> impl Iterator<Item = Placed<'p>> {
    let of_module = shelf.course.lessons().filter(|placed| placed.module.number == module.number);
    of_module.filter(move |placed| reader.sees(placed.lesson))
}
