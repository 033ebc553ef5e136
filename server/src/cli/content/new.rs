//! `bulkhead content new`

use std::path::Path;

use bulkhead_content::{Course, Entry};
use clap::Args;

use super::CourseOption;
use crate::{
    cli::{
        exit::{CliError, CliResult, Outcome, machine},
        out,
    },
    clock::Clock,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// `module/lesson`, both in lower case with dashes.
    path: String,
    /// Without it, the title that the outline announces.
    title: Option<String>,
    #[command(flatten)]
    course: CourseOption,
}

pub(super) fn run(options: &Options) -> CliResult {
    let is_slug = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let Some((module, lesson)) =
        options.path.split_once('/').filter(|(module, lesson)| is_slug(module) && is_slug(lesson))
    else {
        return Err(CliError::Usage(format!("`{}` is no path such as `introduction/first-lesson`", options.path)));
    };
    let folder = options.course.folder();
    let file = folder.join(module).join(lesson).join("lesson.md");
    if file.exists() {
        return Err(CliError::Usage(format!("{} is there already: open it, or choose another path", file.display())));
    }
    let announced = announced(&options.course, module, lesson);
    let Some(title) = options.title.clone().or_else(|| announced.clone()) else {
        let outline = folder.join("course.toml");
        return Err(CliError::Usage(format!(
            "{} does not announce `{}`: give the title",
            outline.display(),
            options.path
        )));
    };
    write_new(&file, &frame(lesson, &title))?;
    out::say(&format!("wrote {}", file.display()));
    if announced.is_none() {
        out::say(&format!("Name it in {}.", folder.join("course.toml").display()));
    }
    out::say(&format!(
        "See it while you write: bulkhead content preview --watch --course {folder}\n\
         Run its commands: bulkhead content run {path} --course {folder}\n\
         Check it: bulkhead content lint --course {folder}",
        folder = folder.display(),
        path = options.path,
    ));
    Ok(Outcome::Fine)
}

/// Never over something that is there.
pub(in crate::cli) fn write_new(file: &Path, text: &str) -> CliResult<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(machine)?;
    }
    let made =
        std::fs::File::create_new(file).and_then(|mut made| std::io::Write::write_all(&mut made, text.as_bytes()));
    made.map_err(|error| CliError::Machine(format!("{}: {error}", file.display()).into()))
}

/// What the table of contents says about a lesson that is not written yet.
fn announced(course: &CourseOption, module: &str, lesson: &str) -> Option<String> {
    let files = bulkhead_content::read_dir(course.folder()).ok()?;
    let (course, _) = Course::survey(&files);
    let course = course?;
    let mut entries = course.module(module)?.sections.iter().flat_map(|section| &section.entries);
    entries.find_map(|entry| match entry {
        Entry::ToCome { slug, title } if slug == lesson => Some(title.clone()),
        _ => None,
    })
}

fn frame(lesson: &str, title: &str) -> String {
    let title = serde_json::Value::from(title);
    let today = Clock::system().now().to_datetime().date();
    format!(
        "---\n\
         id: {lesson}\n\
         title: {title}\n\
         summary: \"\"\n\
         status: draft\n\
         minutes: 15\n\
         objectives: []\n\
         prerequisites: []\n\
         tags: []\n\
         refs: []\n\
         updated: \"{today}\"\n\
         labs: []\n\
         ---\n\n\
         Say in two sentences what the reader can do afterwards.\n\n\
         ## The first thing\n"
    )
}
