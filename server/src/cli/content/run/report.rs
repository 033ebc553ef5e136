//! What came of it.

use std::fmt::Write as _;

use bulkhead_content::Step;

use super::{Came, Run};
use crate::cli::out;

/// Whether everything ran, and all that is compared is as it is shown. What was pasted counts as the same.
pub(super) fn stands(run: &Run<'_>, pasted: bool) -> bool {
    run.fault.is_none()
        && run.steps.iter().all(|(step, came)| match (step, came) {
            (Step::Run(command), Came::Printed(text)) => pasted || !command.testable || command.agrees(text).is_ok(),
            (Step::Save(_), Came::Printed(_)) => true,
            (_, Came::Broke(_) | Came::NotRun) => false,
        })
}

/// While the others still run.
pub(super) fn progress(run: &Run<'_>) {
    let word = if stands(run, false) { "✓" } else { "✗" };
    out::complain(&format!("{word} {} ({:.1} s)", run.lesson.path, run.took.as_secs_f32()));
}

pub(super) fn everything(run: &Run<'_>) {
    for (step, came) in &run.steps {
        let text = match came {
            Came::Printed(text) | Came::Broke(text) => text.trim_end(),
            Came::NotRun => "(not run)",
        };
        let what = match step {
            Step::Run(command) => indented(&command.input),
            Step::Save(saved) => format!("  > {}", saved.path),
        };
        out::say(&format!("{}:{}:\n{what}\n{text}\n", run.lesson.file, step.line()));
    }
}

pub(super) fn differences(runs: &[Run<'_>], pasted: bool) {
    for run in runs {
        let file = &run.lesson.file;
        if let Some(fault) = &run.fault {
            out::say(&format!("{file}: no result in a sandbox of `{}`: {fault}", run.lab));
        }
        for (step, came) in &run.steps {
            let line = step.line();
            match (step, came) {
                (_, Came::Broke(why)) => out::say(&format!("{file}:{line}: {why}")),
                (Step::Run(command), Came::Printed(text)) if !pasted => {
                    let Err(found) = command.agrees(text) else { continue };
                    let kind = if command.testable { "differs" } else { "differs, but is not marked `testable`" };
                    out::say(&format!(
                        "{file}:{line}: line {} of the output {kind}\n  shown   {}\n  printed {}",
                        found.line, found.expected, found.printed
                    ));
                }
                (_, Came::Printed(_) | Came::NotRun) => {}
            }
        }
    }
}

pub(super) fn table(runs: &[Run<'_>]) {
    let mut sums = Counts::default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for run in runs {
        let counts = Counts::of(run);
        sums.add(&counts);
        let verdict = match (&run.fault, stands(run, false)) {
            (Some(_), _) => "no sandbox",
            (None, true) if counts.compared == 0 => "nothing to compare",
            (None, true) => "same",
            (None, false) => "not the same",
        };
        rows.push(counts.cells(verdict, &format!("{:.1}", run.took.as_secs_f32()), &run.lesson.path));
    }
    rows.push(sums.cells("", "", &format!("{} lessons", runs.len())));
    out::table(&["ran", "of", "compared", "same", "seconds", "result", "lesson"], &rows);
}

#[derive(Default)]
struct Counts {
    ran: usize,
    of: usize,
    compared: usize,
    same: usize,
}

impl Counts {
    fn of(run: &Run<'_>) -> Self {
        let mut counts = Self::default();
        for (step, came) in &run.steps {
            let Step::Run(command) = step else { continue };
            counts.of += 1;
            let Came::Printed(text) = came else { continue };
            counts.ran += 1;
            if command.testable {
                counts.compared += 1;
                counts.same += usize::from(command.agrees(text).is_ok());
            }
        }
        counts
    }

    fn add(&mut self, other: &Self) {
        self.ran += other.ran;
        self.of += other.of;
        self.compared += other.compared;
        self.same += other.same;
    }

    fn cells(&self, verdict: &str, seconds: &str, lesson: &str) -> Vec<String> {
        let [ran, of, compared, same] = [self.ran, self.of, self.compared, self.same].map(|number| number.to_string());
        vec![ran, of, compared, same, seconds.to_owned(), verdict.to_owned(), lesson.to_owned()]
    }
}

fn indented(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let _infallible = writeln!(out, "  $ {line}");
    }
    out.truncate(out.trim_end().len());
    out
}
