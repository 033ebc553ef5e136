//! The whole present state of a lab for one student, as pages and event streams show it.

use bulkhead_app::api::lab::{CheckView, LabEvent, SandboxView, ScoreView, SolutionView};
use bulkhead_labs::manifest::Lab;

use super::{Live, grading::best_view};
use crate::store::{AccountId, Sandbox, Store, StoreResult};

pub struct LabState {
    pub row: Option<Sandbox>,
    pub sandbox: Option<SandboxView>,
    pub grading: bool,
    /// Every check with its task, in the manifest's order.
    pub checks: Vec<(String, CheckView)>,
    /// The latest attempt and the best.
    pub score: Option<(ScoreView, ScoreView)>,
    pub attempts: u32,
    pub solution: SolutionView,
}

impl Live {
    pub async fn state(&self, store: &Store, account: AccountId, lab: &Lab) -> StoreResult<LabState> {
        let row = self.sandboxes.find(account, lab.id.as_str()).await?;
        let sandbox = match &row {
            Some(row) => Some(self.sandboxes.view(row).await?),
            None => None,
        };
        let best = store.attempts().best_of(account).await?.remove(lab.id.as_str());
        let latest = self.latest(store, account, lab).await?;
        Ok(LabState {
            checks: self.checks(store, row.as_ref(), lab).await?,
            grading: row.as_ref().is_some_and(|row| self.grader.progress(&row.id).is_some()),
            sandbox,
            row,
            score: latest.zip(best.as_ref().map(best_view)),
            attempts: best.as_ref().map_or(0, |best| best.attempts),
            solution: self.texts.solution(lab, best.as_ref()),
        })
    }

    async fn checks(&self, store: &Store, row: Option<&Sandbox>, lab: &Lab) -> StoreResult<Vec<(String, CheckView)>> {
        let (verdicts, running) = match row {
            Some(row) => {
                let verdicts = store.lab_state().verdicts(&row.id, row.generation).await?;
                (verdicts, self.grader.progress(&row.id).unwrap_or_default())
            }
            None => Default::default(),
        };
        let Some(text) = self.texts.of(lab.id.as_str()) else { return Ok(Vec::new()) };
        let view = |id: &str| {
            let stale = row.is_some_and(|row| self.grader.is_stale(row, id));
            text.check(id, verdicts.get(id), running.contains(id)).map(|view| CheckView { stale, ..view })
        };
        Ok(lab.checks().filter_map(|(task, check)| Some((task.id.to_string(), view(check.id.as_str())?))).collect())
    }

    async fn latest(&self, store: &Store, account: AccountId, lab: &Lab) -> StoreResult<Option<ScoreView>> {
        let done = store.attempts().done(account, lab.id.as_str()).await?;
        Ok(done.into_iter().next().map(|(id, outcome)| ScoreView {
            attempt: id.get(),
            score: outcome.score,
            passed: outcome.passed,
            gated: outcome.gated,
            at: outcome.finished_at.rfc3339(),
        }))
    }
}

impl LabState {
    /// As the first events of a stream.
    pub fn into_events(self) -> Vec<LabEvent> {
        let mut events = vec![LabEvent::Sandbox { sandbox: self.sandbox }, LabEvent::Grading { running: self.grading }];
        events.extend(self.checks.into_iter().map(|(task, check)| LabEvent::Check { task, check }));
        if let Some((score, best)) = self.score {
            events.push(LabEvent::Score { score, best, attempts: self.attempts });
        }
        events.push(LabEvent::Solution { solution: self.solution });
        events
    }
}
