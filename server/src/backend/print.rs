//! The course on paper: only what the caller may see of it.

use bulkhead_app::api::{
    ApiError, ApiResult, Caller,
    course::Link,
    print::{LessonSummary, PrintedLesson, PrintedModule, SummarySheet, WholeCourse},
};
use bulkhead_content::{Lesson, Module, Placed};

use super::{
    Platform,
    course::{self, Reader},
};

/// Commands of a lesson on the summary sheet.
const COMMANDS: usize = 6;

pub(super) fn summary(platform: &Platform, caller: &Caller, module: &str) -> ApiResult<SummarySheet> {
    let module = platform.course.module(module).ok_or(ApiError::NotFound)?;
    Ok(SummarySheet {
        number: module.number,
        title: format!("Summary: {}", module.title),
        summary: module.summary.clone(),
        module: Link {
            title: format!("{} {}", module.number, module.title),
            href: format!("/#module-{}", module.number),
        },
        lessons: lessons(platform, caller, module).map(|placed| lesson_summary(placed.lesson)).collect(),
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

pub(super) fn whole_course(platform: &Platform, caller: &Caller) -> WholeCourse {
    let modules = platform.course.modules.iter().map(|module| PrintedModule {
        number: module.number,
        title: module.title.clone(),
        summary: module.summary.clone(),
        lessons: lessons(platform, caller, module).map(|placed| printed(&placed)).collect(),
    });
    WholeCourse {
        title: platform.course.title.clone(),
        summary: platform.course.summary.clone(),
        modules: modules.filter(|module| !module.lessons.is_empty()).collect(),
        glossary: course::glossary(platform, caller),
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

fn lessons<'p>(platform: &'p Platform, caller: &Caller, module: &'p Module) -> impl Iterator<Item = Placed<'p>> {
    let reader = Reader::anonymous(caller);
    let of_module = platform.course.lessons().filter(|placed| placed.module.number == module.number);
    of_module.filter(move |placed| reader.sees(placed.lesson))
}
