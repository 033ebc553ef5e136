//! The route's least role.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{Method, header::ACCEPT},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use bulkhead_app::api::{ApiError, Caller};

use super::refusal;
use crate::{
    backend::Platform,
    http::{Access, visit::Visit},
};

#[derive(Clone)]
pub(in crate::http) struct Guard {
    pub(in crate::http) platform: Arc<Platform>,
    pub(in crate::http) access: Access,
}

/// Whoever is not signed in is sent to where he can (401 where no page was asked for); whoever is, but may not, learns
/// that there is nothing here.
pub(in crate::http) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let Access::AtLeast(role) = guard.access else { return next.run(request).await };
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or(Caller::ANONYMOUS);
    if caller.at_least(role) {
        return next.run(request).await;
    }
    let page = *request.method() == Method::GET
        && request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    match (caller.account, page) {
        (None, true) => Redirect::to(&sign_in(request.uri())).into_response(),
        (None, false) => refusal(ApiError::Unauthenticated),
        (Some(_), true) => {
            let (mut parts, _) = request.into_parts();
            let Ok(visit) = Visit::from_request_parts(&mut parts, &guard.platform).await;
            visit.problem(ApiError::NotFound)
        }
        (Some(_), false) => refusal(ApiError::NotFound),
    }
}

/// The sign-in page, with the way back.
fn sign_in(uri: &axum::http::Uri) -> String {
    let back = uri.path_and_query().map_or("/", |back| back.as_str());
    let mut address = String::from("/sign-in?next=");
    for byte in back.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                address.push(char::from(byte));
            }
            other => {
                let _ = write!(address, "%{other:02X}");
            }
        }
    }
    address
}
