//! `lab test`: the five proofs that a lab is what it says, on a real engine.
//!
//! ```text
//! prove ─┬─ start      fresh sandbox, untouched: under 40, nothing passes by accident, the exploits work
//!        ├─ solution   fresh sandbox, solution.sh: 100, also after the restart
//!        ├─ repeat     the same sandbox: two gradings agree, and change nothing
//!        ├─ wrong fix  fresh sandbox each: under the pass mark, fails the named checks
//!        └─ nothing left behind
//!
//! bench    one sandbox: provision, run a script as the student would, grade, destroy
//! judge    from gradings to problems (pure)
//! state    what a grading must not change
//! all      many labs side by side, and those that cannot run here
//! report   what came of it: for people, JSON
//! table    of all labs, for people
//! junit    and for a CI
//! ```
//!
//! A script tells the student's answers on its standard output, each on a line `answer CHECK TEXT`.

mod all;
mod bench;
mod judge;
mod junit;
mod report;
mod state;
mod table;

use time::OffsetDateTime;
use tokio::time::Instant;

use self::bench::{Bench, BenchError, Solved};
pub use self::{
    all::{TestEvent, Tested, prove_all},
    junit::junit,
    report::{Proof, ProofKind, Report},
    table::Table,
};
use crate::{
    engine::SandboxEngine,
    manifest::{Lab, Script, Solution},
};

/// What a proof takes from outside.
#[derive(Clone, Debug)]
pub struct Options {
    /// The lab's baked image, by tag.
    pub image: String,
    /// Random: names the sandboxes and seeds variables and nonces.
    pub seed: [u8; 16],
    pub now: OffsetDateTime,
}

/// What happens while a lab is proved.
#[derive(Clone, Debug)]
pub enum ProofEvent {
    Began(ProofKind),
    Ended(Proof),
}

/// Runs the five proofs, one after the other. Never fails: what goes wrong is a problem in the report. A caller that
/// drops the future leaves a sandbox to the reaper.
pub async fn prove(
    engine: &dyn SandboxEngine,
    lab: &Lab,
    options: &Options,
    events: &(dyn Fn(ProofEvent) + Send + Sync),
) -> Report {
    let start = Instant::now();
    let mut run = Run { bench: Bench::new(engine, lab, options), lab, events, proofs: Vec::new() };
    if lab.playground {
        run.opens().await;
    } else {
        run.start().await;
        run.solution().await;
    }
    for index in 0..lab.wrong_fixes.len() {
        run.wrong_fix(index).await;
    }
    run.nothing_left().await;
    Report { lab: lab.id.to_string(), title: lab.title.clone(), proofs: run.proofs, millis: millis(start) }
}

struct Run<'a> {
    bench: Bench<'a>,
    lab: &'a Lab,
    events: &'a (dyn Fn(ProofEvent) + Send + Sync),
    proofs: Vec<Proof>,
}

impl Run<'_> {
    async fn start(&mut self) {
        let began = self.begin(ProofKind::Start);
        let graded = async {
            let sandbox = self.bench.fresh().await?;
            let grading = self.bench.grade(&sandbox, false).await;
            self.bench.destroy(sandbox).await?;
            Ok(grading)
        };
        let graded = graded.await;
        self.end(ProofKind::Start, began, graded, |grading| judge::start(self.lab, grading));
    }

    /// There is nothing to grade on a playground; it must be there, and go.
    async fn opens(&mut self) {
        let began = self.begin(ProofKind::Start);
        let opened = async {
            let sandbox = self.bench.fresh().await?;
            self.bench.destroy(sandbox).await
        };
        let problems = opened.await.err().map(|why| why.to_string()).into_iter().collect();
        self.push(Proof { kind: ProofKind::Start, problems, grading: None, millis: millis(began) });
    }

    async fn solution(&mut self) {
        let kind = ProofKind::Solution;
        let Some(solution) = &self.lab.solution else {
            return self.skip(kind, "the lab has no solution");
        };
        let began = self.begin(kind.clone());
        let solved: Result<Solved, BenchError> = self.bench.solve(solution.scripts()).await;
        match solved {
            Ok(solved) => {
                let sandbox = solved.sandbox;
                self.end(kind, began, Ok(solved.grading), judge::solution);
                self.repeat(&sandbox).await;
                if let Err(why) = self.bench.destroy(sandbox).await {
                    self.skip(ProofKind::NothingLeft, &why.to_string());
                }
            }
            Err(why) => {
                self.end(kind, began, Err(why), judge::solution);
                self.skip(ProofKind::Repeat, "there was no solved sandbox");
            }
        }
    }

    async fn repeat(&mut self, sandbox: &bench::Sandbox) {
        let began = self.begin(ProofKind::Repeat);
        let before = state::State::take(sandbox.link(), self.lab).await;
        let first = self.bench.grade(sandbox, false).await;
        let second = self.bench.grade(sandbox, false).await;
        let after = state::State::take(sandbox.link(), self.lab).await;
        let problems = judge::repeat(&first, &second).into_iter().chain(state::changes(&before, &after)).collect();
        self.push(Proof { kind: ProofKind::Repeat, problems, grading: Some(second), millis: millis(began) });
    }

    async fn wrong_fix(&mut self, index: usize) {
        let wrong = &self.lab.wrong_fixes[index];
        // Its other scripts may be the solution's, on another machine.
        let is_solution =
            |script: &&Script| self.lab.solution.iter().flat_map(Solution::scripts).any(|of| of.path == script.path);
        let named = wrong.scripts().find(|script| !is_solution(script)).unwrap_or(&wrong.script);
        let kind = ProofKind::WrongFix { script: named.path.clone(), title: wrong.title.clone() };
        let began = self.begin(kind.clone());
        let graded = async {
            let solved = self.bench.solve(wrong.scripts()).await?;
            self.bench.destroy(solved.sandbox).await?;
            Ok(solved.grading)
        };
        let graded = graded.await;
        self.end(kind, began, graded, |grading| judge::wrong_fix(self.lab, wrong, grading));
    }

    async fn nothing_left(&mut self) {
        let began = self.begin(ProofKind::NothingLeft);
        let problems = self.bench.leftovers().await;
        self.push(Proof { kind: ProofKind::NothingLeft, problems, grading: None, millis: millis(began) });
    }

    fn begin(&self, kind: ProofKind) -> Instant {
        (self.events)(ProofEvent::Began(kind));
        Instant::now()
    }

    fn end(
        &mut self,
        kind: ProofKind,
        began: Instant,
        graded: Result<crate::grade::Grading, BenchError>,
        judge: impl FnOnce(&crate::grade::Grading) -> Vec<String>,
    ) {
        let (problems, grading) = match graded {
            Ok(grading) => (judge(&grading), Some(grading)),
            Err(why) => (vec![why.to_string()], None),
        };
        self.push(Proof { kind, problems, grading, millis: millis(began) });
    }

    fn skip(&mut self, kind: ProofKind, why: &str) {
        self.push(Proof { kind, problems: vec![why.to_owned()], grading: None, millis: 0 });
    }

    fn push(&mut self, proof: Proof) {
        (self.events)(ProofEvent::Ended(proof.clone()));
        self.proofs.push(proof);
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
