//! The report as JUnit XML, for a CI.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::{Proof, Report, Tested};

/// A suite for each lab, a case for each proof. `Err` if the writer refused.
pub fn junit(tested: &[Tested]) -> Result<String, String> {
    let mut xml = Xml::new("bulkhead lab test");
    xml.add_test_suites(tested.iter().map(|tested| match tested {
        Tested::Proved(report) => proved(report),
        Tested::Skipped { lab, reasons, .. } => skipped(lab, reasons),
    }));
    xml.to_string().map_err(|why| why.to_string())
}

fn proved(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new(format!("lab {}", report.lab));
    suite.add_test_cases(report.proofs.iter().map(case));
    suite.set_time(Duration::from_millis(report.millis));
    suite
}

fn skipped(lab: &str, reasons: &[String]) -> TestSuite {
    let mut suite = TestSuite::new(format!("lab {lab}"));
    let mut status = TestCaseStatus::skipped();
    status.set_message(reasons.join(" "));
    suite.add_test_case(TestCase::new("the lab can run here", status));
    suite
}

fn case(proof: &Proof) -> TestCase {
    let status = if proof.stands() {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(proof.problems.first().cloned().unwrap_or_default());
        status.set_description(proof.problems.join("\n"));
        status
    };
    let mut case = TestCase::new(proof.kind.to_string(), status);
    case.set_time(Duration::from_millis(proof.millis));
    case
}
