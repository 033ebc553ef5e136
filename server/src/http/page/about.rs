//! `/about`: version, and the works of others that are built in.

use axum::response::Response;
use bulkhead_app::{Page, page::licences};

use crate::{backend::internal, http::visit::Visit};

pub(in crate::http) async fn show(visit: Visit) -> Response {
    let listed = visit.platform.site.get("licences.json", false);
    let parts = listed.map_or(Ok(Vec::new()), |file| licences(&file.bytes).map_err(|error| internal(&error)));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    visit.answer(parts.map(|parts| Page::About { version, parts }))
}
