//! The list of labs, and a lab's page.

use std::collections::{BTreeMap, BTreeSet};

use bulkhead_app::api::{
    ApiResult, Caller,
    course::LabLink,
    lab::{AnswerView, CheckView, HintView, LabCard, LabPage, MachineView, SolutionView, TaskView},
};
use bulkhead_labs::manifest::{Catalog, Lab, Task};

use super::find;
use crate::{
    backend::{Fault, Platform},
    live::{state::LabState, text::LabText},
    store::{AccountId, Sandbox},
};

/// Isolation tier, as `bulkhead doctor` names it. There is one so far.
pub(super) const TIER: &str = "userns";

/// How a lesson or module links to a lab; `None` where the course names a lab that is not installed.
pub(in crate::backend) fn link(catalog: &Catalog, id: &str, best_score: Option<u8>) -> Option<LabLink> {
    catalog.lab(id).map(|lab| LabLink {
        id: lab.id.to_string(),
        title: lab.title.clone(),
        href: format!("/labs/{}", lab.id),
        minutes: lab.minutes,
        best_score,
    })
}

pub(in crate::backend) async fn labs(platform: &Platform, caller: &Caller) -> ApiResult<Vec<LabCard>> {
    let account = caller.account.as_ref().map(|account| AccountId::new(account.id));
    let (best, open) = match account {
        Some(account) => {
            let best = platform.store.attempts().best_of(account).await.map_err(Fault::shown)?;
            let open = platform.store.sandboxes().open_labs().await.map_err(Fault::shown)?;
            let open: BTreeSet<String> =
                open.into_iter().filter(|(owner, _)| *owner == account).map(|(_, lab)| lab).collect();
            (best, open)
        }
        None => Default::default(),
    };
    let card = |lab: &Lab| LabCard {
        id: lab.id.to_string(),
        title: lab.title.clone(),
        summary: lab.summary.clone(),
        module: lab.module,
        difficulty: lab.difficulty.as_str().to_owned(),
        minutes: lab.minutes,
        graded: !lab.playground,
        best_score: best.get(lab.id.as_str()).map(|best| best.score),
        passed: best.get(lab.id.as_str()).is_some_and(|best| best.passed),
        open: open.contains(lab.id.as_str()),
        unmet: platform.live.sandboxes.unmet(lab),
    };
    Ok(platform.live.catalog.labs().iter().map(card).collect())
}

/// A stranger sees what the lab is about, and nothing of anybody's work.
pub(in crate::backend) async fn lab(platform: &Platform, caller: &Caller, id: &str) -> ApiResult<LabPage> {
    let lab = find(platform, id)?;
    let Some(text) = platform.live.texts.of(id) else { return Err(bulkhead_app::api::ApiError::NotFound) };
    let mine = match &caller.account {
        Some(account) => Some(Mine::read(platform, AccountId::new(account.id), lab).await?),
        None => None,
    };
    let mut page = bare(platform, lab, text);
    if let Some(mine) = mine {
        mine.fill(&mut page, lab, text);
    }
    Ok(page)
}

/// What an account has of a lab.
struct Mine {
    state: LabState,
    hints: BTreeSet<(String, u8)>,
    answers: BTreeMap<String, String>,
}

impl Mine {
    async fn read(platform: &Platform, account: AccountId, lab: &Lab) -> ApiResult<Self> {
        let state = platform.live.state(&platform.store, account, lab).await.map_err(Fault::shown)?;
        let table = platform.store.lab_state();
        let hints = table.hints(account, lab.id.as_str()).await.map_err(Fault::shown)?;
        let answers = match &state.row {
            Some(Sandbox { id, generation, .. }) => table.answers(id, *generation).await.map_err(Fault::shown)?,
            None => BTreeMap::new(),
        };
        Ok(Self { state, hints, answers })
    }

    fn fill(self, page: &mut LabPage, lab: &Lab, text: &LabText) {
        let Self { state, hints, mut answers } = self;
        let mut checks: BTreeMap<String, CheckView> =
            state.checks.into_iter().map(|(_, check)| (check.id.clone(), check)).collect();
        for (view, task) in page.tasks.iter_mut().zip(&lab.tasks) {
            for check in &mut view.checks {
                if let Some(now) = checks.remove(&check.id) {
                    *check = now;
                }
            }
            if let Some(answer) = &mut view.answer {
                answer.submitted = answers.remove(&answer.check);
            }
            let texts = text.tasks.get(task.id.as_str());
            for hint in &mut view.hints {
                if hints.contains(&(task.id.to_string(), hint.index)) {
                    hint.html = texts.and_then(|text| text.hints.get(usize::from(hint.index)).cloned());
                }
            }
        }
        page.sandbox = state.sandbox;
        (page.score, page.best) = state.score.unzip();
        page.attempts = state.attempts;
        page.solution = state.solution;
    }
}

fn bare(platform: &Platform, lab: &Lab, text: &LabText) -> LabPage {
    LabPage {
        id: lab.id.to_string(),
        title: lab.title.clone(),
        module: lab.module,
        module_title: text.module_title.clone(),
        difficulty: lab.difficulty.as_str().to_owned(),
        minutes: lab.minutes,
        objectives: lab.objectives.clone(),
        story_html: text.story.clone(),
        machines: lab
            .machines
            .iter()
            .map(|machine| MachineView {
                name: machine.name.to_string(),
                summary: machine.summary.clone(),
                terminal: machine.terminal,
            })
            .collect(),
        tier: TIER.to_owned(),
        limit_minutes: u16::try_from(lab.time.limit.as_secs() / 60).unwrap_or(u16::MAX),
        pass: lab.pass,
        tasks: lab.tasks.iter().map(|task| task_view(task, text)).collect(),
        sandbox: None,
        score: None,
        best: None,
        attempts: 0,
        solution: match platform.live.texts.solution(lab, None) {
            locked @ SolutionView::Locked { .. } => locked,
            SolutionView::Open { .. } => SolutionView::Locked { tries_left: 0 },
        },
        lessons: text.lessons.clone(),
        unmet: platform.live.sandboxes.unmet(lab),
    }
}

fn task_view(task: &Task, text: &LabText) -> TaskView {
    let answer = task.checks.iter().find_map(|check| {
        let label = check.kind.question()?.to_owned();
        Some(AnswerView { check: check.id.to_string(), label, submitted: None })
    });
    TaskView {
        id: task.id.to_string(),
        title: task.title.clone(),
        body_html: text.tasks.get(task.id.as_str()).map(|text| text.body.clone()).unwrap_or_default(),
        points: task.points,
        hints: (0..task.hints.len())
            .filter_map(|index| Some(HintView { index: u8::try_from(index).ok()?, html: None }))
            .collect(),
        checks: task.checks.iter().filter_map(|check| text.check(check.id.as_str(), None, false)).collect(),
        answer,
    }
}
