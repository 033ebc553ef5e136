//! Session → caller. Handlers find a [`Caller`] among the request's extensions.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bulkhead_app::api::{ApiResult, Caller};
use tower_sessions::Session;

use super::refusal;
use crate::{
    backend::{Fault, Platform},
    store::handle_of,
};

/// How exactly "last seen" is known; each note of it is a write.
const NOTED_EVERY: Duration = Duration::from_mins(1);

pub(in crate::http) async fn identify(
    State(platform): State<Arc<Platform>>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = request.extensions().get::<Session>().cloned();
    match caller(&platform, session.as_ref()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => refusal(error),
    }
}

async fn caller(platform: &Platform, session: Option<&Session>) -> ApiResult<Caller> {
    if platform.config.mode.is_local() {
        let learner = platform.accounts.local_learner().await.map_err(Fault::shown)?;
        return Ok(Caller { account: Some(learner.into()), local: true, session: None });
    }
    let Some(handle) = session.and_then(Session::id).map(handle_of) else { return Ok(Caller::ANONYMOUS) };
    let now = platform.clock.now();
    let sessions = platform.store.sessions();
    let Some(found) = sessions.signed_in(&handle, now).await.map_err(Fault::shown)? else {
        return Ok(Caller::ANONYMOUS);
    };
    if now.since(found.last_seen_at) >= NOTED_EVERY {
        sessions.touch(&handle, found.account.id, now).await.map_err(Fault::shown)?;
    }
    Ok(Caller { account: Some(found.account.into()), local: false, session: Some(handle) })
}
