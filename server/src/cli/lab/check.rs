//! `bulkhead lab check`: the grading that the server would do.

use std::collections::{BTreeMap, BTreeSet};

use bulkhead_labs::{
    grade::{Answer, Context, Grading, Nonce, Scope, Verdict, grade_with_restart},
    manifest::{CheckId, Lab, TaskId},
};
use clap::Args;

use super::sandbox::Bench;
use crate::{
    cli::{
        exit::{CliError, CliResult, Outcome},
        images::LabsOption,
        out,
    },
    random::Random,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    id: String,
    /// One task only.
    #[arg(long)]
    task: Option<String>,
    /// A written answer, as CHECK=TEXT. May be given several times.
    #[arg(long = "answer", value_name = "CHECK=TEXT")]
    answers: Vec<String>,
    #[command(flatten)]
    labs: LabsOption,
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: Options) -> CliResult {
    let bench = Bench::open(&options.labs, &options.id).await?;
    let mut context = Context::new(bench.variables(), answers(&options.answers)?, Nonce::new(Random::system().bytes()));
    if let Some(task) = &options.task {
        let known = bench.lab.task(task).map(|task| task.id.clone());
        context.scope = Scope::Task(known.ok_or_else(|| no_task(&bench.lab, task))?);
    }
    let link = bench.link().await?;
    let grading = grade_with_restart(&bench.lab, &link, &link, &context, &|_| ()).await;
    if options.json {
        out::json(&grading);
    } else {
        show(&bench.lab, &grading);
    }
    let passed = match context.scope {
        Scope::All => grading.passed,
        Scope::Task(_) | Scope::Checks(_) => grading.results.iter().all(|result| result.verdict == Verdict::Pass),
    };
    Ok(Outcome::from_yes(passed))
}

fn answers(given: &[String]) -> CliResult<BTreeMap<CheckId, Answer>> {
    let one = |text: &String| {
        let wrong = |why: String| CliError::Usage(format!("--answer {text}: {why}"));
        let (check, answer) = text.split_once('=').ok_or_else(|| wrong("write it as CHECK=TEXT".to_owned()))?;
        let check = CheckId::parse(check).map_err(|error| wrong(error.to_string()))?;
        let answer = Answer::parse(answer).map_err(|error| wrong(error.to_string()))?;
        Ok((check, answer))
    };
    given.iter().map(one).collect()
}

fn no_task(lab: &Lab, asked: &str) -> CliError {
    let known: Vec<&str> = lab.tasks.iter().map(|task| TaskId::as_str(&task.id)).collect();
    CliError::Usage(format!("the lab has no task `{asked}`; it has: {}", known.join(", ")))
}

fn show(lab: &Lab, grading: &Grading) {
    for task in &lab.tasks {
        let results = grading.results.iter().filter(|result| result.task == task.id.as_str());
        for (index, result) in results.enumerate() {
            if index == 0 {
                out::say(&format!("{} ({} points)", task.title, task.points));
            }
            let (mark, more) = match result.verdict {
                Verdict::Pass => ("✓", Vec::new()),
                Verdict::Fail => {
                    ("✗", vec![("expected", &result.expected), ("observed", &result.observed), ("", &result.reason)])
                }
                Verdict::Unknown => ("?", vec![("could not check", &result.reason)]),
            };
            let title = lab.check(&result.check).map_or(result.check.as_str(), |(_, check)| check.title.as_str());
            out::say(&format!("  {mark} {title}"));
            for (label, text) in more.into_iter().filter(|(_, text)| !text.is_empty()) {
                let label = if label.is_empty() { String::new() } else { format!("{label}: ") };
                out::say(&format!("      {label}{}", text.replace('\n', "\n      ")));
            }
        }
    }
    let tampered: BTreeSet<&String> = grading.results.iter().flat_map(|result| &result.tampered).collect();
    if !tampered.is_empty() {
        out::say("programs that are not the image's any more (no verdict rests on them):");
        for told in tampered {
            out::say(&format!("  {told}"));
        }
    }
    let gate = if grading.gated { " (capped: the service does not answer)" } else { "" };
    let passed = if grading.passed { "passed" } else { "not passed" };
    out::say(&format!("score {} of 100{gate}, {passed}; graded in {} ms", grading.score, grading.millis));
}
