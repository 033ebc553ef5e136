//! `/labs/{id}`: what the lab takes, and its workspace once it runs.

use axum::{extract::Path, response::Response};
use bulkhead_app::{Page, api::Backend};

use crate::http::visit::Visit;

pub(in crate::http) async fn show(visit: Visit, Path(lab): Path<String>) -> Response {
    let page = visit.platform.lab(&visit.caller, &lab).await.map(Page::Lab);
    visit.answer(page)
}
