//! The printable report of one lab attempt: what was asked, what was seen, what it came to.

use askama::Template;

#[derive(Clone, Debug, Template)]
#[template(path = "report.html")]
pub struct LabReport {
    pub lab_title: String,
    pub module_title: String,
    pub student: String,
    pub attempt: i64,
    /// For people: `24 November 2026, 10:43 UTC`.
    pub at: String,
    pub score: u8,
    pub pass: u8,
    pub passed: bool,
    /// The service did not answer, so the score was capped.
    pub gated: bool,
    /// Isolation tier of the sandbox.
    pub tier: String,
    pub tasks: Vec<ReportTask>,
    /// Version of the site, for its style sheet.
    pub assets: String,
}

#[derive(Clone, Debug)]
pub struct ReportTask {
    pub title: String,
    pub points: u8,
    pub checks: Vec<ReportCheck>,
}

#[derive(Clone, Debug)]
pub struct ReportCheck {
    pub title: String,
    /// `pass`, `fail`, `unknown`: a class of the style sheet.
    pub verdict: &'static str,
    /// The verdict in words, as colour alone tells nobody.
    pub word: &'static str,
    pub expected: String,
    pub observed: String,
    pub why: String,
    pub references: Vec<String>,
}
