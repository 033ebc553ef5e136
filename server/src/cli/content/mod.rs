//! `bulkhead content`: lessons.
//!
//! ```text
//! lint     what is wrong in the course     new  the frame of a lesson
//! list     what is in each lesson          run  its commands, in a fresh sandbox, compared with what it shows
//! preview  its pages in a browser, which follow the files
//! ```

mod lint;
mod list;
mod new;
mod preview;
mod run;

use std::path::{Path, PathBuf};

use bulkhead_content::{Course, Diagnostic};
use clap::{Args, Subcommand};

pub(super) use self::new::write_new;
use super::{
    course,
    exit::{CliError, CliResult},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Checks every lesson; each finding names file, line and what would be right.
    Lint(lint::Options),
    /// Writes the frame of a new lesson.
    New(new::Options),
    /// Lists the lessons with what is in them.
    List(list::Options),
    /// Serves the pages of a course that is being written, on loopback, with what is wrong in it.
    Preview(preview::Options),
    /// Runs the lessons' commands in fresh sandboxes and compares what they print with what is shown.
    Run(run::Options),
}

pub(super) async fn run(command: Command) -> CliResult {
    match command {
        Command::Lint(options) => lint::run(&options),
        Command::New(options) => new::run(&options),
        Command::List(options) => list::run(&options),
        Command::Preview(options) => preview::run(options).await,
        Command::Run(options) => run::run(options).await,
    }
}

#[derive(Args)]
struct CourseOption {
    /// The folder that holds `course.toml`; without it, the lessons that the binary brings.
    #[arg(long, env = "BULKHEAD_COURSE")]
    course: Option<PathBuf>,
}

impl CourseOption {
    /// Where authors work.
    fn folder(&self) -> &Path {
        self.course.as_deref().unwrap_or(Path::new("content/course"))
    }

    /// As much of the course as can be read, and everything that is wrong with it.
    fn survey(&self) -> CliResult<(Course, Vec<Diagnostic>)> {
        let (course, findings) = Course::survey(&course::files(self.course.as_deref())?);
        match course {
            Some(course) => Ok((course, findings)),
            None => Err(CliError::Usage(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))),
        }
    }
}
