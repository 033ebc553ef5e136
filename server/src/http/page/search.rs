//! `/search?q=`

use axum::{extract::Query, response::Response};
use bulkhead_app::{Page, api::Backend};
use serde::Deserialize;

use crate::http::visit::Visit;

/// What is longer is not looked for.
const LONGEST: usize = 200;

#[derive(Deserialize)]
pub(in crate::http) struct Asked {
    #[serde(default)]
    q: String,
}

pub(in crate::http) async fn show(visit: Visit, Query(asked): Query<Asked>) -> Response {
    let query: String = asked.q.trim().chars().take(LONGEST).collect();
    let page = visit.platform.search(&visit.caller, &query).await.map(|hits| Page::Search { query, hits });
    visit.answer(page)
}
