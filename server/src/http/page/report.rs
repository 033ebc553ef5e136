//! `/labs/{id}/report/{attempt}`: printable.

use askama::Template;
use axum::{
    extract::Path,
    http::header::CONTENT_SECURITY_POLICY,
    response::{Html, IntoResponse, Response},
};

use crate::{
    backend::internal,
    http::{csp, visit::Visit},
};

pub(in crate::http) async fn show(visit: Visit, Path((lab, attempt)): Path<(String, i64)>) -> Response {
    let report = visit.platform.report(&visit.caller, &lab, attempt).await;
    match report.and_then(|report| report.render().map_err(|error| internal(&error))) {
        Ok(html) => ([(CONTENT_SECURITY_POLICY, csp::DOCUMENT)], Html(html)).into_response(),
        Err(error) => visit.problem(error),
    }
}
