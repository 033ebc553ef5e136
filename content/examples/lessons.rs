//! Lists the lessons with what is in them, and says how long loading and searching took.
//!
//! ```text
//! cargo run --release -p bulkhead-content --example lessons [COURSE]
//! ```

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use bulkhead_content::{Course, Kind};

const QUERIES: [&str; 6] =
    ["seccomp", "capabilites", "read only", "docker socket root", "pivot_root", "layer digest maniffest"];
const ROUNDS: usize = 100;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let here = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("course");
    let folder = std::env::args().nth(1).map_or_else(here, PathBuf::from);
    let began = Instant::now();
    let course = Course::read(&folder)?;
    let loaded = began.elapsed();
    let mut out = io::stdout();
    writeln!(
        out,
        "{:>6} {:>8} {:>8} {:>9} {:>8} {:>5} {:>7}  lesson",
        "words", "commands", "testable", "questions", "diagrams", "refs", "bytes"
    )?;
    for placed in course.lessons() {
        let lesson = placed.lesson;
        let testable = lesson.commands.iter().filter(|command| command.testable).count();
        let questions = lesson.quiz.as_ref().map_or(0, |quiz| quiz.questions.len());
        writeln!(
            out,
            "{:>6} {:>8} {testable:>8} {questions:>9} {:>8} {:>5} {:>7}  {}",
            lesson.words,
            lesson.commands.len(),
            lesson.diagrams,
            lesson.references.len(),
            lesson.html.len(),
            lesson.path
        )?;
        let kinds = lesson.quiz.iter().flat_map(|quiz| &quiz.questions);
        let multiple = kinds.filter(|question| matches!(question.kind, Kind::Multiple { .. })).count();
        if questions > 0 && multiple == 0 {
            writeln!(out, "       no question of this lesson asks for several options")?;
        }
    }
    for warning in &course.warnings {
        writeln!(out, "{warning}")?;
    }
    let times = searches(&course);
    let (median, most, last) = (times[times.len() / 2], times[times.len() * 99 / 100], times[times.len() - 1]);
    writeln!(
        out,
        "loaded in {loaded:.1?}; {} searches: median {median:.1?}, p99 {most:.1?}, slowest {last:.1?}",
        times.len()
    )?;
    Ok(())
}

/// Sorted.
fn searches(course: &Course) -> Vec<Duration> {
    let queries = QUERIES.iter().cycle().take(QUERIES.len() * ROUNDS);
    let mut times: Vec<Duration> = queries
        .map(|query| {
            let began = Instant::now();
            course.search(query, 20);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}
