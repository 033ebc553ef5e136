//! Whole gradings over a recorded sandbox.

use std::{collections::BTreeMap, time::Duration};

use self::recorded::Recorded;
use crate::{
    grade::{CheckResult, Context, CourseKey, Nonce, Variables, grade_lab},
    manifest::{Catalog, Files, Lab},
};

/// Task one: `a` (weight 1), `b` (weight 3), 60 points. Task two: `c` (after the gate), `gate`, 40 points.
pub(crate) const MANIFEST: &str = include_str!("lab.toml");

pub(crate) fn lab() -> Lab {
    lab_from(MANIFEST)
}

pub(crate) fn lab_from(manifest: &str) -> Lab {
    let catalog = Catalog::parse(&lab_files(manifest));
    assert_eq!(catalog.diagnostics(), [], "the test's lab holds");
    catalog.lab("small").expect("the test's lab is there").clone()
}

pub(crate) fn lab_files(manifest: &str) -> Files {
    let script = "#!/bin/sh\nset -eu\n";
    [
        ("small/lab.toml", manifest),
        ("small/story.md", "A story."),
        ("small/solution.md", "The solution."),
        ("small/solution.sh", script),
        ("small/wrong/nothing.sh", script),
        ("small/tasks/one.md", "One."),
        ("small/tasks/two.md", "Two."),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect()
}

mod attacks;
mod engines;
mod hostile;
mod hosts;
mod kinds;
mod networks;
pub(crate) mod recorded;
mod regrade;
mod rounds;
mod within;

/// The small lab with one check in place of `a`: its keys as TOML, and sub-tables after them.
fn lab_with(check: &str) -> Lab {
    let a = MANIFEST.split("[[task.check]]\n").nth(1).expect("check a is the first");
    lab_from(&MANIFEST.replacen(a, &format!("id = \"a\"\nfail = \"Not yet.\"\n{check}\n\n"), 1))
}

fn context() -> Context {
    let lab = lab();
    let variables = Variables::derive(&CourseKey::new("key"), "ada", &lab.id, 1, &lab.variables);
    let mut context = Context::new(variables, BTreeMap::new(), Nonce::new([7; 16]));
    context.patience = Duration::ZERO;
    context
}

/// Grades one check of its own, and shows what came of it.
async fn judge(recorded: &Recorded, check: &str) -> CheckResult {
    let lab = lab_with(check);
    let grading = grade_lab(&lab, recorded, &context(), &|_| ()).await;
    grading.result("a").expect("check a has a result").clone()
}

fn line(result: &CheckResult) -> String {
    let CheckResult { verdict, expected, observed, reason, breach, .. } = result;
    let breach = if *breach { " (breach)" } else { "" };
    format!("{}{breach} | {expected} | {observed} | {reason}", verdict.as_str())
}
