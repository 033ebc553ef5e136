//! `/learn/{module}/{lesson}`

use axum::{extract::Path, response::Response};
use bulkhead_app::{Page, api::Backend};

use crate::http::visit::Visit;

pub(in crate::http) async fn show(visit: Visit, Path((module, lesson)): Path<(String, String)>) -> Response {
    let read = visit.platform.lesson(&visit.caller, &format!("{module}/{lesson}")).await;
    visit.answer(read.map(|(lesson, outline)| Page::Lesson { lesson, outline }))
}
