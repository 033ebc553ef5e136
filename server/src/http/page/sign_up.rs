//! `/sign-up`

use axum::{extract::Query, response::Response};
use bulkhead_app::{Page, page::Credentials};

use super::sign_in::Way;
use crate::http::visit::{Visit, onward};

pub(in crate::http) async fn show(visit: Visit, Query(way): Query<Way>) -> Response {
    if visit.is_known() {
        return onward(&way.next);
    }
    visit.show(Page::SignUp(Credentials { next: way.next, ..Credentials::default() }))
}
