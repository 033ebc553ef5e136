//! What is true about this lab now, shared by all islands of the page.
//!
//! The page brings the state along ([`Live`]); from then on the event stream changes it. On the server each island has a
//! feed of its own that nothing changes.

use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        ApiError,
        lab::{CheckView, LabEvent, SandboxState, SandboxView, ScoreView, SolutionView, TaskView, Verdict},
    },
    islands::browser::{self, Heard},
};

/// Warnings that are due whatever the server says, in minutes before the end.
const WARN_AT: [u16; 2] = [10, 2];
/// A clock that differs by less than this is the time the page took to load.
const SKEW_MATTERS: i64 = 30_000;

/// The state that a page starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub lab: String,
    /// The server's clock, milliseconds since the epoch.
    pub now: i64,
    pub sandbox: Option<SandboxView>,
    pub tasks: Vec<TaskState>,
    pub score: Option<ScoreView>,
    pub best: Option<ScoreView>,
    pub attempts: u32,
    pub solution: SolutionView,
    /// Whether there is anything to hear: who is not signed in has no sandbox.
    pub told: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    pub id: String,
    pub title: String,
    pub points: u8,
    pub checks: Vec<CheckView>,
}

impl TaskState {
    pub fn of(task: &TaskView) -> Self {
        Self { id: task.id.clone(), title: task.title.clone(), points: task.points, checks: task.checks.clone() }
    }

    /// `None` until every check has a verdict; then the worst of them.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.checks.iter().map(|check| check.verdict).collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Feed {
    pub(crate) lab: StoredValue<String>,
    pub(crate) sandbox: RwSignal<Option<SandboxView>>,
    pub(crate) tasks: RwSignal<Vec<TaskState>>,
    pub(crate) score: RwSignal<Option<ScoreView>>,
    pub(crate) best: RwSignal<Option<ScoreView>>,
    pub(crate) attempts: RwSignal<u32>,
    pub(crate) solution: RwSignal<SolutionView>,
    pub(crate) grading: RwSignal<bool>,
    /// The event stream is down; what is shown may be old.
    pub(crate) stale: RwSignal<bool>,
    /// The server's clock, ticking.
    pub(crate) now: RwSignal<i64>,
    /// What a screen reader should hear.
    pub(crate) said: RwSignal<String>,
    /// The last thing that was refused.
    pub(crate) problem: RwSignal<Option<ApiError>>,
    /// A request about the sandbox is on its way.
    pub(crate) busy: RwSignal<bool>,
    /// The smallest number of minutes that was warned of.
    warned: StoredValue<u16>,
}

impl Feed {
    /// The page's feed; the first island to ask makes it from the state that it brings.
    pub(crate) fn shared(live: impl FnOnce() -> Live) -> Self {
        #[cfg(feature = "hydrate")]
        {
            use std::cell::OnceCell;
            thread_local! { static FEED: OnceCell<(Owner, Feed)> = const { OnceCell::new() }; }
            FEED.with(|slot| {
                slot.get_or_init(|| {
                    // Its own owner: the signals must outlive the island that happened to come first.
                    let owner = Owner::new_root(None);
                    let feed = owner.with(|| {
                        let live = live();
                        let told = live.told;
                        let feed = Self::new(live);
                        if told {
                            feed.follow();
                        }
                        feed
                    });
                    (owner, feed)
                })
                .1
            })
        }
        #[cfg(not(feature = "hydrate"))]
        {
            Self::new(live())
        }
    }

    fn new(live: Live) -> Self {
        Self {
            lab: StoredValue::new(live.lab),
            sandbox: RwSignal::new(live.sandbox),
            tasks: RwSignal::new(live.tasks),
            score: RwSignal::new(live.score),
            best: RwSignal::new(live.best),
            attempts: RwSignal::new(live.attempts),
            solution: RwSignal::new(live.solution),
            grading: RwSignal::new(false),
            stale: RwSignal::new(false),
            now: RwSignal::new(live.now),
            said: RwSignal::new(String::new()),
            problem: RwSignal::new(None),
            busy: RwSignal::new(false),
            warned: StoredValue::new(u16::MAX),
        }
    }

    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser follows the events"))]
    fn follow(self) {
        let skew =
            Some(self.now.get_untracked() - browser::now()).filter(|skew| skew.abs() > SKEW_MATTERS).unwrap_or(0);
        let tick = move || {
            self.now.set(browser::now() + skew);
            self.warn_by_clock();
        };
        let _ = set_interval_with_handle(tick, std::time::Duration::from_secs(1));
        browser::listen_to_lab(&self.lab.get_value(), move |heard| match heard {
            Heard::Opened => self.stale.set(false),
            Heard::Lost => self.stale.set(true),
            Heard::Event(event) => self.apply(*event),
        });
        browser::ask_before_leaving(move || {
            self.sandbox
                .with_untracked(|s| s.as_ref().is_some_and(|s| s.state == SandboxState::Ready || s.state.is_pending()))
        });
    }

    /// Milliseconds that are left, where a clock runs.
    pub(crate) fn left(self) -> Option<i64> {
        let expires = self.sandbox.with(|s| s.as_ref().filter(|s| !s.state.is_over()).and_then(|s| s.expires_at))?;
        Some((expires - self.now.get()).max(0))
    }

    fn warn_by_clock(self) {
        let Some(left) = untrack(|| self.left()) else { return };
        let minutes = left / 60_000;
        match WARN_AT.iter().rev().find(|at| minutes < i64::from(**at)) {
            Some(at) => self.warn(*at),
            // Extended: the warnings are due again.
            None => self.warned.set_value(u16::MAX),
        }
    }

    fn warn(self, minutes: u16) {
        if minutes < self.warned.get_value() {
            self.warned.set_value(minutes);
            self.said.set(format!(
                "The sandbox ends in {minutes} minutes. You can extend it. Your score is kept either way."
            ));
        }
    }

    /// One event of the stream.
    pub(crate) fn apply(self, event: LabEvent) {
        match event {
            LabEvent::Sandbox { sandbox } => self.show(sandbox),
            LabEvent::Grading { running } => {
                let finished = self.grading.get_untracked() && !running;
                self.grading.set(running);
                if finished {
                    self.said.set(self.summary());
                }
            }
            LabEvent::Check { task, check } => self.judge(&task, check),
            LabEvent::Score { score, best, attempts } => {
                self.score.set(Some(score));
                self.best.set(Some(best));
                self.attempts.set(attempts);
            }
            LabEvent::Solution { solution } => self.solution.set(solution),
            LabEvent::Warning { minutes } => self.warn(minutes),
        }
    }

    /// The sandbox as the server answered or told.
    pub(crate) fn show(self, sandbox: Option<SandboxView>) {
        let state = |s: &Option<SandboxView>| s.as_ref().map(|s| s.state);
        let (before, after) = (self.sandbox.with_untracked(state), state(&sandbox));
        if before != after {
            match after {
                Some(SandboxState::Ready) => self.said.set("The sandbox is ready.".into()),
                Some(SandboxState::Failed) => self.said.set("The sandbox could not be started.".into()),
                Some(SandboxState::Expired) => self.said.set("The time is up; the sandbox was stopped.".into()),
                _ => {}
            }
        }
        if self.sandbox.with_untracked(|now| *now != sandbox) {
            self.sandbox.set(sandbox);
        }
    }

    fn judge(self, task: &str, check: CheckView) {
        let known = self.tasks.with_untracked(|tasks| {
            tasks.iter().find(|t| t.id == task).and_then(|t| t.checks.iter().find(|c| c.id == check.id)).cloned()
        });
        if known.as_ref() == Some(&check) {
            return;
        }
        if check.verdict.is_some() && known.is_none_or(|k| k.verdict != check.verdict) {
            let word = crate::ui::verdict::Mark::of(check.verdict, false).word();
            self.said.set(format!("{}: {word}.", check.title));
        }
        self.tasks.update(|tasks| {
            let Some(task) = tasks.iter_mut().find(|t| t.id == task) else { return };
            match task.checks.iter_mut().find(|c| c.id == check.id) {
                Some(slot) => *slot = check,
                None => task.checks.push(check),
            }
        });
    }

    /// Tasks that pass, and all of them.
    pub(crate) fn done(self) -> (usize, usize) {
        self.tasks.with(|tasks| (tasks.iter().filter(|t| t.verdict() == Some(Verdict::Pass)).count(), tasks.len()))
    }

    fn summary(self) -> String {
        let (done, total) = untrack(|| self.done());
        match self.score.get_untracked() {
            Some(score) => format!("Graded: {done} of {total} tasks pass. Score {} of 100.", score.score),
            None => format!("Checked: {done} of {total} tasks pass."),
        }
    }

    /// Asks the server, shows what it refused, and hands on what it answered.
    pub(crate) fn ask<T: 'static>(
        self,
        question: impl Future<Output = Result<T, ApiError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        self.busy.set(true);
        spawn_local(async move {
            match question.await {
                Ok(answer) => {
                    self.problem.set(None);
                    then(answer);
                }
                Err(error) => self.problem.set(Some(error)),
            }
            self.busy.set(false);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdict: Option<Verdict>) -> CheckView {
        CheckView {
            id: "c".into(),
            title: "Root file system".into(),
            verdict,
            running: false,
            expected: String::new(),
            observed: String::new(),
            why: String::new(),
            references: vec![],
            lesson: None,
            stale: false,
            tampered: vec![],
        }
    }

    fn feed() -> Feed {
        Feed::new(Live {
            lab: "x".into(),
            now: 0,
            sandbox: None,
            tasks: vec![TaskState { id: "t".into(), title: "T".into(), points: 20, checks: vec![check(None)] }],
            score: None,
            best: None,
            attempts: 0,
            solution: SolutionView::Locked { tries_left: 3 },
            told: true,
        })
    }

    #[test]
    fn a_verdict_is_announced_once() {
        Owner::new().with(|| {
            let feed = feed();
            let event = LabEvent::Check { task: "t".into(), check: check(Some(Verdict::Fail)) };
            feed.apply(event.clone());
            assert_eq!(feed.said.get_untracked(), "Root file system: Fail.");
            feed.said.set(String::new());
            feed.apply(event);
            assert_eq!(feed.said.get_untracked(), "", "the same verdict again");
            assert_eq!(feed.done(), (0, 1));
            feed.apply(LabEvent::Check { task: "t".into(), check: check(Some(Verdict::Pass)) });
            assert_eq!(feed.done(), (1, 1));
        });
    }

    #[test]
    fn could_not_check_is_no_pass() {
        Owner::new().with(|| {
            let feed = feed();
            feed.apply(LabEvent::Check { task: "t".into(), check: check(Some(Verdict::Unknown)) });
            assert_eq!(feed.done(), (0, 1));
            assert!(feed.said.get_untracked().contains("Could not check"));
        });
    }

    #[test]
    fn warnings_come_once_each_and_again_after_an_extension() {
        Owner::new().with(|| {
            let feed = feed();
            let view = |minutes: i64| SandboxView {
                id: "s".into(),
                lab: "x".into(),
                state: SandboxState::Ready,
                steps: vec![],
                expires_at: Some(minutes * 60_000),
                extend_minutes: 15,
                terminals: vec![],
                error: None,
            };
            let heard = |minutes| {
                feed.said.set(String::new());
                feed.sandbox.set(Some(view(minutes)));
                feed.warn_by_clock();
                feed.said.get_untracked()
            };
            assert_eq!(heard(30), "");
            assert!(heard(9).contains("10 minutes"));
            assert_eq!(heard(8), "");
            assert!(heard(1).contains("2 minutes"));
            assert_eq!(heard(16), "");
            assert!(heard(9).contains("10 minutes"));
        });
    }
}
