//! `/account`

use axum::response::Response;
use bulkhead_app::{
    Page,
    api::{ApiError, Backend},
};

use crate::http::visit::Visit;

pub(in crate::http) async fn show(visit: Visit) -> Response {
    show_with(visit, None).await
}

/// The page, with what was wrong with one of its forms.
pub(in crate::http) async fn show_with(visit: Visit, error: Option<ApiError>) -> Response {
    let page = visit.platform.sessions(&visit.caller).await.map(|sessions| Page::Account { sessions, error });
    visit.answer(page)
}
