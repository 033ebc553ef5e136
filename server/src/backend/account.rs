//! The caller's own account.

use bulkhead_app::api::{ApiError, ApiResult, Caller, account::SessionView};

use super::{Fault, Platform, account_of};

pub(super) async fn rename(platform: &Platform, caller: &Caller, name: &str) -> ApiResult<()> {
    platform.accounts.rename(account_of(caller)?, name).await.map_err(Fault::shown)
}

/// Ends every session but the one that asks.
pub(super) async fn change_password(platform: &Platform, caller: &Caller, old: &str, new: &str) -> ApiResult<()> {
    let keep = caller.session.as_deref();
    platform.accounts.change_password(account_of(caller)?, old, new, keep).await.map_err(Fault::shown)
}

pub(super) async fn sessions(platform: &Platform, caller: &Caller) -> ApiResult<Vec<SessionView>> {
    let rows = platform.accounts.sessions(account_of(caller)?).await.map_err(Fault::shown)?;
    let view = |row: crate::store::SessionRow| SessionView {
        current: caller.session.as_deref() == Some(row.handle.as_str()),
        handle: row.handle,
        user_agent: row.user_agent,
        last_seen: row.last_seen_at.rfc3339(),
    };
    Ok(rows.into_iter().map(view).collect())
}

pub(super) async fn end_session(platform: &Platform, caller: &Caller, handle: &str) -> ApiResult<()> {
    let had = platform.accounts.end_session(account_of(caller)?, handle).await.map_err(Fault::shown)?;
    had.then_some(()).ok_or(ApiError::NotFound)
}
