//! What makes a quiz worthless: options that say the same, no way to be right or wrong, an answer one sees by its length.

use super::{Kind, Question, QuizOption};
use crate::diagnostic::Report;

const LEAST_OPTIONS: usize = 3;
const ITEMS: std::ops::RangeInclusive<usize> = 3..=8;

pub(super) fn check(questions: &[Question], first_line: usize, report: &mut Report) {
    for (at, question) in questions.iter().enumerate() {
        if questions[..at].iter().any(|earlier| earlier.id == question.id) {
            report.error(question.line, format!("question `{}` occurs twice", question.id), "give each its own id");
        }
        match &question.kind {
            Kind::Single { options } => {
                check_options(question, options, report);
                stands_out(question, options, report);
            }
            Kind::Multiple { options } => {
                check_options(question, options, report);
                stands_out(question, options, report);
                if options.iter().all(|option| !option.right) {
                    report.error(question.line, "no option is right", "a question needs at least one right option");
                }
            }
            Kind::Short { accepted, .. } => {
                if accepted.iter().any(|answer| answer.trim().is_empty()) {
                    report.error(question.line, "an empty answer is accepted", "say what is right");
                }
            }
            Kind::Order { items } => {
                if !ITEMS.contains(&items.len()) {
                    let fix = format!("give {} to {}", ITEMS.start(), ITEMS.end());
                    report.error(question.line, format!("{} items to put in order", items.len()), fix);
                }
                check_distinct(question, items.iter().map(|item| item.html.as_str()).collect(), report);
            }
        }
    }
    guessable(questions, first_line, report);
}

fn check_options(question: &Question, options: &[QuizOption], report: &mut Report) {
    if options.len() < LEAST_OPTIONS {
        report.error(question.line, format!("{} options", options.len()), format!("give at least {LEAST_OPTIONS}"));
    }
    check_distinct(question, options.iter().map(|option| option.html.as_str()).collect(), report);
    if options.iter().any(|option| option.html.to_lowercase().contains("of the above")) {
        report.error(
            question.line,
            "an option speaks of those above it",
            "options are shown in an order of their own: let each say all that it means",
        );
    }
}

fn check_distinct(question: &Question, htmls: Vec<&str>, report: &mut Report) {
    for (at, html) in htmls.iter().enumerate() {
        if htmls[..at].contains(html) {
            report.error(question.line, "two options say the same", "make each option its own");
        }
    }
}

/// Every right option is half as long again as the longest wrong one, and then some.
fn stands_out(question: &Question, options: &[QuizOption], report: &mut Report) {
    const LEAST: usize = 12;
    let lengths =
        |right: bool| options.iter().filter(move |option| option.right == right).map(|option| length(&option.html));
    let (Some(right), Some(wrong)) = (lengths(true).min(), lengths(false).max()) else { return };
    if right * 2 > wrong * 3 && right - wrong >= LEAST {
        report.warning(
            question.line,
            format!(
                "the right answer to `{}` shows by its length: {right} characters, the others {wrong} at most",
                question.id
            ),
            "say more in the wrong options, or less in the right one; reasons belong into `why`",
        );
    }
}

/// Characters that a reader sees: no tags, an entity is one.
fn length(html: &str) -> usize {
    let mut until = None;
    let mut length = 0;
    for character in html.chars() {
        match (until, character) {
            (Some(end), character) => until = (character != end).then_some(end),
            (None, '<') => until = Some('>'),
            (None, character) => {
                length += 1;
                until = (character == '&').then_some(';');
            }
        }
    }
    length
}

/// By chance the right one of four is the longest once in four.
fn guessable(questions: &[Question], first_line: usize, report: &mut Report) {
    let singles: Vec<_> = questions
        .iter()
        .filter_map(|question| match &question.kind {
            Kind::Single { options } => Some(options),
            _ => None,
        })
        .collect();
    let longest = singles
        .iter()
        .filter(|options| {
            let length = |right: bool| {
                let lengths = options.iter().filter(|option| option.right == right).map(|option| length(&option.html));
                lengths.max().unwrap_or(0)
            };
            length(true) > length(false)
        })
        .count();
    if singles.len() >= 3 && longest * 2 > singles.len() {
        report.warning(
            first_line,
            format!("the longest option is the right one in {longest} of {} questions", singles.len()),
            "lengthen some wrong options or tighten the right ones",
        );
    }
}
