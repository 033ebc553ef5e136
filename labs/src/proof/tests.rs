//! The five proofs on an engine in memory, whose sandboxes turn from the recorded soft one into the hard one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bulkhead_agent::{
    look::{Look, Seen},
    protocol::ExecResult,
};
use serde_json::json;
use time::OffsetDateTime;

use super::*;
use crate::{
    engine::{CreateStep, Mode, SandboxEngine, fake::FakeEngine},
    grade::tests::{MANIFEST, lab_files, recorded::Recorded},
    manifest::Catalog,
};

const SOLUTION: &str = "#!/bin/sh\nset -eu\n# harden\n";
const WRONG: &str = "#!/bin/sh\nset -eu\n# nothing\n";

fn lab(solution: &str, wrong: &str) -> Lab {
    // The answer is not asked for here, and the gate passes at the start.
    let manifest = MANIFEST
        .replace("equals = \"{{flag}}\"", "matches = \"^/srv$\"")
        .replace("fail = \"The service does not answer.\"", "fail = \"No.\"\npasses_at_start = true");
    let mut files = lab_files(&manifest);
    files.insert("small/solution.sh".into(), solution.as_bytes().to_vec());
    files.insert("small/wrong/nothing.sh".into(), wrong.as_bytes().to_vec());
    Catalog::parse(&files).lab("small").expect("the lab holds").clone()
}

/// An engine whose sandboxes are `soft` until a script says `# harden`.
fn engine() -> FakeEngine {
    let engine = FakeEngine::new();
    let hard = Arc::new(Mutex::new(false));
    let at_exec = Arc::clone(&hard);
    let lock = |flag: &Mutex<bool>| *flag.lock().unwrap_or_else(PoisonError::into_inner);
    engine.behave(|behaviour| {
        behaviour.exec = Arc::new(move |exec| {
            let script = exec.argv.join(" ") + &exec.stdin;
            let mut hard = at_exec.lock().unwrap_or_else(PoisonError::into_inner);
            *hard = script.contains("# harden");
            let code = i32::from(script.contains("# break"));
            let stdout = if *hard { "answer c /srv\n" } else { "" }.to_owned();
            Some(ExecResult {
                code,
                stdout,
                stderr: "the reason".into(),
                truncated: false,
                timed_out: false,
                millis: 1,
            })
        });
        behaviour.look = Arc::new(move |look| {
            let names: &[&str] = if lock(&hard) { &["hard"] } else { &["soft"] };
            Recorded::with(names).see(look)
        });
    });
    engine
}

fn options() -> Options {
    Options { image: "bulkhead/lab-small:1".into(), seed: [7; 16], now: OffsetDateTime::UNIX_EPOCH }
}

async fn proved(engine: &FakeEngine, lab: &Lab) -> Report {
    let report = prove(engine, lab, &options(), &|_| ()).await;
    assert_eq!(engine.list().await.unwrap().len(), 0, "nothing is left");
    report
}

/// Without what differs from run to run.
fn shown(report: &Report) -> String {
    let mut report = report.clone();
    report.millis = 0;
    for proof in &mut report.proofs {
        proof.millis = 0;
        proof.grading.iter_mut().for_each(|grading| grading.millis = 0);
    }
    report.to_string()
}

#[tokio::test]
async fn a_good_lab_is_proved() {
    // The reset to `soft` of a fresh sandbox is the wrong fix's own script here, and the start's.
    let report = proved(&engine(), &lab(SOLUTION, WRONG)).await;
    insta::assert_snapshot!(shown(&report), @r#"
    Small (small)
      ✓ the untouched start scores under 40 and nothing passes by accident: score 20, 1 of 4 checks, 3 round trips in 0 ms [0.0 s]
      ✓ the solution scores 100: score 100, 4 of 4 checks, 3 round trips in 0 ms [0.0 s]
      ✓ grading again gives the same and changes nothing: score 100, 4 of 4 checks, 3 round trips in 0 ms [0.0 s]
      ✓ wrong/nothing.sh does not pass (Does nothing.): score 20, 1 of 4 checks, 3 round trips in 0 ms [0.0 s]
      ✓ nothing is left behind [0.0 s]
    proved: 5 of 5 proofs stand, 0.0 s
    "#);
    assert!(report.stands());
}

#[tokio::test]
async fn a_solution_that_does_nothing_and_a_wrong_fix_that_is_right_are_found() {
    let report = proved(&engine(), &lab(WRONG, SOLUTION)).await;
    insta::assert_snapshot!(shown(&report), @r#"
    Small (small)
      ✓ the untouched start scores under 40 and nothing passes by accident: score 20, 1 of 4 checks, 3 round trips in 0 ms [0.0 s]
      ✗ the solution scores 100: score 20, 1 of 4 checks, 3 round trips in 0 ms [0.0 s]
          a fails after the solution: expected the engine's account of the cms container satisfies .HostConfig.ReadonlyRootfs; observed .HostConfig.ReadonlyRootfs is false
          b fails after the solution: expected the first process of the cms container does not run as user 0 and has NoNewPrivs 1; observed its user ids are 0; NoNewPrivs is 0
          c fails after the solution: expected the right answer to: What is the flag?; observed no answer yet
      ✓ grading again gives the same and changes nothing: score 20, 1 of 4 checks, 3 round trips in 0 ms [0.0 s]
      ✗ wrong/nothing.sh does not pass (Does nothing.): score 100, 4 of 4 checks, 3 round trips in 0 ms [0.0 s]
          the wrong fix scores 100, and 80 is enough to pass
          a is to fail after the wrong fix and passes: .HostConfig.ReadonlyRootfs is true
      ✓ nothing is left behind [0.0 s]
    not proved: 3 of 5 proofs stand, 0.0 s
    "#);
    assert!(!report.stands());
}

#[tokio::test]
async fn a_script_that_fails_is_told_with_its_words() {
    let report = proved(&engine(), &lab("#!/bin/sh\nset -eu\n# break\n", WRONG)).await;
    let solution = report.proofs.iter().find(|proof| proof.kind == ProofKind::Solution).unwrap();
    assert_eq!(solution.problems, ["solution.sh ended with 1: the reason"]);
}

#[tokio::test]
async fn a_grading_that_leaves_something_is_found() {
    let engine = engine();
    let counts = Mutex::new(HashMap::<&str, u32>::new());
    engine.behave(|behaviour| {
        let look = Arc::clone(&behaviour.look);
        behaviour.look = Arc::new(move |asked| match asked {
            Look::Engine { path, .. } if path == "/volumes" => {
                let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                let count = counts.entry("volumes").or_default();
                *count += 1;
                let body = json!({ "Volumes": [{ "Name": format!("left-{count}"), "CreatedAt": "x" }] }).to_string();
                Ok(Seen::Http { status: 200, headers: Vec::new(), body, truncated: false })
            }
            other => look(other),
        });
    });
    let report = proved(&engine, &lab(SOLUTION, WRONG)).await;
    let repeat = report.proofs.iter().find(|proof| proof.kind == ProofKind::Repeat).unwrap();
    assert_eq!(repeat.problems, ["grading took away volume left-1", "grading left volume left-2"]);
}

#[tokio::test]
async fn an_engine_that_fails_is_a_problem_and_leaves_nothing() {
    let engine = engine();
    engine.inject(CreateStep::ALL[0], Mode::Fail);
    let report = proved(&engine, &lab(SOLUTION, WRONG)).await;
    assert!(report.proofs[0].problems[0].starts_with("no sandbox: "), "{report}");
    assert!(report.proofs[1].stands(), "{report}");
}

#[tokio::test]
async fn junit_holds_every_proof() {
    let mut report = proved(&engine(), &lab(WRONG, SOLUTION)).await;
    report.proofs[1].problems[0].push_str("<&\u{1b}[31m");
    let reasons = vec!["This lab needs cgroup v2; here is v1.".to_owned()];
    let skipped = Tested::Skipped { lab: "other".to_owned(), title: "Other".to_owned(), reasons };
    let xml = junit(&[Tested::Proved(report.clone()), skipped]).unwrap();
    assert_eq!(xml.matches("<testsuite ").count(), 2);
    assert_eq!(xml.matches("<testcase ").count(), report.proofs.len() + 1);
    assert_eq!(xml.matches("<failure").count(), report.proofs.iter().filter(|proof| !proof.stands()).count());
    assert!(xml.contains("<skipped message=\"This lab needs cgroup v2; here is v1.\""), "{xml}");
    assert!(xml.contains("&lt;&amp;") && !xml.contains('\u{1b}'), "{xml}");
}

/// Labs of these ids; each engine call of a sandbox is seen.
fn labs(ids: &[&str]) -> Vec<Lab> {
    let named = |id: &&str| Lab { id: crate::manifest::LabId::parse(id).unwrap(), ..lab(SOLUTION, WRONG) };
    ids.iter().map(named).collect()
}

fn with_options(labs: &[Lab]) -> Vec<(&Lab, Options)> {
    labs.iter().zip(1..).map(|(lab, number)| (lab, Options { seed: [number; 16], ..options() })).collect()
}

#[tokio::test]
async fn labs_are_proved_side_by_side_and_not_more_than_may_be() {
    // They share the one switch from soft to hard, so what they come to is not looked at here.
    let labs = labs(&["one", "two", "three", "four", "five"]);
    for jobs in [0, 1, 3, 9] {
        let running = Mutex::new((0, 0));
        let tested = prove_all(&engine(), &with_options(&labs), jobs, &|_, event| {
            let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                TestEvent::Proof(ProofEvent::Began(ProofKind::Start)) => running.0 += 1,
                TestEvent::Ended(_) => running.0 -= 1,
                TestEvent::Proof(_) => {}
            }
            running.1 = running.0.max(running.1);
        })
        .await;
        let most = running.into_inner().unwrap().1;
        assert_eq!(most, jobs.clamp(1, labs.len()), "at once, of {jobs}");
        let order: Vec<&str> = tested.iter().map(Tested::lab).collect();
        assert_eq!(order, ["one", "two", "three", "four", "five"]);
    }
}

#[tokio::test]
async fn a_lab_that_cannot_run_here_is_skipped_with_its_reason() {
    let mut labs = labs(&["runs", "elsewhere"]);
    labs[1].requires.kernel = Some(vec![999]);
    let mut tested = prove_all(&engine(), &with_options(&labs), 2, &|_, _| ()).await;
    assert!(tested.iter().all(Tested::stands));
    for tested in &mut tested {
        let Tested::Proved(report) = tested else { continue };
        report.millis = 61_280;
        for (proof, millis) in report.proofs.iter_mut().zip([40, 10, 30, 20]) {
            proof.grading.iter_mut().for_each(|grading| grading.millis = millis);
        }
    }
    insta::assert_snapshot!(Table(&tested), @"
    lab        checks  start  solution  wrong fixes  check p50/p95  trips  seconds
    runs            4     20       100       1 of 1       20/40 ms      3     61.2  proved
    elsewhere       –      –         –            –              –      –        –  skipped: This lab needs kernel 999 or newer; here is fake.
    1 proved, 0 not proved, 1 skipped
    ");
}
