//! `/learn/{module}/{lesson}`

use axum::{extract::Path, response::Response};
use bulkhead_app::{
    Page,
    api::{ApiResult, Backend},
};

use crate::http::visit::Visit;

pub(in crate::http) async fn show(visit: Visit, Path((module, lesson)): Path<(String, String)>) -> Response {
    let page = load(&visit, &format!("{module}/{lesson}")).await;
    visit.answer(page)
}

async fn load(visit: &Visit, path: &str) -> ApiResult<Page> {
    let lesson = visit.platform.lesson(&visit.caller, path).await?;
    // After the lesson: reading it changes what the sidebar says.
    let outline = visit.platform.outline(&visit.caller).await?;
    Ok(Page::Lesson { lesson, outline })
}
