//! Advice: what a lab can load with and should not be published with.

use std::collections::BTreeSet;

use super::super::{Check, Diagnostic, Files, Lab, Severity};

pub(super) fn advise(lab: &Lab) -> Vec<Diagnostic> {
    let file = format!("{}/lab.toml", lab.id);
    let mut findings = Vec::new();
    let mut warn = |line: usize, message: String, fix: &str| {
        let column = usize::from(line > 0);
        findings.push(Diagnostic {
            file: file.clone(),
            line,
            column,
            severity: Severity::Warning,
            message,
            fix: fix.to_owned(),
        });
    };
    for task in &lab.tasks {
        if task.hints.len() == 1 {
            warn(0, format!("task {} has one hint only", task.id), "add a second one that goes further");
        }
        if task.body.trim().is_empty() {
            warn(0, format!("tasks/{}.md is empty", task.id), "say what is to be done and why");
        }
    }
    for (_, check) in lab.checks() {
        for reference in check.refs.iter().filter(|r| !is_reference(r)) {
            warn(check.line, format!("check {}: `{reference}` is no known reference", check.id), REFERENCE_FIX);
        }
        if let Some(lesson) = check.lesson.as_ref().filter(|lesson| !is_lesson(lesson)) {
            warn(check.line, format!("check {}: `{lesson}` is no lesson's id", check.id), LESSON_FIX);
        }
    }
    for reference in lab.references.iter().filter(|r| !is_reference(r)) {
        warn(0, format!("`{reference}` is no known reference"), REFERENCE_FIX);
    }
    for lesson in lab.lessons.iter().filter(|lesson| !is_lesson(lesson)) {
        warn(0, format!("`{lesson}` is no lesson's id"), LESSON_FIX);
    }
    for machine in &lab.machines {
        // The platform's own images are built and tagged by the hash of their inputs.
        if let Some(image) =
            machine.image.as_ref().filter(|image| !image.starts_with("bulkhead/") && !image.contains("@sha256:"))
        {
            warn(
                0,
                format!("machine {} uses {image}, which is not pinned", machine.name),
                "name it by digest: image@sha256:…",
            );
        }
    }
    let probes = || lab.checks().filter(|(_, check)| check.kind.name() == "probe");
    let nonce = |check: &Check| check.kind.texts().iter().any(|(text, _)| text.names().any(|name| name == "nonce"));
    if probes().next().is_some() && !probes().any(|(_, check)| nonce(check)) {
        warn(
            0,
            "no probe sends {{nonce}}, so canned answers would pass".to_owned(),
            "send {{nonce}} and expect it back",
        );
    }
    if lab.objectives.is_empty() {
        warn(0, "the lab has no objectives".to_owned(), "say what one can do after it");
    }
    if lab.checks().all(|(_, check)| check.kind.name() != "attack") {
        warn(0, "no check attacks".to_owned(), "add a check of kind attack: what counts is that the exploit fails");
    }
    findings
}

const REFERENCE_FIX: &str = "write \"CIS 5.13\", \"NIST SP 800-190 4.4.4\", \"PCI DSS 2.2.6\", \"HIPAA 164.312(b)\", \"CVE-2019-5736\" or an https address";
const LESSON_FIX: &str = "lesson ids are of a-z, 0-9 and `-`";

fn is_reference(text: &str) -> bool {
    let numbered = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit()) && !rest.contains(' ');
    if let Some(rest) = text.strip_prefix("CVE-") {
        return rest.split_once('-').is_some_and(|(year, number)| {
            year.len() == 4 && number.len() >= 4 && (year.to_owned() + number).bytes().all(|b| b.is_ascii_digit())
        });
    }
    ["CIS ", "NIST SP 800-190 ", "NIST ", "PCI DSS ", "PCI ", "HIPAA "]
        .iter()
        .any(|prefix| text.strip_prefix(prefix).is_some_and(numbered))
        || (text.starts_with("https://") && text.len() > 10 && !text.contains(char::is_whitespace))
}

fn is_lesson(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Folders of a catalogue without a manifest.
pub(super) fn strays(files: &Files) -> Vec<Diagnostic> {
    let folders: BTreeSet<&str> =
        files.keys().filter_map(|path| path.split_once('/')).map(|(folder, _)| folder).collect();
    let stray = folders.into_iter().filter(|folder| !files.contains_key(&format!("{folder}/lab.toml")));
    stray
        .map(|folder| Diagnostic {
            file: format!("{folder}/lab.toml"),
            line: 0,
            column: 0,
            severity: Severity::Error,
            message: "the folder has no manifest".to_owned(),
            fix: "write lab.toml, or start with `lab new`".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_references() {
        for good in [
            "CIS 5.13",
            "NIST SP 800-190 4.4.4",
            "PCI DSS 2.2.6",
            "HIPAA 164.312(b)",
            "CVE-2019-5736",
            "https://man7.org/x",
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["CIS", "cis 5.13", "5.13", "http://x.org", "CVE-19-1", "https://a b"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
