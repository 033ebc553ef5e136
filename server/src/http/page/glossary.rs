//! `/glossary`

use axum::response::Response;
use bulkhead_app::{Page, api::Backend};

use crate::http::visit::Visit;

pub(in crate::http) async fn show(visit: Visit) -> Response {
    let page = visit.platform.glossary(&visit.caller).await.map(Page::Glossary);
    visit.answer(page)
}
