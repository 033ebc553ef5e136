//! One grading: looks through the agent, tells each verdict, stores the outcome once.

use std::{collections::BTreeMap, time::Duration};

use bulkhead_app::api::lab::{LabEvent, ScoreView};
use bulkhead_labs::{
    grade::{Answer, CheckResult, Context, GradeEvent, Grading, Nonce, Scope, grade_with_restart},
    manifest::{CheckId, Lab},
};

use super::{Grader, LONGEST, sandbox::Watched};
use crate::{
    live::{crash, sandboxes::phase::Phase},
    store::{AttemptId, Best, Claim, NewAttempt, Sandbox, StoreError, StoreResult},
};

impl Grader {
    pub(super) async fn grade(&self, sandbox: &Sandbox, scope: &Scope) {
        let Some(lab) = self.catalog.lab(&sandbox.lab) else { return };
        let done = match (self.still_there(sandbox).await, scope) {
            // It ended while this waited for its turn.
            (Ok(false), _) => Ok(()),
            (Ok(true), Scope::All) => self.grade_attempt(sandbox, lab).await,
            (Ok(true), Scope::Task(_) | Scope::Checks(_)) => self.grade_task(sandbox, lab, scope).await,
            (Err(error), _) => Err(error),
        };
        if let Err(error) = done {
            tracing::error!(sandbox = %sandbox.id, error = &error as &dyn std::error::Error, "a grading was not stored");
        }
    }

    async fn grade_attempt(&self, sandbox: &Sandbox, lab: &Lab) -> StoreResult<()> {
        let claim = self.claim();
        let new = NewAttempt {
            account: sandbox.account,
            lab: &sandbox.lab,
            sandbox: &sandbox.id,
            generation: sandbox.generation,
            claim: &claim,
            at: self.clock.now(),
        };
        match self.store.attempts().begin(&new).await {
            Ok(id) => self.finish_attempt(sandbox, lab, id, &claim).await,
            // Another server grades this sandbox right now: that attempt is this one.
            Err(StoreError::Taken { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Grades under `claim`, from wherever the attempt was left.
    pub(super) async fn finish_attempt(
        &self,
        sandbox: &Sandbox,
        lab: &Lab,
        id: AttemptId,
        claim: &Claim,
    ) -> StoreResult<()> {
        crash::point("grading");
        let grading = self.look(sandbox, lab, &Scope::All).await?;
        let table = self.store.attempts();
        if !self.still_there(sandbox).await? {
            let reason = "the sandbox ended while it was graded";
            table.abandon(id, &claim.token, reason, self.clock.now()).await?;
            return Ok(());
        }
        crash::point("graded");
        let Some(best) = table.finish(id, &claim.token, &grading, self.clock.now()).await? else { return Ok(()) };
        crash::point("finished");
        let Grading { score, millis, round_trips, .. } = grading;
        tracing::info!(sandbox = %sandbox.id, attempt = %id, score, millis, round_trips, "graded");
        self.tell_score(sandbox, lab, id, &grading, &best);
        Ok(())
    }

    async fn grade_task(&self, sandbox: &Sandbox, lab: &Lab, scope: &Scope) -> StoreResult<()> {
        let grading = self.look(sandbox, lab, scope).await?;
        let stored = self
            .store
            .lab_state()
            .put_verdicts(&sandbox.id, sandbox.generation, &grading.results, self.clock.now())
            .await;
        match stored {
            // The row went with its account.
            Err(StoreError::Orphan) => Ok(()),
            other => other,
        }
    }

    async fn look(&self, sandbox: &Sandbox, lab: &Lab, scope: &Scope) -> StoreResult<Grading> {
        let before = self.store.lab_state().verdicts(&sandbox.id, sandbox.generation).await?;
        self.observe(sandbox, lab, scope, &|event| self.tell_check(sandbox, &before, event)).await
    }

    /// Looks and judges.
    pub(super) async fn observe(
        &self,
        sandbox: &Sandbox,
        lab: &Lab,
        scope: &Scope,
        tell: &(dyn Fn(GradeEvent) + Send + Sync),
    ) -> StoreResult<Grading> {
        let state = self.store.lab_state();
        let answers: BTreeMap<CheckId, Answer> = state
            .answers(&sandbox.id, sandbox.generation)
            .await?
            .into_iter()
            .filter_map(|(check, text)| Some((CheckId::parse(&check).ok()?, Answer::parse(&text).ok()?)))
            .collect();
        let variables = self.key.variables(sandbox.account, lab, sandbox.generation);
        let mut context = Context::new(variables, answers, Nonce::new(self.random.bytes()));
        context.scope = scope.clone();
        if matches!(scope, Scope::Checks(_)) {
            // What is looked at because something happened is looked at again when something else does.
            context.patience = Duration::ZERO;
        }
        let seen = Watched::new(self.terminals.of(&sandbox.id, None));
        Ok(grade_with_restart(lab, &seen, &seen, &context, tell).await)
    }

    fn tell_check(&self, sandbox: &Sandbox, before: &BTreeMap<String, CheckResult>, event: GradeEvent) {
        let (task, check, result, running) = match &event {
            GradeEvent::Started { task, check } => (task, check, before.get(check), true),
            GradeEvent::Judged(result) => (&result.task, &result.check, Some(result), false),
            GradeEvent::Restarting => return,
        };
        if !running {
            self.freshen(sandbox, check);
        }
        if let Some(now) = self.running().get_mut(&sandbox.id) {
            if running {
                now.checks.insert(check.clone());
            } else {
                now.checks.remove(check);
            }
        }
        if let Some(view) = self.texts.of(&sandbox.lab).and_then(|text| text.check(check, result, running)) {
            let event = LabEvent::Check { task: task.clone(), check: view };
            self.events.publish(sandbox.account, &sandbox.lab, event);
        }
    }

    fn tell_score(&self, sandbox: &Sandbox, lab: &Lab, id: AttemptId, grading: &Grading, best: &Best) {
        let score = ScoreView {
            attempt: id.get(),
            score: grading.score,
            passed: grading.passed,
            gated: grading.gated,
            at: self.clock.now().rfc3339(),
        };
        let event = LabEvent::Score { score, best: best_view(best), attempts: best.attempts };
        self.events.publish(sandbox.account, &sandbox.lab, event);
        let solution = self.texts.solution(lab, Some(best));
        self.events.publish(sandbox.account, &sandbox.lab, LabEvent::Solution { solution });
    }

    /// The sandbox that was looked at is still the one that the student has.
    pub(super) async fn still_there(&self, sandbox: &Sandbox) -> StoreResult<bool> {
        let row = self.store.sandboxes().by_id(&sandbox.id).await?;
        Ok(row.is_some_and(|row| row.phase == Phase::Ready && row.generation == sandbox.generation))
    }

    pub(super) fn claim(&self) -> Claim {
        Claim { token: self.random.hex::<16>(), owner: self.me.clone(), deadline: self.clock.now().plus(LONGEST) }
    }
}

pub(crate) fn best_view(best: &Best) -> ScoreView {
    ScoreView {
        attempt: best.attempt.get(),
        score: best.score,
        passed: best.passed,
        gated: best.gated,
        at: best.at.rfc3339(),
    }
}
