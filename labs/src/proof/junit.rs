//! The report as JUnit XML, for a CI.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::{Proof, Report};

/// One suite, one case for each proof. `Err` if the writer refused.
pub fn junit(report: &Report) -> Result<String, String> {
    let mut suite = TestSuite::new(format!("lab {}", report.lab));
    suite.add_test_cases(report.proofs.iter().map(case));
    suite.set_time(Duration::from_millis(report.millis));
    let mut xml = Xml::new("bulkhead lab test");
    xml.add_test_suite(suite);
    xml.to_string().map_err(|why| why.to_string())
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
