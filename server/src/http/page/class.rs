//! `/class`

use axum::response::Response;
use bulkhead_app::{Page, api::Backend};

use crate::http::visit::Visit;

pub(in crate::http) async fn show(visit: Visit) -> Response {
    let page = visit.platform.matrix(&visit.caller).await.map(Page::Class);
    visit.answer(page)
}
