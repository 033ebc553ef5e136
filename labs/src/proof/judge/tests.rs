use super::*;
use crate::grade::tests::{MANIFEST, lab_from};

fn result(check: &str, verdict: Verdict) -> CheckResult {
    CheckResult {
        task: "one".into(),
        check: check.into(),
        verdict,
        expected: "E".into(),
        observed: "O".into(),
        reason: "R".into(),
        breach: false,
        tampered: Vec::new(),
    }
}

fn grading(score: u8, results: &[(&str, Verdict)]) -> Grading {
    Grading {
        results: results.iter().map(|(check, verdict)| result(check, *verdict)).collect(),
        score,
        certain: score,
        passed: false,
        gated: false,
        restart_error: None,
        round_trips: 3,
        millis: 40,
    }
}

use Verdict::{Fail, Pass, Unknown};

/// `gate` may pass at the start, `exploit` must work there.
fn lab() -> Lab {
    let extra = r#"
[[task.check]]
id = "exploit"
kind = "attack"
of = { role = "cms" }
fail = "It works."
[[task.check.attempt]]
create_in = "/app"

[solution]"#;
    let manifest = MANIFEST
        .replacen("fail = \"The service does not answer.\"", "fail = \"No.\"\npasses_at_start = true", 1)
        .replacen("\n[solution]", extra, 1);
    lab_from(&manifest)
}

#[test]
fn the_start_must_fail_for_the_right_reason() {
    let results = [("a", Fail), ("b", Fail), ("c", Fail), ("gate", Pass), ("exploit", Fail)];
    let mut good = grading(13, &results);
    good.results[4].breach = true;
    assert_eq!(start(&lab(), &good), Vec::<String>::new());

    insta::assert_debug_snapshot!(start(&lab(), &grading(55, &results)), @r#"
    [
        "the untouched start scores 55, which is not under 40",
        "exploit fails on the untouched start, but not because the exploit works: O",
    ]
    "#);
    let accident = [("a", Pass), ("b", Unknown), ("gate", Fail)];
    insta::assert_debug_snapshot!(start(&lab(), &grading(10, &accident)), @r#"
    [
        "b could not be looked at: R",
        "a passes on the untouched start (O); if it guards what could break, set passes_at_start = true",
        "gate is to pass on the untouched start and fails: O",
    ]
    "#);
}

#[test]
fn the_solution_must_score_all() {
    assert_eq!(solution(&grading(100, &[("a", Pass)])), Vec::<String>::new());
    assert_eq!(solution(&grading(99, &[("a", Pass)])), ["the solution scores 99"]);
    assert_eq!(
        solution(&grading(50, &[("a", Pass), ("b", Fail)])),
        ["b fails after the solution: expected E; observed O"]
    );
    assert_eq!(solution(&grading(100, &[("a", Pass), ("b", Unknown)])), ["b could not be looked at: R"]);
}

#[test]
fn a_wrong_fix_must_not_pass() {
    let lab = lab();
    let wrong = &lab.wrong_fixes[0];
    assert_eq!(wrong_fix(&lab, wrong, &grading(79, &[("a", Fail)])), Vec::<String>::new());
    assert_eq!(
        wrong_fix(&lab, wrong, &grading(80, &[("a", Fail)])),
        ["the wrong fix scores 80, and 80 is enough to pass"]
    );
    assert_eq!(
        wrong_fix(&lab, wrong, &grading(10, &[("a", Pass)])),
        ["a is to fail after the wrong fix and passes: O"]
    );
}

#[test]
fn an_engine_that_did_not_restart_proves_nothing() {
    let lab = lab();
    let mut stopped = grading(0, &[("a", Fail), ("b", Fail)]);
    stopped.restart_error = Some("it did not".into());
    assert_eq!(solution(&stopped), ["it did not"]);
    assert_eq!(wrong_fix(&lab, &lab.wrong_fixes[0], &stopped), ["it did not"]);
}

#[test]
fn two_gradings_must_agree() {
    let first = grading(50, &[("a", Pass), ("b", Fail)]);
    assert_eq!(repeat(&first, &first), Vec::<String>::new());
    let second = grading(40, &[("a", Fail), ("b", Fail)]);
    assert_eq!(repeat(&first, &second), ["a comes to pass, then to fail: OR", "the score is 50, then 40"]);
}
