//! What is wrong in a file of the course, where, and what would be right.

use std::fmt;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The course still loads.
    Warning,
    /// The course does not load.
    Error,
}

/// One finding. `line` counts from 1; 0 stands for the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub file: String,
    pub line: usize,
    pub message: String,
    pub fix: String,
}

impl Diagnostic {
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(out, "{}:{}: {severity}: {}", self.file, self.line, self.message)?;
        if !self.fix.is_empty() {
            write!(out, "\n    fix: {}", self.fix)?;
        }
        Ok(())
    }
}

/// Collects findings of one file, so that a stage reports a line and goes on.
#[derive(Debug)]
pub(crate) struct Report {
    file: String,
    findings: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), findings: Vec::new() }
    }

    pub(crate) fn error(&mut self, line: usize, message: impl Into<String>, fix: impl Into<String>) {
        self.push(Severity::Error, line, message.into(), fix.into());
    }

    pub(crate) fn warning(&mut self, line: usize, message: impl Into<String>, fix: impl Into<String>) {
        self.push(Severity::Warning, line, message.into(), fix.into());
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn into_findings(self) -> Vec<Diagnostic> {
        self.findings
    }

    fn push(&mut self, severity: Severity, line: usize, message: String, fix: String) {
        self.findings.push(Diagnostic { severity, file: self.file.clone(), line, message, fix });
    }
}
