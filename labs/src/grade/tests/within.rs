//! Checks that wait for a state.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use bulkhead_agent::{
    look::{Look, Seen},
    protocol::Fault,
};
use tokio::time::Instant;

use super::{MANIFEST, context, lab_files, lab_with, recorded::Recorded};
use crate::{
    grade::{Context, Grading, ObserveError, Observer, Verdict, grade_lab},
    manifest::Catalog,
};

const CHECK: &str = "kind = \"container\"\nof = { role = \"cms\" }\nthat = \".HostConfig.ReadonlyRootfs\"\n";

/// Soft, and hard from a moment on.
struct Hardening {
    before: Recorded,
    after: Recorded,
    began: Instant,
    takes: Duration,
    requests: Mutex<u32>,
}

#[async_trait]
impl Observer for Hardening {
    async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
        *self.requests.lock().unwrap() += 1;
        if self.began.elapsed() < self.takes {
            self.before.observe(looks).await
        } else {
            self.after.observe(looks).await
        }
    }
}

/// What came of it, after how long, and in how many requests.
async fn grade(check: &str, takes: u64, context: &Context, from: &[&str]) -> (Grading, Duration, u32) {
    let sandbox = Hardening {
        before: Recorded::with(from),
        after: Recorded::with(&["hard"]),
        began: Instant::now(),
        takes: Duration::from_secs(takes),
        requests: Mutex::new(0),
    };
    let grading = grade_lab(&lab_with(check), &sandbox, context, &|_| ()).await;
    let requests = *sandbox.requests.lock().unwrap();
    (grading, sandbox.began.elapsed(), requests)
}

fn patient() -> Context {
    Context { patience: Duration::from_millis(1), ..context() }
}

#[tokio::test(start_paused = true)]
async fn a_state_is_waited_for_and_not_longer_than_it_takes() {
    let within = format!("{CHECK}within = \"20s\"");
    for from in [&["soft"][..], &["gone"], &[]] {
        let (grading, took, _) = grade(&within, 5, &patient(), from).await;
        let result = grading.result("a").unwrap();
        assert_eq!(result.verdict, Verdict::Pass, "{result:?}");
        assert!(result.expected.ends_with(", within 20 s"), "{result:?}");
        assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(7), "{took:?}");
    }
    let (grading, took, _) = grade(&within, 0, &patient(), &["soft"]).await;
    assert_eq!(grading.result("a").unwrap().verdict, Verdict::Pass);
    assert!(took < Duration::from_millis(200), "{took:?}");
    let (grading, took, requests) = grade(&within, 60, &patient(), &["soft"]).await;
    assert_eq!(grading.result("a").unwrap().verdict, Verdict::Fail);
    assert!(took >= Duration::from_secs(20) && took < Duration::from_secs(22), "{took:?}");
    assert!(requests < 200, "{requests}");
    // Other checks saw what was there when they looked, and are not asked again.
    assert_eq!(grading.result("gate").unwrap().verdict, Verdict::Pass);
}

#[tokio::test(start_paused = true)]
async fn without_patience_nothing_is_waited_for() {
    let within = format!("{CHECK}within = \"20s\"");
    let (grading, took, _) = grade(&within, 5, &context(), &["soft"]).await;
    assert_eq!(grading.result("a").unwrap().verdict, Verdict::Fail);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn what_acts_does_not_wait_and_nothing_waits_long() {
    let finding = |check: &str| {
        let a = MANIFEST.split("[[task.check]]\n").nth(1).expect("check a is the first");
        let manifest = MANIFEST.replacen(a, &format!("id = \"a\"\nfail = \"Not yet.\"\n{check}\n\n"), 1);
        let catalog = Catalog::parse(&lab_files(&manifest));
        catalog
            .diagnostics()
            .iter()
            .map(|finding| format!("{} {}", finding.message, finding.fix))
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert_eq!(finding(&format!("{CHECK}within = \"30s\"")), "");
    assert!(finding(&format!("{CHECK}within = \"31s\"")).contains("longer than 30 s"));
    let acts = "kind = \"exec\"\nwithin = \"5s\"\n[[task.check.run]]\nargv = [\"true\"]";
    assert!(finding(acts).contains("a check of kind \"exec\" does something"), "{}", finding(acts));
}
