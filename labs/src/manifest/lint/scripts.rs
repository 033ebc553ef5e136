//! What the shells say about a lab's scripts.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use super::super::{Diagnostic, Lab, Script, Severity};

pub(super) fn check(lab: &Lab) -> Vec<Diagnostic> {
    lab.scripts().flat_map(|script| check_script(&format!("{}/{}", lab.id, script.path), script)).collect()
}

fn check_script(file: &str, script: &Script) -> Vec<Diagnostic> {
    let finding = |severity, line, message: String, fix: &str| Diagnostic {
        file: file.to_owned(),
        line,
        column: usize::from(line > 0),
        severity,
        message,
        fix: fix.to_owned(),
    };
    let first = script.text.lines().next().unwrap_or_default();
    let shell = match first.trim_end() {
        "#!/bin/sh" => "sh",
        "#!/bin/bash" | "#!/usr/bin/env bash" => "bash",
        other => {
            let message = format!("the script starts with `{}`", other.chars().take(40).collect::<String>());
            return vec![finding(Severity::Error, 1, message, "start it with #!/bin/sh or #!/bin/bash")];
        }
    };
    let mut findings = Vec::new();
    match run(shell, &["-n"], &script.text) {
        Ok(Ran { success: true, .. }) => {}
        Ok(Ran { stderr, .. }) => {
            let said = stderr.lines().next().unwrap_or("no reason given");
            findings.push(finding(Severity::Error, line_of(said), format!("{shell} -n: {said}"), "make it parse"));
        }
        Err(why) => {
            findings.push(finding(Severity::Warning, 0, format!("{shell} could not be asked: {why}"), "install it"));
        }
    }
    if !script.text.lines().take(10).any(|line| line.trim_start().starts_with("set -e")) {
        findings.push(finding(
            Severity::Warning,
            1,
            "the script goes on after a failure".to_owned(),
            "add `set -eu` below the first line",
        ));
    }
    // Not installed everywhere, and no reason to fail where it is not.
    if let Ok(Ran { stdout, .. }) = run("shellcheck", &["--format=gcc", "-"], &script.text) {
        // `-:3:6: warning: … [SC2086]`
        for said in stdout.lines().take(20) {
            let mut parts = said.splitn(4, ':').skip(1);
            let line = parts.next().and_then(|line| line.parse().ok()).unwrap_or(0);
            let text = parts.nth(1).unwrap_or(said).trim().to_owned();
            findings.push(finding(Severity::Warning, line, format!("shellcheck: {text}"), ""));
        }
    }
    findings
}

/// The number in `sh: 3: Syntax error` or `bash: line 3: syntax error`.
fn line_of(said: &str) -> usize {
    said.split([':', ' ']).find_map(|part| part.parse().ok()).unwrap_or(0)
}

struct Ran {
    success: bool,
    stdout: String,
    stderr: String,
}

fn run(program: &str, arguments: &[&str], input: &str) -> std::io::Result<Ran> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A shell that stops at a syntax error closes its end early; what it says counts.
        stdin.write_all(input.as_bytes()).ok();
    }
    let output = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran { success: output.status.success(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}
