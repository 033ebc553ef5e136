//! `/sign-in`

use axum::{extract::Query, response::Response};
use bulkhead_app::{Page, page::Credentials};
use serde::Deserialize;

use crate::http::visit::{Visit, onward};

#[derive(Deserialize)]
pub(in crate::http) struct Way {
    #[serde(default)]
    pub(super) next: String,
}

pub(in crate::http) async fn show(visit: Visit, Query(way): Query<Way>) -> Response {
    if visit.is_known() {
        return onward(&way.next);
    }
    visit.show(Page::SignIn(Credentials { next: way.next, ..Credentials::default() }))
}
