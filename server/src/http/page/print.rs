//! `/learn/{module}/summary` and `/print`

use axum::{extract::Path, response::Response};
use bulkhead_app::{Page, api::Backend};

use crate::http::visit::Visit;

pub(in crate::http) async fn summary(visit: Visit, Path(module): Path<String>) -> Response {
    let page = visit.platform.summary(&visit.caller, &module).await.map(Page::Summary);
    visit.answer(page)
}

pub(in crate::http) async fn course(visit: Visit) -> Response {
    let page = visit.platform.whole_course(&visit.caller).await.map(Page::Print);
    visit.answer(page)
}
