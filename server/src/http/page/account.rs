//! `/account`

use axum::response::Response;
use bulkhead_app::{
    Page,
    api::{ApiError, Backend},
};

use crate::http::visit::Visit;

pub(in crate::http) async fn show(visit: Visit) -> Response {
    show_with(visit, None, None).await
}

/// The page, with the name that was typed and what was wrong with one of its forms.
pub(in crate::http) async fn show_with(visit: Visit, typed: Option<String>, error: Option<ApiError>) -> Response {
    let sessions = visit.platform.sessions(&visit.caller).await;
    let page = sessions.map(|sessions| Page::Account { sessions, typed, error });
    visit.answer(page)
}
