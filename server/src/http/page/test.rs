//! `/learn/{module}/test` and `/test`

use axum::{extract::Path, response::Response};
use bulkhead_app::{Page, api::Backend};

use crate::http::visit::Visit;

pub(in crate::http) async fn module(visit: Visit, Path(module): Path<String>) -> Response {
    let page = visit.platform.test(&visit.caller, Some(&module)).await.map(Page::Test);
    visit.answer(page)
}

pub(in crate::http) async fn course(visit: Visit) -> Response {
    let page = visit.platform.test(&visit.caller, None).await.map(Page::Test);
    visit.answer(page)
}
