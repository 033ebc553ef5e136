//! The course as it stood at one moment, and what is wrong with it.

use bulkhead_content::{Course, Diagnostic};

#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) number: u64,
    /// As much of it as could be read; `None` without an outline.
    pub(crate) course: Option<Course>,
    /// By file and line.
    pub(crate) findings: Vec<Diagnostic>,
    /// Files that differ from the edition before.
    pub(crate) changed: Vec<String>,
}

impl Edition {
    /// What the author of these files has to know: everything in them, and every error elsewhere.
    pub(crate) fn concerning(&self, mine: impl Fn(&str) -> bool) -> Vec<&Diagnostic> {
        let (mut own, others): (Vec<_>, Vec<_>) = self.findings.iter().partition(|finding| mine(&finding.file));
        own.extend(others.into_iter().filter(|finding| finding.is_error()));
        own
    }

    pub(crate) fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_error()).count()
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_content::Severity;

    use super::*;

    #[test]
    fn own_findings_come_first_and_of_others_the_errors() {
        let finding = |severity, file: &str| Diagnostic {
            severity,
            file: file.to_owned(),
            line: 1,
            message: String::new(),
            fix: String::new(),
        };
        let findings = vec![
            finding(Severity::Error, "a"),
            finding(Severity::Warning, "a"),
            finding(Severity::Warning, "b"),
            finding(Severity::Error, "c"),
        ];
        let edition = Edition { number: 1, course: None, findings, changed: Vec::new() };
        let concerning: Vec<_> =
            edition.concerning(|file| file == "b").iter().map(|f| (f.file.as_str(), f.is_error())).collect();
        assert_eq!(concerning, [("b", false), ("a", true), ("c", true)]);
        assert_eq!(edition.errors(), 2);
    }
}
