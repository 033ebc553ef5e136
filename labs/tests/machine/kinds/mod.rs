//! Kinds of checks on a real kernel and engine, each where it holds and where it does not.
//!
//! ```text
//! containers  containers, their images and the commands in them
//! services    what is served, asked from other machines and from inside each network
//! state       answers, the past, the host's settings, and what becomes true in time
//! ```

mod containers;
mod services;
mod state;

use std::{collections::BTreeMap, time::Duration};

use bulkhead_labs::{
    grade::{CheckResult, Context, CourseKey, Nonce, Variables, Verdict, grade_lab},
    manifest::{Catalog, Files, Lab},
};

use crate::ground::Sandbox;

const FRAME: &str = r#"schema = 1
id = "small"
title = "Small"
summary = "A lab for tests."
module = 2
minutes = 5
machine = [{ name = "host", kind = "docker-host" }, { name = "probe", kind = "probe" }]
solution = { script = "run.sh" }
wrong_fix = [{ script = "run.sh", title = "Does nothing.", fails = ["x"] }]

[variables]
flag = "hex16"

[[task]]
id = "one"
title = "One"
points = 100
hints = [{ text = "Look." }]

[[task.check]]
id = "x"
fail = "Not yet."
"#;

fn lab(check: &str) -> Lab {
    let files: Files = [
        ("small/lab.toml", format!("{FRAME}{check}\n")),
        ("small/story.md", "A story.".to_owned()),
        ("small/solution.md", "The solution.".to_owned()),
        ("small/run.sh", "#!/bin/sh\nset -eu\n".to_owned()),
        ("small/tasks/one.md", "One.".to_owned()),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .collect();
    let catalog = Catalog::parse(&files);
    assert_eq!(catalog.diagnostics(), [], "{check}");
    catalog.lab("small").expect("the lab").clone()
}

fn context(lab: &Lab) -> Context {
    let variables = Variables::derive(&CourseKey::new("key"), "ada", &lab.id, 1, &lab.variables);
    let mut context = Context::new(variables, BTreeMap::new(), Nonce::new([7; 16]));
    context.patience = Duration::from_secs(5);
    context
}

async fn judge(sandbox: &Sandbox<'_>, check: &str) -> CheckResult {
    let lab = lab(check);
    let grading = grade_lab(&lab, &sandbox.link, &context(&lab), &|_| ()).await;
    grading.result("x").expect("a result").clone()
}

/// What was observed, where the check comes to `verdict`.
async fn comes_to(sandbox: &Sandbox<'_>, verdict: Verdict, check: &str) -> String {
    let result = judge(sandbox, check).await;
    assert_eq!(result.verdict, verdict, "{check}: {result:?}");
    result.observed
}

async fn passes(sandbox: &Sandbox<'_>, check: &str) -> String {
    comes_to(sandbox, Verdict::Pass, check).await
}

async fn fails(sandbox: &Sandbox<'_>, check: &str) -> String {
    comes_to(sandbox, Verdict::Fail, check).await
}
