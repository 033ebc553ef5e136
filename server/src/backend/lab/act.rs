//! What a student does in a lab.

use bulkhead_app::api::{
    ApiError, ApiResult, Caller,
    lab::{CheckScope, HintView, SandboxView, TerminalView},
};
use bulkhead_labs::{
    grade::{Answer, Scope},
    manifest::TaskId,
};

use super::find;
use crate::{
    backend::{Fault, Platform, account_of},
    live::{sandboxes::phase::Phase, terminals::Hub},
    store::{AccountId, Sandbox},
};

pub(in crate::backend) async fn start(platform: &Platform, caller: &Caller, lab: &str) -> ApiResult<SandboxView> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let row = platform.live.sandboxes.start(account, lab).await.map_err(Fault::shown)?;
    view(platform, &row).await
}

pub(in crate::backend) async fn extend(platform: &Platform, caller: &Caller, lab: &str) -> ApiResult<SandboxView> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let row = platform.live.sandboxes.extend(account, lab).await.map_err(Fault::shown)?;
    view(platform, &row).await
}

pub(in crate::backend) async fn reset(platform: &Platform, caller: &Caller, lab: &str) -> ApiResult<SandboxView> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let row = platform.live.sandboxes.reset(account, lab).await.map_err(Fault::shown)?;
    view(platform, &row).await
}

pub(in crate::backend) async fn stop(platform: &Platform, caller: &Caller, lab: &str) -> ApiResult<()> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    platform.live.sandboxes.stop(account, lab.id.as_str()).await.map_err(Fault::shown)
}

pub(in crate::backend) async fn check(
    platform: &Platform,
    caller: &Caller,
    lab: &str,
    scope: CheckScope,
) -> ApiResult<()> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let scope = match scope {
        CheckScope::All => Scope::All,
        CheckScope::Task { id } => Scope::Task(TaskId::parse(&id).map_err(|_| ApiError::NotFound)?),
    };
    platform.live.grader.check(account, lab, scope).await.map_err(Fault::shown)
}

/// Free; a hint that the author keeps back opens after so many graded attempts.
pub(in crate::backend) async fn hint(
    platform: &Platform,
    caller: &Caller,
    lab: &str,
    task: &str,
    index: u8,
) -> ApiResult<HintView> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let hint = lab.task(task).and_then(|task| task.hints.get(usize::from(index))).ok_or(ApiError::NotFound)?;
    let text = platform.live.texts.of(lab.id.as_str()).and_then(|text| text.tasks.get(task));
    let html = text.and_then(|text| text.hints.get(usize::from(index)).cloned()).ok_or(ApiError::NotFound)?;
    if hint.after > 0 {
        let best = platform.store.attempts().best_of(account).await.map_err(Fault::shown)?;
        let attempts = best.get(lab.id.as_str()).map_or(0, |best| best.attempts);
        if attempts < hint.after {
            let left = hint.after - attempts;
            let tries =
                if left == 1 { "one more checked try".to_owned() } else { format!("{left} more checked tries") };
            return Err(ApiError::Conflict {
                message: format!("This hint opens after {tries}. Check your work first."),
            });
        }
    }
    let table = platform.store.lab_state();
    table.reveal_hint(account, lab.id.as_str(), task, index, platform.clock.now()).await.map_err(Fault::shown)?;
    Ok(HintView { index, html: Some(html) })
}

pub(in crate::backend) async fn answer(
    platform: &Platform,
    caller: &Caller,
    lab: &str,
    task: &str,
    check: &str,
    text: String,
) -> ApiResult<()> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let asked = lab.task(task).and_then(|task| task.checks.iter().find(|c| c.id.as_str() == check));
    asked.filter(|check| check.kind.question().is_some()).ok_or(ApiError::NotFound)?;
    let answer = Answer::parse(&text)
        .map_err(|error| ApiError::Invalid { field: "answer".to_owned(), message: error.to_string() })?;
    let row = ready(platform, account, lab.id.as_str()).await?;
    let table = platform.store.lab_state();
    table.put_answer(&row.id, row.generation, check, answer.as_str(), platform.clock.now()).await.map_err(Fault::shown)
}

pub(in crate::backend) async fn open_terminal(
    platform: &Platform,
    caller: &Caller,
    lab: &str,
    machine: &str,
) -> ApiResult<TerminalView> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let machine = lab.machine(machine).filter(|machine| machine.terminal).ok_or(ApiError::NotFound)?;
    let hub = hub(platform, account, lab.id.as_str()).await?;
    hub.open_on(machine).await.map_err(Fault::shown)
}

/// Idempotent.
pub(in crate::backend) async fn close_terminal(
    platform: &Platform,
    caller: &Caller,
    lab: &str,
    terminal: u32,
) -> ApiResult<()> {
    let (account, lab) = (account_of(caller)?, find(platform, lab)?);
    let hub = hub(platform, account, lab.id.as_str()).await?;
    hub.close(terminal).await.map_err(Fault::shown)
}

async fn view(platform: &Platform, row: &Sandbox) -> ApiResult<SandboxView> {
    platform.live.sandboxes.view(row).await.map_err(Fault::shown)
}

async fn ready(platform: &Platform, account: AccountId, lab: &str) -> ApiResult<Sandbox> {
    let row = platform.live.sandboxes.find(account, lab).await.map_err(Fault::shown)?;
    row.filter(|row| row.phase == Phase::Ready)
        .ok_or_else(|| ApiError::Conflict { message: "The sandbox is not ready. Start the lab first.".to_owned() })
}

async fn hub(platform: &Platform, account: AccountId, lab: &str) -> ApiResult<std::sync::Arc<Hub>> {
    let row = ready(platform, account, lab).await?;
    Ok(platform.live.terminals.of(&row.id, None))
}
