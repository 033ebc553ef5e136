//! `bulkhead content list`

use bulkhead_content::{Course, Entry, Kind, Lesson, Module, Question};
use clap::Args;
use serde::Serialize;

use super::CourseOption;
use crate::cli::{
    exit::{CliResult, Outcome},
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    course: CourseOption,
    #[arg(long)]
    json: bool,
}

/// What is in a lesson, or in several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    words: usize,
    commands: usize,
    testable: usize,
    not_run: usize,
    questions: usize,
    single: usize,
    multiple: usize,
    short: usize,
    order: usize,
    output: usize,
    diagrams: usize,
    references: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    lesson: String,
    written: bool,
    #[serde(flatten)]
    counts: Counts,
}

pub(super) fn run(options: &Options) -> CliResult {
    let (course, _) = options.course.survey()?;
    let rows: Vec<Row> = course.modules.iter().flat_map(rows).collect();
    if options.json {
        out::json(&rows);
        return Ok(Outcome::Fine);
    }
    let mut cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    cells.push(total(&course, &rows));
    let head = ["words", "commands", "testable", "not run", "questions", "kinds 1/n/word/order/output", "diagrams"];
    out::table(&[&head[..], &["references", "lesson"]].concat(), &cells);
    Ok(Outcome::Fine)
}

fn rows(module: &Module) -> impl Iterator<Item = Row> {
    let entries = module.sections.iter().flat_map(|section| &section.entries);
    entries.map(|entry| match entry {
        Entry::Written(lesson) => Row { lesson: lesson.path.clone(), written: true, counts: counts(lesson) },
        Entry::ToCome { slug, .. } => {
            Row { lesson: format!("{}/{slug}", module.slug), written: false, counts: Counts::default() }
        }
    })
}

fn counts(lesson: &Lesson) -> Counts {
    let questions: &[Question] = lesson.quiz.as_ref().map_or(&[], |quiz| &quiz.questions);
    let kind = |is: fn(&Kind) -> bool| questions.iter().filter(|question| is(&question.kind)).count();
    Counts {
        words: lesson.words,
        commands: lesson.commands.len(),
        testable: lesson.commands.iter().filter(|command| command.testable).count(),
        not_run: lesson.commands.iter().filter(|command| !command.runnable).count(),
        questions: questions.len(),
        single: kind(|kind| matches!(kind, Kind::Single { .. })),
        multiple: kind(|kind| matches!(kind, Kind::Multiple { .. })),
        short: kind(|kind| matches!(kind, Kind::Short { .. })),
        order: kind(|kind| matches!(kind, Kind::Order { .. })),
        output: questions.iter().filter(|question| question.printed.is_some()).count(),
        diagrams: lesson.diagrams,
        references: lesson.references.len(),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let Counts { words, commands, testable, not_run, questions, diagrams, references, .. } = row.counts;
    let Counts { single, multiple, short, order, output, .. } = row.counts;
    let kinds = format!("{single}/{multiple}/{short}/{order}/{output}");
    let number = |number: usize| number.to_string();
    let lesson = if row.written { row.lesson.clone() } else { format!("{} (not written)", row.lesson) };
    let [words, commands, testable, not_run, questions, diagrams, references] =
        [words, commands, testable, not_run, questions, diagrams, references].map(number);
    vec![words, commands, testable, not_run, questions, kinds, diagrams, references, lesson]
}

fn total(course: &Course, rows: &[Row]) -> Vec<String> {
    let sum = |of: fn(&Counts) -> usize| rows.iter().map(|row| of(&row.counts)).sum();
    let counts = Counts {
        words: sum(|counts| counts.words),
        commands: sum(|counts| counts.commands),
        testable: sum(|counts| counts.testable),
        not_run: sum(|counts| counts.not_run),
        questions: sum(|counts| counts.questions),
        single: sum(|counts| counts.single),
        multiple: sum(|counts| counts.multiple),
        short: sum(|counts| counts.short),
        order: sum(|counts| counts.order),
        output: sum(|counts| counts.output),
        diagrams: sum(|counts| counts.diagrams),
        references: sum(|counts| counts.references),
    };
    let lesson = format!("total: {} of {} lessons written", course.lessons().count(), rows.len());
    cells(&Row { lesson, written: true, counts })
}
