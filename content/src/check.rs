//! What no single stage of rendering can see: a lesson as a whole, and lessons against the course.

use std::{collections::HashMap, path::Path};

use crate::{
    Course, Diagnostic, Files, Status,
    diagnostic::{Report, Severity},
    lesson::front::{self, Front},
    print::TAKEAWAYS,
    render::{Page, Place, Target},
};

const WORDS: std::ops::RangeInclusive<usize> = 900..=2_200;
const QUESTIONS: std::ops::RangeInclusive<usize> = 4..=8;

/// One lesson by itself. `block` is its front matter, `body` the line on which its text begins.
pub(crate) fn page(front: &Front, block: &str, title: &str, page: &Page, body: usize, report: &mut Report) {
    if front.title != title {
        report.error(
            front::line(block, "title:"),
            format!("the title is \"{}\"", front.title),
            format!("the outline's own words are \"{title}\""),
        );
    }
    if let Some(line) = page.first_task {
        report.error(line, "a lesson places a lab's task", "tasks belong to the lab's own text");
    }
    if front.status == Status::Draft {
        return;
    }
    if !WORDS.contains(&page.words) {
        report.warning(
            body,
            format!("{} words of prose", page.words),
            format!("aim for {} to {}", WORDS.start(), WORDS.end()),
        );
    }
    if !QUESTIONS.contains(&page.questions.len()) {
        report.warning(
            page.questions.first().map_or(body, |question| question.line),
            format!("{} quiz questions", page.questions.len()),
            format!("ask {} to {}", QUESTIONS.start(), QUESTIONS.end()),
        );
    }
    if page.diagrams == 0 {
        report.warning(body, "no diagram", "draw what the prose describes");
    }
    if !page.headings.iter().any(|heading| heading.text == TAKEAWAYS) {
        report.warning(body, "no takeaways", format!("end with `## {TAKEAWAYS}`: the summary sheet is made from it"));
    }
    if let Some(first) = page.commands.iter().find(|command| command.runnable)
        && !page.commands.iter().any(|command| command.testable)
    {
        report.warning(first.line, "no command is marked `testable`", "mark at least one block that can be re-run");
    }
}

/// A lesson that nobody lists would silently not exist.
pub(crate) fn strays(files: &Files, seen: &[String], findings: &mut Vec<Diagnostic>) {
    for file in files.keys().filter(|file| extension(file) == Some("md") && !seen.contains(file)) {
        let mut report = Report::new(file.clone());
        report.error(
            0,
            "the outline does not list this page",
            "add its folder's name to `course.toml`, and name the file `lesson.md`",
        );
        findings.extend(report.into_findings());
    }
}

fn extension(file: &str) -> Option<&str> {
    Path::new(file).extension().and_then(|extension| extension.to_str())
}

pub(crate) fn ids(files: &Files, course: &Course, findings: &mut Vec<Diagnostic>) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for placed in course.lessons() {
        let lesson = placed.lesson;
        if let Some(other) = owners.insert(&lesson.id, &lesson.file) {
            findings.push(error(
                &lesson.file,
                line(files, &lesson.file, "id:"),
                format!("the id `{}` is also in {other}", lesson.id),
                "give each lesson its own id",
            ));
        }
        for lab in lesson.labs.iter().filter(|lab| !knows_lab(course, lab)) {
            findings.push(error(
                &lesson.file,
                line(files, &lesson.file, "labs:"),
                format!("no module lists the lab `{lab}`"),
                "add it to `labs` of the module in course.toml",
            ));
        }
    }
}

/// The front matter stands first in the file, so the first line that begins with a key is its own.
fn line(files: &Files, file: &str, key: &str) -> usize {
    let text = files.get(file).map(|bytes| String::from_utf8_lossy(bytes));
    text.and_then(|text| text.lines().position(|line| line.starts_with(key))).map_or(1, |at| at + 1)
}

/// A lesson that the outline knows and nobody can read (`seen`, but not in the course) has a finding of its own.
pub(crate) fn targets(
    course: &Course,
    seen: &[String],
    targets: &[(String, Vec<Target>)],
    findings: &mut Vec<Diagnostic>,
) {
    let unreadable = |place: &Place| {
        let Place::Lesson { path, .. } = place else { return false };
        course.lesson(path).is_none() && seen.contains(&format!("{path}/lesson.md"))
    };
    for (file, targets) in targets {
        for target in targets.iter().filter(|target| !unreadable(&target.place)) {
            if let Some((message, fix)) = fault(course, &target.place) {
                findings.push(error(file, target.line, message, fix));
            }
        }
    }
}

fn fault(course: &Course, place: &Place) -> Option<(String, &'static str)> {
    match place {
        Place::Lab(lab) if !knows_lab(course, lab) => Some((
            format!("no module lists the lab `{lab}`"),
            "correct the id, or add it to `labs` of the module in course.toml",
        )),
        Place::Lab(_) => None,
        Place::Lesson { path, anchor } => {
            let Some(placed) = course.lesson(path) else {
                return Some((
                    format!("there is no lesson `{path}` yet"),
                    "correct the path, or name the lesson without a link",
                ));
            };
            let missing = anchor
                .as_ref()
                .filter(|anchor| !placed.lesson.headings.iter().any(|heading| heading.anchor == **anchor));
            missing.map(|anchor| (format!("`{path}` has no heading `{anchor}`"), "link to one of its anchors"))
        }
    }
}

fn knows_lab(course: &Course, lab: &str) -> bool {
    course.modules.iter().any(|module| module.labs.iter().any(|known| known == lab))
}

fn error(file: &str, line: usize, message: String, fix: &str) -> Diagnostic {
    Diagnostic { severity: Severity::Error, file: file.to_owned(), line, message, fix: fix.to_owned() }
}
