//! From "Check everything" to the score, untouched and solved.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context as _, Result, ensure};
use bulkhead_app::api::lab::{LabEvent, ScoreView};
use bulkhead_tests::{server::Server, user::User};
use tokio::time::Instant;

use crate::{
    lab::{self, Container, LAB, Sandbox},
    raw::{self, Exec},
    report::{Report, Row},
    sample::{Samples, number},
};

const PATIENCE: Duration = Duration::from_mins(2);
/// Of the peer.
const PEERS: usize = 5;

#[derive(Default)]
struct Taken {
    /// Until every check had its first verdict.
    seen: Samples,
    score: Samples,
    checks: BTreeSet<String>,
    round_trips: u64,
}

pub(crate) async fn measure(report: &mut Report, rounds: usize) -> Result<()> {
    lab::with_server(&["--local"], async |server| take(server, report, rounds).await).await
}

async fn take(server: &Server, report: &mut Report, rounds: usize) -> Result<()> {
    let mut sandbox = Sandbox::start(User::local(&server.address)?).await?;
    let container = sandbox.container().await?;
    let untouched = grade(server, &mut sandbox, rounds, |score| score.score < 40).await?;
    let peer = one_by_one(&container, untouched.checks.len()).await?;
    add(report, "untouched", &untouched, &peer);

    container.run(include_str!("../../../labs/catalog/read-only-but-alive/solution.sh")).await?;
    sandbox.user.answer(LAB, "limits", "remains", "/srv/upload").await?;
    let solved = grade(server, &mut sandbox, rounds, |score| score.score == 100).await?;
    let peer = one_by_one(&container, solved.checks.len()).await?;
    add(report, "solved", &solved, &peer);
    Ok(())
}

async fn grade(
    server: &Server,
    sandbox: &mut Sandbox,
    rounds: usize,
    expected: impl Fn(&ScoreView) -> bool,
) -> Result<Taken> {
    let mut taken = Taken::default();
    let checks = sandbox_checks(sandbox).await?;
    for _ in 0..rounds {
        let mut open = checks.clone();
        let mut seen = None;
        let began = Instant::now();
        sandbox.user.check_lab(LAB).await?;
        let score = sandbox
            .events
            .until("the lab has a score", PATIENCE, |event| match event {
                LabEvent::Check { check, .. } if !check.running => {
                    open.remove(&check.id);
                    if open.is_empty() {
                        seen.get_or_insert(began.elapsed());
                    }
                    None
                }
                LabEvent::Score { score, .. } => Some(score.clone()),
                _ => None,
            })
            .await?;
        taken.score.push(began.elapsed());
        taken.seen.push(seen.context("a check had no verdict")?);
        ensure!(expected(&score), "the score is {}", score.score);
        let idle = |event: &LabEvent| matches!(event, LabEvent::Grading { running: false }).then_some(());
        sandbox.events.until("the grading is over", PATIENCE, idle).await?;
    }
    taken.checks = checks;
    taken.round_trips = round_trips(&server.log()?)?;
    Ok(taken)
}

/// The names of the lab's checks, from one grading.
async fn sandbox_checks(sandbox: &mut Sandbox) -> Result<BTreeSet<String>> {
    let mut checks = BTreeSet::new();
    sandbox.user.check_lab(LAB).await?;
    sandbox
        .events
        .until("the first grading is over", PATIENCE, |event| match event {
            LabEvent::Check { check, .. } => {
                checks.insert(check.id.clone());
                None
            }
            LabEvent::Grading { running: false } => Some(()),
            _ => None,
        })
        .await?;
    Ok(checks)
}

/// What the server logged of its last grading.
fn round_trips(log: &str) -> Result<u64> {
    let plain = without_colours(log);
    let (_, rest) = plain.rsplit_once("round_trips=").context("the server logged no grading")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}

/// A grader without an agent: one program by `docker exec` for each check, whatever it then looks at.
async fn one_by_one(container: &Container, checks: usize) -> Result<Samples> {
    let mut samples = Samples::default();
    for _ in 0..PEERS {
        let began = Instant::now();
        for _ in 0..checks {
            let argv = raw::program("/host/usr/bin/true");
            Exec::start(container.engine.docker(), &container.name, argv, false).await?.bytes().await?;
        }
        samples.push(began.elapsed());
    }
    Ok(samples)
}

fn add(report: &mut Report, state: &str, taken: &Taken, peer: &Samples) {
    let checks = taken.checks.len();
    for (name, percent) in [("median", 50), ("p95", 95)] {
        let row = |what: &str, samples: &Samples| {
            Row::new("grading", format!("{state}: click → {what}, {name}"), samples.percentile(percent), "ms")
                .beside(format!("{checks} × `docker exec true`, median of {PEERS}"), peer.median())
                .note(format!("{} rounds of {checks} checks", samples.count()))
        };
        report.add(row("every check has a verdict", &taken.seen));
        report.add(row("score", &taken.score));
    }
    report.add(
        Row::new("grading", format!("{state}: round trips to the agent"), number(taken.round_trips), "")
            .beside(format!("{checks} × `docker exec`"), number(checks as u64)),
    );
}
