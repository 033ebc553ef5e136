//! `bulkhead content`: lessons.

use std::path::{Path, PathBuf};

use bulkhead_content::{Course, Entry};
use clap::{Args, Subcommand};

use super::{
    course,
    exit::{CliError, CliResult, Outcome, machine},
    out,
};
use crate::clock::Clock;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Checks every lesson; each finding names file, line and what would be right.
    Lint(Lint),
    /// Writes the frame of a new lesson.
    New(New),
}

#[derive(Args)]
pub(super) struct Lint {
    /// The folder that holds `course.toml`; without it, the lessons that the binary brings.
    #[arg(long, env = "BULKHEAD_COURSE")]
    course: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct New {
    /// `module/lesson`, both in lower case with dashes.
    path: String,
    /// Without it, the title that the outline announces.
    title: Option<String>,
    #[arg(long, env = "BULKHEAD_COURSE", default_value = "content/course")]
    course: PathBuf,
}

pub(super) fn run(command: Command) -> CliResult {
    match command {
        Command::Lint(options) => {
            let findings = bulkhead_content::lint(&course::files(options.course.as_deref())?);
            let errors = findings.iter().filter(|finding| finding.is_error()).count();
            if options.json {
                out::json(&findings);
            } else {
                for finding in &findings {
                    out::say(&finding.to_string());
                }
                out::say(&format!("{errors} errors, {} warnings", findings.len() - errors));
            }
            Ok(Outcome::from_yes(errors == 0))
        }
        Command::New(options) => new(&options),
    }
}

fn new(options: &New) -> CliResult {
    let is_slug = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let Some((module, lesson)) =
        options.path.split_once('/').filter(|(module, lesson)| is_slug(module) && is_slug(lesson))
    else {
        return Err(CliError::Usage(format!("`{}` is no path such as `introduction/first-lesson`", options.path)));
    };
    let Some(title) = options.title.clone().or_else(|| announced(&options.course, module, lesson)) else {
        let outline = options.course.join("course.toml");
        return Err(CliError::Usage(format!(
            "{} does not announce `{}`: give the title",
            outline.display(),
            options.path
        )));
    };
    let file = options.course.join(module).join(lesson).join("lesson.md");
    write_new(&file, &frame(lesson, &title))?;
    out::say(&format!("wrote {}", file.display()));
    out::say(&format!(
        "Name it in {}, then: bulkhead content lint --course {}",
        options.course.join("course.toml").display(),
        options.course.display()
    ));
    Ok(Outcome::Fine)
}

/// Never over something that is there.
pub(super) fn write_new(file: &Path, text: &str) -> CliResult<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(machine)?;
    }
    let made =
        std::fs::File::create_new(file).and_then(|mut made| std::io::Write::write_all(&mut made, text.as_bytes()));
    made.map_err(|error| CliError::Machine(format!("{}: {error}", file.display()).into()))
}

/// What the table of contents says about a lesson that is not written yet.
fn announced(course: &Path, module: &str, lesson: &str) -> Option<String> {
    let course = Course::read(course).ok()?;
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
