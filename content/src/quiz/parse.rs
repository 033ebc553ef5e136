//! A quiz fence: TOML with mdbook-quiz's keys, plus a `why` for each option.
//!
//! ```toml
//! [[questions]]
//! id = "shared-kernel"
//! type = "MultipleChoice"                       # an array of answers makes it "choose all that apply"
//! prompt.prompt = "What do two containers on one host share?"
//! prompt.distractors = [{ text = "…", why = "…" }, { text = "…", why = "…" }]
//! answer.answer = { text = "…", why = "…" }
//!
//! [[questions]]
//! id = "error-name"
//! type = "ShortAnswer"
//! prompt.prompt = "…"
//! answer.answer = "EROFS"
//! answer.alternatives = ["30"]
//! context = "…"                                 # the `why` of a short answer
//!
//! [[questions]]
//! id = "start"
//! type = "Order"
//! prompt.prompt = "…"
//! answer.answer = [{ text = "first", why = "…" }, { text = "second", why = "…" }, { text = "third", why = "…" }]
//! ```
//! Any of them may be about an output: `prompt.output`, and `prompt.command` for what printed it.

use serde::Deserialize;
use toml::Spanned;

use super::{Kind, OrderItem, Printed, Question, QuizOption, lint};
use crate::{
    diagnostic::Report,
    render::render_fragment,
    text::{Lines, is_slug},
};

/// An output that fills the page is no question any more.
const MAX_PRINTED: usize = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuiz {
    questions: Vec<Spanned<RawQuestion>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    id: String,
    #[serde(rename = "type")]
    kind: RawKind,
    prompt: RawPrompt,
    answer: RawAnswer,
    context: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
enum RawKind {
    MultipleChoice,
    ShortAnswer,
    Order,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrompt {
    prompt: String,
    #[serde(default)]
    distractors: Vec<RawOption>,
    command: Option<String>,
    output: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer {
    answer: RawRight,
    #[serde(default)]
    alternatives: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawRight {
    Text(String),
    One(RawOption),
    All(Vec<RawOption>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOption {
    text: String,
    why: String,
}

/// `first_line` is the line of `text`'s first line in its file.
pub(crate) fn parse(text: &str, first_line: usize, report: &mut Report) -> Vec<Question> {
    let lines = Lines::new(text, first_line);
    let raw: RawQuiz = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let line = error.span().map_or(first_line, |span| lines.of(&span));
            report.error(line, format!("quiz: {}", error.message()), "see the guide for the keys of a quiz");
            return Vec::new();
        }
    };
    let questions: Vec<Question> = raw
        .questions
        .into_iter()
        .filter_map(|question| {
            let line = lines.of(&question.span());
            self::question(question.into_inner(), line, report)
        })
        .collect();
    lint::check(&questions, first_line, report);
    questions
}

fn question(raw: RawQuestion, line: usize, report: &mut Report) -> Option<Question> {
    if !is_slug(&raw.id) {
        report.error(line, format!("`{}` is not a question id", raw.id), "use lower-case letters, digits and hyphens");
    }
    let prompt_html = html(&raw.prompt.prompt, line, "the prompt", report);
    let printed = printed(raw.prompt.command, raw.prompt.output, line, report);
    let kind = match (raw.kind, raw.answer.answer) {
        (RawKind::ShortAnswer, RawRight::Text(answer)) => {
            if !raw.prompt.distractors.is_empty() {
                report.error(line, "a short answer with distractors", "remove them, or make it a MultipleChoice");
            }
            let why = raw.context.unwrap_or_default();
            let accepted = std::iter::once(answer).chain(raw.answer.alternatives).collect();
            Kind::Short { accepted, why_html: html(&why, line, "`context`", report) }
        }
        (RawKind::MultipleChoice, RawRight::One(right)) => {
            Kind::Single { options: options(&raw.id, vec![right], raw.prompt.distractors, line, report) }
        }
        (RawKind::MultipleChoice, RawRight::All(right)) => {
            Kind::Multiple { options: options(&raw.id, right, raw.prompt.distractors, line, report) }
        }
        (RawKind::Order, RawRight::All(items)) => {
            if !raw.prompt.distractors.is_empty() {
                report.error(line, "an order with distractors", "put every item into `answer.answer`");
            }
            Kind::Order { items: order(&raw.id, items, line, report) }
        }
        (RawKind::Order, RawRight::Text(_) | RawRight::One(_)) => {
            report.error(line, "an order is a list", "write `answer.answer = [{ text = \"…\", why = \"…\" }, …]`");
            return None;
        }
        (RawKind::MultipleChoice, RawRight::Text(_)) => {
            report.error(
                line,
                "the answer does not explain itself",
                "write `answer.answer = { text = \"…\", why = \"…\" }`",
            );
            return None;
        }
        (RawKind::ShortAnswer, RawRight::One(_) | RawRight::All(_)) => {
            report.error(line, "a short answer is a string", "write `answer.answer = \"…\"` and explain in `context`");
            return None;
        }
    };
    Some(Question { id: raw.id, line, prompt_html, printed, kind })
}

fn printed(command: Option<String>, output: Option<String>, line: usize, report: &mut Report) -> Option<Printed> {
    let Some(output) = output else {
        if command.is_some() {
            report.error(line, "a command without its output", "paste what it printed as `prompt.output`");
        }
        return None;
    };
    let output = output.trim_matches('\n').to_owned();
    if output.trim().is_empty() {
        report.error(line, "`prompt.output` is empty", "paste what the command printed");
    } else if output.lines().count() > MAX_PRINTED {
        let fix = format!("trim it to {MAX_PRINTED} lines with `[...]`");
        report.error(line, format!("{} lines of output to read", output.lines().count()), fix);
    }
    Some(Printed { command, output })
}

/// Shown by a hash as options are, but never as they belong.
fn order(id: &str, raw: Vec<RawOption>, line: usize, report: &mut Report) -> Vec<OrderItem> {
    let mut items: Vec<(u64, OrderItem)> = raw
        .into_iter()
        .enumerate()
        .map(|(place, raw)| {
            let why_html = html(&raw.why, line, &format!("`why` of \"{}\"", raw.text), report);
            let item = OrderItem { html: html(&raw.text, line, "an item", report), place, why_html };
            (fnv(&[id, &raw.text]), item)
        })
        .collect();
    items.sort_by_key(|(hash, _)| *hash);
    if items.len() > 1 && items.iter().map(|(_, item)| item.place).is_sorted() {
        items.rotate_left(1);
    }
    items.into_iter().map(|(_, item)| item).collect()
}

/// In an order that does not tell which is right and stays the same over restarts: by a hash of question and text.
fn options(
    id: &str,
    right: Vec<RawOption>,
    wrong: Vec<RawOption>,
    line: usize,
    report: &mut Report,
) -> Vec<QuizOption> {
    let mut options: Vec<(u64, QuizOption)> = right
        .into_iter()
        .map(|option| (true, option))
        .chain(wrong.into_iter().map(|option| (false, option)))
        .map(|(right, raw)| {
            let html_of = |text: &str, what: &str, report: &mut Report| html(text, line, what, report);
            let option = QuizOption {
                html: html_of(&raw.text, "an option", report),
                right,
                why_html: html_of(&raw.why, &format!("`why` of \"{}\"", raw.text), report),
            };
            (fnv(&[id, &raw.text]), option)
        })
        .collect();
    options.sort_by_key(|(hash, _)| *hash);
    options.into_iter().map(|(_, option)| option).collect()
}

/// FNV-1a: stable over builds, which the standard library's hasher does not promise.
fn fnv(texts: &[&str]) -> u64 {
    texts
        .iter()
        .flat_map(|text| text.bytes().chain([0]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// One paragraph is shown without its `<p>`, as it stands inside a label.
fn html(markdown: &str, line: usize, what: &str, report: &mut Report) -> String {
    if markdown.trim().is_empty() {
        report.error(line, format!("{what} is empty"), "say it; every option explains itself");
        return String::new();
    }
    let fragment = render_fragment(report.file(), markdown);
    for finding in &fragment.findings {
        report.error(line, format!("{what}: {}", finding.message), finding.fix.clone());
    }
    let html = fragment.html.trim();
    let single =
        html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).filter(|html| !html.contains("<p>"));
    single.unwrap_or(html).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[questions]]
id = "kernel"
type = "MultipleChoice"
prompt.prompt = "What is `shared`?"
prompt.distractors = [
  { text = "the disk", why = "No: layers." },
  { text = "the network", why = "No: a namespace." },
]
answer.answer = { text = "the kernel", why = "Yes." }

[[questions]]
id = "error"
type = "ShortAnswer"
prompt.prompt = "Which error?"
answer.answer = "EROFS"
answer.alternatives = ["30"]
context = "Read-only file system."
"#;

    fn read(text: &str) -> (Vec<Question>, Vec<String>) {
        let mut report = Report::new("l.md");
        let questions = parse(text, 40, &mut report);
        let errors =
            report.into_findings().iter().filter(|finding| finding.is_error()).map(ToString::to_string).collect();
        (questions, errors)
    }

    #[test]
    fn a_good_quiz() {
        let (questions, errors) = read(GOOD);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(questions[0].prompt_html, "What is <code>shared</code>?");
        assert_eq!(questions[1].line, 51);
        let Kind::Single { options } = &questions[0].kind else { panic!("single") };
        assert_eq!(options.iter().filter(|option| option.right).count(), 1);
    }

    #[test]
    fn the_order_of_options_is_stable() {
        assert_eq!(read(GOOD).0, read(GOOD).0);
    }

    #[test]
    fn faults_name_their_line() {
        for (from, to, expected) in [
            ("why = \"Yes.\"", "why = \"\"", "l.md:41: error: `why` of \"the kernel\" is empty"),
            ("id = \"kernel\"", "id = \"kernel\"\nlevel = 3", "l.md:43: error: quiz: unknown field `level`"),
            (
                "{ text = \"the kernel\", why = \"Yes.\" }",
                "\"the kernel\"",
                "l.md:41: error: the answer does not explain itself",
            ),
            ("context = \"Read-only file system.\"", "", "l.md:51: error: `context` is empty"),
            ("id = \"error\"", "id = \"kernel\"", "l.md:51: error: question `kernel` occurs twice"),
            ("the network", "the disk", "l.md:41: error: two options say the same"),
            ("[[questions]]\nid = \"error\"", "[[questions]\nid = \"error\"", "l.md:51: error: quiz:"),
        ] {
            let (_, errors) = read(&GOOD.replacen(from, to, 1));
            assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}: {errors:?}");
        }
    }

    const ORDER: &str = r#"
[[questions]]
id = "start"
type = "Order"
prompt.prompt = "In which order?"
prompt.command = "docker run"
prompt.output = """
a <b>
"""
answer.answer = [
  { text = "client", why = "It asks." },
  { text = "daemon", why = "It answers." },
  { text = "runtime", why = "It starts." },
]
"#;

    #[test]
    fn an_order_is_shown_in_another_one() {
        let (questions, errors) = read(ORDER);
        assert_eq!(errors, Vec::<String>::new());
        let Kind::Order { items } = &questions[0].kind else { panic!("order") };
        assert!(!items.iter().map(|item| item.place).is_sorted());
        let printed = questions[0].printed.as_ref().expect("an output");
        assert_eq!((printed.command.as_deref(), printed.output.as_str()), (Some("docker run"), "a <b>"));
    }

    #[test]
    fn faults_of_an_order_and_of_an_output() {
        for (from, to, expected) in [
            ("  { text = \"runtime\", why = \"It starts.\" },\n", "", "l.md:41: error: 2 items to put in order"),
            ("why = \"It starts.\"", "why = \"\"", "l.md:41: error: `why` of \"runtime\" is empty"),
            ("\"runtime\"", "\"daemon\"", "l.md:41: error: two options say the same"),
            (
                "prompt.prompt",
                "prompt.distractors = [{ text = \"x\", why = \"y\" }]\nprompt.prompt",
                "l.md:41: error: an order with",
            ),
            ("prompt.output = \"\"\"\na <b>\n\"\"\"\n", "", "l.md:41: error: a command without its output"),
            ("a <b>", "", "l.md:41: error: `prompt.output` is empty"),
        ] {
            let (_, errors) = read(&ORDER.replacen(from, to, 1));
            assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}: {errors:?}");
        }
    }

    #[test]
    fn an_answer_that_shows_by_its_length_is_named() {
        let warnings = |text: &str| {
            let mut report = Report::new("l.md");
            parse(text, 40, &mut report);
            report.into_findings().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(warnings(GOOD), Vec::<String>::new());
        let long = GOOD.replace("the kernel\"", "the kernel, with all of its `<system calls>`\"");
        assert!(
            warnings(&long)[0].starts_with("l.md:41: warning: the right answer to `kernel` shows by its length: 42"),
            "{:?}",
            warnings(&long)
        );
    }

    #[test]
    fn hostile_text_is_sanitised() {
        let (questions, errors) = read(&GOOD.replace("the disk", "<script>alert(1)</script>x"));
        assert!(errors.iter().any(|error| error.contains("`<script>` is not allowed")), "{errors:?}");
        assert!(!format!("{questions:?}").contains("<script"));
    }
}
