//! A session begins with a new id: whoever planted or saw the old one has nothing.

use axum::http::{HeaderMap, header::USER_AGENT};
use bulkhead_app::api::ApiResult;
use tower_sessions::Session;

use crate::{
    backend::internal,
    store::{ACCOUNT_KEY, AGENT_KEY, Account},
};

/// Longer names of browsers are cut.
const LONGEST_AGENT: usize = 200;

pub(super) async fn begin(session: &Session, account: &Account, headers: &HeaderMap) -> ApiResult<()> {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agent: String = agent.chars().take(LONGEST_AGENT).collect();
    let begun = async {
        session.cycle_id().await?;
        session.clear().await;
        session.insert(ACCOUNT_KEY, account.id.get()).await?;
        session.insert(AGENT_KEY, agent).await
    };
    begun.await.map_err(|error| internal(&error))
}
