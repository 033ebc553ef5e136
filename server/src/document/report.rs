//! The printable report of one lab attempt: what was asked, what was seen, what it came to.

use askama::Template;

#[derive(Clone, Debug, Template)]
#[template(path = "report.html")]
pub struct LabReport {
    pub lab: String,
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
    /// Programs that were not the image's any more, each in words.
    pub tampered: Vec<String>,
}

impl ReportCheck {
    /// The author's words, with the pieces that are code told apart.
    fn why(&self) -> Vec<(bool, String)> {
        bulkhead_app::marks::parts(&self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_code_and_nothing_else_is_markup() {
        let check = ReportCheck {
            title: "The root file system is read-only".to_owned(),
            verdict: "fail",
            word: "Failed",
            expected: String::new(),
            observed: "<script>".to_owned(),
            why: "`ro` on a mount is no <b>wall</b>".to_owned(),
            references: Vec::new(),
            tampered: Vec::new(),
        };
        let report = LabReport {
            lab: String::new(),
            lab_title: String::new(),
            module_title: String::new(),
            student: String::new(),
            attempt: 1,
            at: String::new(),
            score: 0,
            pass: 85,
            passed: false,
            gated: false,
            tier: String::new(),
            tasks: vec![ReportTask { title: String::new(), points: 10, checks: vec![check] }],
            assets: String::new(),
        };
        let html = report.render().expect("a template without faults");
        assert!(html.contains("<code>ro</code> on a mount is no &#60;b&#62;wall"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
    }
}
