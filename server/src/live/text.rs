//! A lab's texts as the pages show them, rendered once.

use std::{collections::BTreeMap, sync::Arc};

use bulkhead_app::api::{
    course::Link,
    lab::{CheckView, SolutionView, Verdict},
};
use bulkhead_content::{Course, Grammars, render_fragment};
use bulkhead_labs::{
    grade::{self, CheckResult},
    manifest::{Catalog, Check, Lab},
};

use crate::store::Best;

/// Graded attempts after which the solution opens.
const TRIES: u32 = 3;

/// All labs' texts. Cheap to clone.
#[derive(Clone)]
pub struct Texts {
    labs: Arc<BTreeMap<String, LabText>>,
}

pub struct LabText {
    pub story: String,
    pub module_title: String,
    pub lessons: Vec<Link>,
    pub tasks: BTreeMap<String, TaskText>,
    /// Explanation and script.
    pub solution: Option<String>,
    checks: BTreeMap<String, CheckText>,
}

pub struct TaskText {
    pub body: String,
    pub hints: Vec<String>,
}

struct CheckText {
    title: String,
    expected: String,
    why: String,
    is_answer: bool,
    references: Vec<String>,
    lesson: Option<Link>,
}

impl Texts {
    pub fn render(catalog: &Catalog, course: &Course) -> Self {
        let _grammars = Grammars::hold();
        let labs = catalog.labs().iter().map(|lab| (lab.id.to_string(), LabText::render(lab, course))).collect();
        Self { labs: Arc::new(labs) }
    }

    pub fn of(&self, lab: &str) -> Option<&LabText> {
        self.labs.get(lab)
    }

    /// Opens after passing, or after `TRIES` graded attempts.
    pub fn solution(&self, lab: &Lab, best: Option<&Best>) -> SolutionView {
        let attempts = best.map_or(0, |best| best.attempts);
        let open = attempts >= TRIES || best.is_some_and(|best| best.passed);
        match self.of(lab.id.as_str()).and_then(|text| text.solution.as_ref()) {
            Some(html) if open => SolutionView::Open { html: html.clone() },
            _ => SolutionView::Locked { tries_left: TRIES.saturating_sub(attempts) },
        }
    }
}

impl LabText {
    fn render(lab: &Lab, course: &Course) -> Self {
        let html = |name: String, markdown: &str| render_fragment(&name, markdown).html;
        let tasks = lab.tasks.iter().map(|task| {
            let body = html(format!("{}/tasks/{}.md", lab.id, task.id), &task.body);
            let hints = task.hints.iter().map(|hint| html(format!("{}/lab.toml", lab.id), &hint.text)).collect();
            (task.id.to_string(), TaskText { body, hints })
        });
        let solution = lab.solution.as_ref().map(|solution| {
            let script = solution.script.text.trim_end();
            html(format!("{}/solution.md", lab.id), &format!("{}\n\n{}", solution.text, fenced(script)))
        });
        Self {
            story: html(format!("{}/story.md", lab.id), &lab.story),
            module_title: course
                .modules
                .iter()
                .find(|module| module.number == lab.module)
                .map(|module| module.title.clone())
                .unwrap_or_default(),
            lessons: lab.lessons.iter().filter_map(|id| lesson_link(course, id)).collect(),
            tasks: tasks.collect(),
            solution,
            checks: lab.checks().map(|(_, check)| (check.id.to_string(), CheckText::of(check, course))).collect(),
        }
    }

    /// A check as the task card shows it. `result`: its last verdict in this sandbox.
    pub fn check(&self, id: &str, result: Option<&CheckResult>, running: bool) -> Option<CheckView> {
        let text = self.checks.get(id)?;
        let (verdict, expected, observed, why) = match result {
            None => (None, text.expected.clone(), String::new(), text.why(None).to_owned()),
            Some(result) => {
                let why = match result.verdict {
                    grade::Verdict::Unknown => result.reason.clone(),
                    grade::Verdict::Pass | grade::Verdict::Fail => {
                        sentences(&result.reason, text.why(Some(result.verdict)))
                    }
                };
                (Some(verdict(result.verdict)), result.expected.clone(), result.observed.clone(), why)
            }
        };
        Some(CheckView {
            id: id.to_owned(),
            title: text.title.clone(),
            verdict,
            running,
            expected,
            observed,
            why,
            references: text.references.clone(),
            lesson: text.lesson.clone(),
            stale: false,
            tampered: result.map(|result| result.tampered.clone()).unwrap_or_default(),
        })
    }
}

impl CheckText {
    /// What makes an answer right gives it away, so it waits for the right one.
    fn why(&self, verdict: Option<grade::Verdict>) -> &str {
        if self.is_answer && verdict != Some(grade::Verdict::Pass) { "" } else { &self.why }
    }

    fn of(check: &Check, course: &Course) -> Self {
        Self {
            title: check.title.clone(),
            expected: check.expected.clone().unwrap_or_else(|| check.kind.expected()),
            why: check.why.clone(),
            is_answer: check.kind.question().is_some(),
            references: check.refs.clone(),
            lesson: check.lesson.as_deref().and_then(|id| lesson_link(course, id)),
        }
    }
}

fn lesson_link(course: &Course, id: &str) -> Option<Link> {
    let lesson = course.lesson_by_id(id)?.lesson;
    Some(Link { title: lesson.title.clone(), href: format!("/learn/{}", lesson.path) })
}

fn verdict(verdict: grade::Verdict) -> Verdict {
    match verdict {
        grade::Verdict::Pass => Verdict::Pass,
        grade::Verdict::Unknown => Verdict::Unknown,
        grade::Verdict::Fail => Verdict::Fail,
    }
}

fn sentences(first: &str, second: &str) -> String {
    [first.trim(), second.trim()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A fence that the script cannot end.
fn fenced(script: &str) -> String {
    let longest = script.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}bash no-run\n{script}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_cannot_break_out_of_its_fence() {
        assert_eq!(fenced("echo `id`"), "```bash no-run\necho `id`\n```");
        assert_eq!(fenced("x ```` y"), "`````bash no-run\nx ```` y\n`````");
    }

    #[test]
    fn what_makes_an_answer_right_waits_for_it() {
        let catalog = crate::live::installed::Installed::default().catalog().expect("the labs");
        let course =
            Course::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../content/course").as_ref()).expect("the course");
        let texts = Texts::render(&catalog, &course);
        let lab = catalog.lab("read-only-but-alive").expect("the lab");
        let (task, check) = lab.check("remains").expect("the question");
        let told = |verdict| {
            let result = CheckResult {
                task: task.id.to_string(),
                check: check.id.to_string(),
                verdict,
                expected: String::new(),
                observed: String::new(),
                reason: String::new(),
                breach: false,
                tampered: Vec::new(),
            };
            texts
                .of("read-only-but-alive")
                .and_then(|text| text.check("remains", Some(&result), false))
                .expect("a view")
                .why
        };
        let unasked = texts.of("read-only-but-alive").and_then(|text| text.check("remains", None, false));
        assert_eq!(unasked.expect("a view").why, "");
        assert_eq!(told(grade::Verdict::Fail), "");
        assert_eq!(told(grade::Verdict::Pass), check.why);
        assert!(!check.why.is_empty());
    }
}
