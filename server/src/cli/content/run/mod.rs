//! `bulkhead content run`: the commands of lessons, in fresh sandboxes, compared with what the lessons show.
//!
//! ```text
//! choose   which lessons, and in which lab's sandbox
//! sandbox  fresh ones, side by side, none left behind
//! shell    one bash for each machine of a lesson; a command has its time
//! lesson   a lesson from its first command to its last
//! report   the table, and what differs where
//! ```

mod choose;
mod lesson;
mod report;
mod sandbox;
mod shell;

use std::{path::Path, time::Duration};

use bulkhead_content::{Span, Step, paste};
use clap::Args;
use futures::{StreamExt as _, stream};

use self::{
    choose::Chosen,
    lesson::{Came, Run},
    sandbox::Sandboxes,
};
use super::CourseOption;
use crate::cli::{
    exit::{CliError, CliResult, Outcome},
    images::LabsOption,
    out,
};

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(in crate::cli) struct Options {
    /// Lessons as `module/lesson`, or a module for all of its own.
    lessons: Vec<String>,
    /// Every lesson there is.
    #[arg(long, conflicts_with = "lessons")]
    all: bool,
    /// Of each lesson only what leads to its first testable block, and that.
    #[arg(long)]
    first: bool,
    /// Pastes what was printed where it differs, in place of calling it a fault.
    #[arg(long, conflicts_with = "first")]
    write: bool,
    /// The lab whose sandbox is used, whatever a lesson names.
    #[arg(long)]
    lab: Option<String>,
    /// So many lessons at once, each in a sandbox of its own.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Seconds that one command may take.
    #[arg(long, default_value_t = 60)]
    timeout: u64,
    /// Shows everything that was printed.
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    course: CourseOption,
    #[command(flatten)]
    labs: LabsOption,
}

pub(super) async fn run(options: Options) -> CliResult {
    let (course, findings) = options.course.survey()?;
    let chosen = choose::lessons(&course, &findings, &options.lessons, options.all)?;
    let span = if options.first { Span::ToFirstTestable } else { Span::Whole };
    let sandboxes = Sandboxes::open(&options.labs).await?;
    let work = work(&sandboxes, &chosen, span, &options);
    let runs = tokio::select! {
        runs = work => Some(runs),
        _ = tokio::signal::ctrl_c() => None,
    };
    sandboxes.clear().await;
    let Some(mut runs) = runs else { return Err(CliError::Machine("interrupted".into())) };
    runs.sort_by_key(|run| run.at);
    if options.write {
        for run in &runs {
            write(options.course.folder(), run)?;
        }
    }
    report::differences(&runs, options.write);
    report::table(&runs);
    Ok(Outcome::from_yes(runs.iter().all(|run| report::stands(run, options.write))))
}

async fn work<'c>(sandboxes: &Sandboxes, chosen: &[Chosen<'c>], span: Span, options: &Options) -> Vec<Run<'c>> {
    let limit = Duration::from_secs(options.timeout);
    let runs = stream::iter(chosen.iter().enumerate()).map(|(at, chosen)| async move {
        let lab = options.lab.as_deref().unwrap_or(chosen.lab);
        let run = lesson::run(sandboxes, at, chosen.lesson, span, lab, limit).await;
        report::progress(&run);
        if options.show {
            report::everything(&run);
        }
        run
    });
    runs.buffer_unordered(options.jobs.clamp(1, 16)).collect().await
}

fn write(folder: &Path, run: &Run<'_>) -> CliResult<()> {
    let file = folder.join(&run.lesson.file);
    let fault = |error: std::io::Error| CliError::Machine(format!("{}: {error}", file.display()).into());
    let before = std::fs::read_to_string(&file).map_err(fault)?;
    let printed: Vec<_> = run
        .steps
        .iter()
        .filter_map(|(step, came)| match (step, came) {
            (Step::Run(command), Came::Printed(text)) => Some((*command, text.as_str())),
            _ => None,
        })
        .collect();
    let after = paste(&before, &printed);
    if after != before {
        std::fs::write(&file, after).map_err(fault)?;
        out::complain(&format!("wrote {}", file.display()));
    }
    Ok(())
}
