//! What only the whole lab can show.
//!
//! ```text
//! (this file)  errors that keep a lab from loading: ids, graph, points, gate, names; and `lint`, the whole report
//! advice       warnings: hints, references, images, nonces
//! scripts      shebang, `sh -n`, shellcheck (runs programs)
//! ```

mod advice;
mod scripts;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use time::OffsetDateTime;

use super::{Catalog, Check, CheckId, Diagnostic, Files, Lab, Task, TaskId, fields::Report, placeholder::RESERVED};
use crate::{engine::SandboxId, grade::Variables, sandbox::PlanError};

/// Everything that can be said about a folder of labs: what keeps them from loading, advice, and what the shells say
/// about their scripts. Runs `sh`, `bash` and, where it is installed, `shellcheck`.
pub fn lint(files: &Files) -> Vec<Diagnostic> {
    let catalog = Catalog::parse(files);
    let mut findings = catalog.diagnostics().to_vec();
    for lab in catalog.labs() {
        findings.extend(advice::advise(lab));
        findings.extend(scripts::check(lab));
    }
    findings.extend(advice::strays(files));
    findings.sort();
    findings
}

/// Errors of a manifest whose single values hold.
pub(super) fn manifest(lab: &Lab, report: &Report) {
    let errors = Errors { report };
    errors.machines(lab);
    errors.tasks(lab);
    errors.checks(lab);
    errors.gate(lab);
    errors.proofs(lab);
}

struct Errors<'a> {
    report: &'a Report,
}

impl Errors<'_> {
    fn lab(&self, message: impl Into<String>, fix: impl Into<String>) {
        self.report.error(0, message, fix);
    }

    fn line(&self, line: usize, message: impl Into<String>, fix: impl Into<String>) {
        self.report.error_on_line(line, message, fix);
    }

    fn check(&self, check: &Check, message: impl Into<String>, fix: impl Into<String>) {
        self.line(check.line, message, fix);
    }

    fn machines(&self, lab: &Lab) {
        let mut names = HashSet::new();
        for machine in &lab.machines {
            if !names.insert(&machine.name) {
                self.lab(format!("two machines are named {}", machine.name), "rename one");
            }
        }
        if lab.host().is_none() {
            self.lab("the lab has no machine for the student", "add a [[machine]] with kind = \"docker-host\"");
        }
        let id = SandboxId::parse("lint");
        let plan = id.map(|id| lab.plan(id, "lint", 1, OffsetDateTime::UNIX_EPOCH, "lint", &Variables::default()));
        if let Some(Err(why)) = plan.map(|plan| plan.check()) {
            self.line(place(lab, &why), "no sandbox can be as this lab asks", why.to_string());
        }
        for script in lab.scripts() {
            match lab.machine(script.machine.as_str()) {
                None => self.lab(
                    format!("{} runs on {}, which is no machine of this lab", script.path, script.machine),
                    "name a [[machine]]",
                ),
                Some(machine) if !machine.kind.has_tree() => {
                    self.lab(
                        format!("{} runs on {}, where nothing but the agent is", script.path, script.machine),
                        "name a machine of another kind",
                    );
                }
                Some(_) => {}
            }
        }
    }

    fn tasks(&self, lab: &Lab) {
        if lab.playground {
            if !lab.tasks.is_empty() {
                self.lab("a playground has no tasks", "take the [[task]] tables out, or `playground = true`");
            }
            return;
        }
        if lab.tasks.is_empty() {
            self.lab("the lab has no task", "add a [[task]], or say playground = true");
            return;
        }
        let mut ids: BTreeSet<&TaskId> = BTreeSet::new();
        for task in &lab.tasks {
            if !ids.insert(&task.id) {
                self.line(task.line, format!("two tasks have the id {}", task.id), "rename one");
            }
            if task.checks.is_empty() {
                self.line(task.line, format!("task {} checks nothing", task.id), "add a [[task.check]]");
            }
            if task.hints.is_empty() {
                self.line(task.line, format!("task {} has no hint", task.id), "add hints = [{ text = \"…\" }]");
            }
            for need in &task.needs {
                if lab.task(need.as_str()).is_none() {
                    self.line(
                        task.line,
                        format!("task {} needs {need}, which is no task", task.id),
                        "name a task of this lab",
                    );
                }
            }
        }
        let points: u32 = lab.tasks.iter().map(|task| u32::from(task.points)).sum();
        if points != 100 {
            self.lab(format!("the tasks' points sum to {points}"), "make them sum to 100");
        }
        let graph = lab
            .tasks
            .iter()
            .map(|task: &Task| (task.id.as_str(), task.needs.iter().map(TaskId::as_str).collect()))
            .collect();
        if let Some(circle) = circle(&graph) {
            self.lab(format!("tasks need each other in a circle: {}", circle.join(" → ")), "take one `needs` out");
        }
    }

    fn checks(&self, lab: &Lab) {
        let mut ids = HashSet::new();
        for (task, check) in lab.checks() {
            if !ids.insert(&check.id) {
                self.check(
                    check,
                    format!("two checks have the id {}", check.id),
                    "rename one; ids are unique in the whole lab",
                );
            }
            for machine in check.kind.machines() {
                if lab.machine(machine.as_str()).is_none() {
                    self.check(
                        check,
                        format!("check {} looks at {machine}, which is no machine of this lab", check.id),
                        "name a [[machine]]",
                    );
                }
            }
            for (text, captured) in check.kind.texts() {
                for name in text
                    .names()
                    .filter(|n| !RESERVED.contains(n) && !captured.contains(n) && !lab.variables.contains_key(*n))
                {
                    let fix = "name a variable, `nonce`, or what an earlier step captures";
                    self.check(check, format!("check {} says {{{{{name}}}}}, which nothing defines", check.id), fix);
                }
            }
            for id in &check.after {
                if lab.check(id.as_str()).is_none() {
                    self.check(
                        check,
                        format!("check {} comes after {id}, which is no check", check.id),
                        "name a check of this lab",
                    );
                }
            }
            let questions = task.checks.iter().filter(|c| c.kind.question().is_some()).count();
            if questions > 1 && check.kind.question().is_some() {
                self.check(
                    check,
                    format!("task {} asks for more than one answer", task.id),
                    "move one to a task of its own",
                );
            }
        }
        let graph = lab.checks().map(|(_, c)| (c.id.as_str(), c.after.iter().map(CheckId::as_str).collect())).collect();
        if let Some(circle) = circle(&graph) {
            self.lab(
                format!("checks come after each other in a circle: {}", circle.join(" → ")),
                "take one `after` out",
            );
        }
    }

    fn gate(&self, lab: &Lab) {
        if !lab.services.is_empty() && lab.gate.is_empty() {
            self.lab(
                "the lab has services and no gate",
                "add [gate] with checks = [\"…\"], naming a probe that asks the service",
            );
        }
        for id in &lab.gate {
            match lab.check(id.as_str()) {
                None => self.lab(format!("the gate names {id}, which is no check"), "name a check of kind probe"),
                Some((_, check)) if check.kind.name() != "probe" => {
                    self.check(check, format!("the gate names {id}, which is no probe"), "name a check of kind probe");
                }
                Some(_) => {}
            }
        }
    }

    fn proofs(&self, lab: &Lab) {
        if lab.playground {
            return;
        }
        if lab.solution.is_none() {
            self.lab("the lab has no solution", "add [solution] with script = \"solution.sh\", and solution.md");
        }
        if lab.wrong_fixes.is_empty() {
            self.lab("the lab has no wrong fix", "add a [[wrong_fix]]: something plausible that must not pass");
        }
        for wrong in &lab.wrong_fixes {
            if wrong.fails.is_empty() {
                self.line(wrong.line, format!("{} fails no check", wrong.script.path), "add fails = [\"…\"]");
            }
            for id in wrong.fails.iter().filter(|id| lab.check(id.as_str()).is_none()) {
                self.line(
                    wrong.line,
                    format!("{} fails {id}, which is no check", wrong.script.path),
                    "name a check of this lab",
                );
            }
        }
    }
}

/// The line of the machine or network that cannot be; of the whole lab, the first.
fn place(lab: &Lab, why: &PlanError) -> usize {
    let machine = |name: &str| lab.machine(name).map_or(1, |machine| machine.line);
    match why {
        PlanError::Memory { machine: name, .. }
        | PlanError::TooLittle { machine: name, .. }
        | PlanError::Place { machine: name, .. }
        | PlanError::Name(name)
        | PlanError::SecondHost(name) => machine(name),
        PlanError::Network { network, .. } => {
            lab.networks.iter().find(|found| found.network.name == *network).map_or(1, |found| found.line)
        }
        _ => 1,
    }
}

/// A circle in a graph, as a walk that ends where it began.
fn circle<'a>(graph: &BTreeMap<&'a str, Vec<&'a str>>) -> Option<Vec<&'a str>> {
    fn visit<'a>(
        at: &'a str,
        graph: &BTreeMap<&'a str, Vec<&'a str>>,
        walk: &mut Vec<&'a str>,
        done: &mut HashSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(start) = walk.iter().position(|seen| *seen == at) {
            let mut circle = walk[start..].to_vec();
            circle.push(at);
            return Some(circle);
        }
        if !done.insert(at) {
            return None;
        }
        walk.push(at);
        let found = graph.get(at).into_iter().flatten().find_map(|next| visit(next, graph, walk, done));
        walk.pop();
        found
    }
    let mut done = HashSet::new();
    graph.keys().find_map(|start| visit(start, graph, &mut Vec::new(), &mut done))
}

#[cfg(test)]
mod tests;
