//! The rounds of a grading.

use std::{
    collections::{BTreeSet, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use bulkhead_agent::look::Look;
use serde::Serialize;
use tokio::time::Instant;

use super::{
    Case, CheckResult, Context, Eyes, Finding, Grading, Halt, Memory, Observer, Outcome, Scope, Score, Verdict, Wanted,
    clean, programs, score,
};
use crate::manifest::{Check, CheckId, Lab, Task};

/// An answer must fit one frame, and text may double as JSON.
const BATCH_BYTES: usize = 512 * 1024;
/// However a lab is written; a probe of many steps with retries takes most.
const MAX_ROUNDS: u32 = 200;
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// Over what the looks of a batch may take one after the other.
const OBSERVE_MARGIN: Duration = Duration::from_secs(10);

/// What happens while a lab is graded, as it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum GradeEvent {
    /// The check is being looked at.
    Started { task: String, check: String },
    /// Its verdict. In a regrade a check gets one from each grading; the last one counts.
    Judged(CheckResult),
    /// The engine restarts; what passed is graded again.
    Restarting,
}

/// Grades a lab (or one task) by what is true in the sandbox now. Never fails: what could not be seen is `unknown`.
pub async fn grade_lab(
    lab: &Lab,
    observer: &dyn Observer,
    context: &Context,
    events: &(dyn Fn(GradeEvent) + Send + Sync),
) -> Grading {
    let start = Instant::now();
    let mut run = Run::new(lab, context, events);
    let mut round_trips = 0;
    let stopped = run.rounds(observer, start, &mut round_trips).await;
    run.give_up(&stopped.err().unwrap_or_else(|| "it was never its turn".to_owned()));
    let results: Vec<CheckResult> = run.checks.into_iter().filter_map(|open| open.result).collect();
    let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    assemble(lab, &context.scope, results, round_trips, millis)
}

/// Scores results; for one task, that task alone.
pub(super) fn assemble(lab: &Lab, scope: &Scope, results: Vec<CheckResult>, round_trips: u32, millis: u64) -> Grading {
    let results: Vec<CheckResult> = match scope {
        Scope::All | Scope::Checks(_) => results,
        Scope::Task(task) => results.into_iter().filter(|r| r.task == task.as_str()).collect(),
    };
    let Score { score, certain, gated } = score(lab, &results);
    let passed = *scope == Scope::All && !results.is_empty() && certain >= lab.pass;
    Grading { results, score, certain, passed, gated, restart_error: None, round_trips, millis }
}

/// A check that is being graded, until it has its result.
struct Open {
    task: String,
    check: Check,
    /// When it was its turn.
    started: Option<Instant>,
    result: Option<CheckResult>,
}

struct Run<'a> {
    lab: &'a Lab,
    checks: Vec<Open>,
    /// Looks at the machines' programs, until they are taken with the first others.
    programs: Vec<Wanted>,
    context: &'a Context,
    events: &'a (dyn Fn(GradeEvent) + Send + Sync),
    memory: Arc<Memory>,
}

/// What a round of judging asks for.
#[derive(Default)]
struct Asked {
    wanted: Vec<Wanted>,
    pause: bool,
}

impl<'a> Run<'a> {
    fn new(lab: &'a Lab, context: &'a Context, events: &'a (dyn Fn(GradeEvent) + Send + Sync)) -> Self {
        let chosen = chosen(lab, &context.scope);
        let open = |(task, check): (&Task, &Check)| Open {
            task: task.id.to_string(),
            check: check.clone(),
            started: None,
            result: None,
        };
        let checks = lab.checks().filter(|(_, check)| chosen.contains(&check.id)).map(open).collect();
        Self { lab, checks, programs: programs::wanted(lab), context, events, memory: Arc::default() }
    }

    /// Judges and looks in turns until every check has its result. `Err`: why it ended early.
    async fn rounds(&mut self, observer: &dyn Observer, start: Instant, round_trips: &mut u32) -> Result<(), String> {
        for _ in 0..MAX_ROUNDS {
            let patient = start.elapsed() < self.context.patience;
            let asked = self.judge(patient).await?;
            if asked.wanted.is_empty() {
                return Ok(());
            }
            if asked.pause {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            let wanted = std::mem::take(&mut self.programs).into_iter().chain(asked.wanted).collect();
            for batch in batches(wanted) {
                let limit = self.context.limit;
                let late = || format!("the grading took longer than {} s", limit.as_secs());
                let left = limit.checked_sub(start.elapsed()).ok_or_else(late)?;
                *round_trips += 1;
                self.look(observer, batch, left).await?;
            }
        }
        Err(format!("the grading took more than {MAX_ROUNDS} rounds"))
    }

    /// Runs the judgements that may run, and again while one's verdict lets another start.
    async fn judge(&mut self, patient: bool) -> Result<Asked, String> {
        loop {
            let judged = self.judge_once(patient).await?;
            let settled = judged.iter().any(|(_, outcome, ..)| *outcome != Err(Halt::NotYet));
            let mut asked = Asked::default();
            let mut seen = HashSet::new();
            for (index, outcome, wanted, pause) in judged {
                if outcome == Err(Halt::NotYet) {
                    asked.wanted.extend(wanted.into_iter().filter(|w| seen.insert(w.key.clone())));
                    asked.pause |= pause;
                } else {
                    self.settle(index, outcome);
                }
            }
            if !settled {
                return Ok(asked);
            }
        }
    }

    /// On a thread of its own: a filter may take its time.
    async fn judge_once(&mut self, patient: bool) -> Result<Vec<(usize, Outcome, Vec<Wanted>, bool)>, String> {
        let mut jobs = Vec::new();
        for index in self.ready() {
            let open = &mut self.checks[index];
            if open.started.is_none() {
                (self.events)(GradeEvent::Started { task: open.task.clone(), check: open.check.id.to_string() });
            }
            let started = *open.started.get_or_insert_with(Instant::now);
            let answer = self.context.answers.get(&open.check.id).cloned();
            let hurried = self.context.patience.is_zero() || self.context.hurried.contains(&open.check.id);
            let waits = !hurried && started.elapsed() < open.check.within;
            let kind = Arc::clone(&open.check.kind);
            jobs.push((index, open.check.id.clone(), kind, answer, patient && !hurried, waits));
        }
        let (memory, variables, nonce) =
            (Arc::clone(&self.memory), self.context.variables.clone(), self.context.nonce.clone());
        let judge = move || {
            let judged = jobs.into_iter().map(|(index, check, kind, answer, patient, waits)| {
                let case = Case {
                    check: &check,
                    variables: &variables,
                    nonce: &nonce,
                    answer: answer.as_ref(),
                    patient,
                    waits,
                };
                let mut eyes = Eyes::new(&memory, &case);
                // One kind's bug must not take the other verdicts with it.
                let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| eyes.judge(|eyes| kind.judge(eyes))))
                    .unwrap_or_else(|_| {
                        Err(Halt::unknown("the platform's judgement of this check broke off; this is our fault"))
                    });
                let (wanted, pause) = eyes.into_wanted();
                (index, outcome, wanted, pause)
            });
            judged.collect()
        };
        tokio::task::spawn_blocking(judge).await.map_err(|why| format!("the judging broke off: {why}"))
    }

    /// Open checks whose predecessors are all settled (or not part of this grading).
    fn ready(&self) -> Vec<usize> {
        let open: HashSet<&CheckId> = self.checks.iter().filter(|o| o.result.is_none()).map(|o| &o.check.id).collect();
        let waits = |open_check: &Open| open_check.check.after.iter().any(|id| open.contains(id));
        (0..self.checks.len()).filter(|i| self.checks[*i].result.is_none() && !waits(&self.checks[*i])).collect()
    }

    /// `left`: of the grading's time. A sandbox that stalls each of its looks holds a place that others wait for.
    async fn look(&mut self, observer: &dyn Observer, batch: Vec<Wanted>, left: Duration) -> Result<(), String> {
        let (keys, looks): (Vec<_>, Vec<Look>) = batch.into_iter().map(|wanted| (wanted.key, wanted.look)).unzip();
        let limit = looks.iter().map(Look::time).sum::<Duration>().min(left) + OBSERVE_MARGIN;
        let seen = tokio::time::timeout(limit, observer.observe(looks))
            .await
            .map_err(|_| format!("the sandbox's agent took longer than {} s", limit.as_secs()))?
            .map_err(|why| why.to_string())?;
        if seen.len() != keys.len() {
            return Err(format!("the sandbox's agent answered {} of {} looks", seen.len(), keys.len()));
        }
        let memory = Arc::get_mut(&mut self.memory).ok_or("the judging of the round before has not ended")?;
        for (key, seen) in keys.into_iter().zip(seen) {
            memory.insert(key, seen);
        }
        Ok(())
    }

    fn settle(&mut self, index: usize, outcome: Outcome) {
        let changed = programs::changed(self.lab, &self.memory);
        let open = &mut self.checks[index];
        let machines: BTreeSet<_> = open.check.kind.machines().into_iter().collect();
        let tampered = machines.into_iter().filter_map(|machine| changed.get(machine)).flatten().cloned().collect();
        let result = CheckResult { tampered, ..result(&open.task, &open.check, outcome, self.context) };
        (self.events)(GradeEvent::Judged(result.clone()));
        open.result = Some(result);
    }

    /// What has no verdict yet could not be looked at.
    fn give_up(&mut self, why: &str) {
        let open: Vec<usize> = (0..self.checks.len()).filter(|i| self.checks[*i].result.is_none()).collect();
        for index in open {
            self.settle(index, Err(Halt::unknown(why)));
        }
    }
}

/// The checks of the scope, with those that they come after.
fn chosen(lab: &Lab, scope: &Scope) -> HashSet<CheckId> {
    let mut chosen: HashSet<CheckId> = HashSet::new();
    let in_scope = |task: &Task| match scope {
        Scope::All => true,
        Scope::Task(id) => task.id == *id,
        Scope::Checks(_) => false,
    };
    if let Scope::Checks(checks) = scope {
        return checks.iter().cloned().collect();
    }
    let mut open: Vec<&CheckId> = lab.checks().filter(|(task, _)| in_scope(task)).map(|(_, check)| &check.id).collect();
    while let Some(id) = open.pop() {
        if chosen.insert(id.clone())
            && let Some((_, check)) = lab.check(id.as_str())
        {
            open.extend(&check.after);
        }
    }
    chosen
}

/// Splits looks so that each batch's answer fits one frame, in the order asked.
fn batches(wanted: Vec<Wanted>) -> Vec<Vec<Wanted>> {
    let mut batches: Vec<Vec<Wanted>> = Vec::new();
    let mut room = 0;
    for wanted in wanted {
        let cost = cost(&wanted.look);
        match batches.last_mut() {
            Some(batch) if cost <= room => batch.push(wanted),
            _ => {
                room = BATCH_BYTES;
                batches.push(vec![wanted]);
            }
        }
        room = room.saturating_sub(cost);
    }
    batches
}

/// Most bytes of a look's answer, about.
fn cost(look: &Look) -> usize {
    let overhead = 1024;
    overhead
        + match look {
            // An engine's answer is seldom near its limit; were it, the agent would refuse and the check be unknown.
            Look::Engine { limit, .. } | Look::Http { limit, .. } | Look::File { limit, .. } => *limit as usize / 4,
            Look::Tree { limit, .. } => *limit as usize * 200,
            Look::Events { limit, .. }
            | Look::Logs { limit, .. }
            | Look::Tail { limit, .. }
            | Look::Layered { limit, .. } => *limit as usize / 2,
            Look::Exec(exec) => exec.limit as usize / 2,
            Look::Visit { .. } | Look::Processes { .. } | Look::Firewall { .. } | Look::Scan { .. } => 128 * 1024,
            Look::Process { .. } | Look::Sockets { .. } | Look::Search { .. } | Look::Tampered { .. } => 16 * 1024,
            Look::Cgroup { .. } | Look::Addresses { .. } | Look::Sysctl { .. } | Look::Load { .. } => 8 * 1024,
            Look::Create { .. } | Look::Execute { .. } | Look::Connect { .. } | Look::Wait { .. } => 2 * 1024,
        }
}

fn result(task: &str, check: &Check, outcome: Outcome, context: &Context) -> CheckResult {
    let (verdict, observed, reason, breach) = match outcome {
        Ok(Finding { holds: true, observed, why, .. }) => (Verdict::Pass, observed, why.unwrap_or_default(), false),
        Ok(finding) | Err(Halt::Fails(finding)) => {
            let unanswered = check.kind.question().is_some() && !context.answers.contains_key(&check.id);
            let reason = match finding.why {
                _ if unanswered => "Nothing has been answered yet.".to_owned(),
                Some(why) => format!("{} {why}", check.fail),
                None => check.fail.clone(),
            };
            (Verdict::Fail, finding.observed, reason, finding.breach)
        }
        Err(Halt::Unknown(why)) => (Verdict::Unknown, String::new(), why, false),
        Err(Halt::NotYet) => (Verdict::Unknown, String::new(), "it was not looked at".to_owned(), false),
    };
    let within = match check.within {
        Duration::ZERO => String::new(),
        within => format!(", within {} s", within.as_secs_f32()),
    };
    let expected = check.expected.clone().unwrap_or_else(|| format!("{}{within}", check.kind.expected()));
    let secrets: Vec<String> =
        context.variables.secrets().iter().cloned().chain([context.nonce.as_str().to_owned()]).collect();
    let show = |text: &str| clean::clean(&clean::redact(text, &secrets));
    CheckResult {
        task: task.to_owned(),
        check: check.id.to_string(),
        verdict,
        expected: show(&expected),
        observed: show(&observed),
        reason: show(&reason),
        breach,
        tampered: Vec::new(),
    }
}
