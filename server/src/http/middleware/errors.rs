//! Bare errors become pages: what a layer, an extractor or a socket refused has a status and nothing to read.

use std::{any::Any, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use bulkhead_app::api::ApiError;

use crate::{
    backend::{Platform, RequestId},
    document::{ErrorPage, wording},
    http::csp,
};

/// An answer that only says no. On its way out it becomes a page, or JSON for a server function.
pub fn refusal(error: ApiError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    if let ApiError::RateLimited { retry_seconds } = error {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_seconds));
    }
    response.extensions_mut().insert(error);
    response
}

pub(in crate::http) async fn errors_as_pages(
    State(platform): State<Arc<Platform>>,
    request: Request,
    next: Next,
) -> Response {
    let wants = Wants::of(&request);
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_readable(&response) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        parts.headers.remove(name);
    }
    let error = parts.extensions.remove::<ApiError>();
    let id = RequestId::current();
    let mut answer = match wants {
        Wants::Page => {
            let page = ErrorPage::new(status, id.as_str(), &platform.site.version()).html();
            let policy = [(header::CONTENT_SECURITY_POLICY, csp::DOCUMENT)];
            (status, policy, Html(page)).into_response()
        }
        Wants::Json => {
            let error = error.unwrap_or_else(|| ApiError::Unavailable { message: wording(status).1.to_owned() });
            (status, Json(error)).into_response()
        }
        Wants::Text => (status, format!("{}\n", wording(status).1)).into_response(),
    };
    let kept: HeaderMap = parts.headers;
    answer.headers_mut().extend(kept);
    answer
}

/// Runs where a handler panicked.
pub(in crate::http) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let what = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let id = RequestId::current();
    tracing::error!(request = %id, panic = what.unwrap_or("of an unknown kind"), "a handler panicked");
    refusal(ApiError::Internal { request_id: id.as_str().to_owned() })
}

#[derive(Clone, Copy)]
enum Wants {
    Page,
    Json,
    Text,
}

impl Wants {
    fn of(request: &Request) -> Self {
        let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accept.contains("text/html") {
            Self::Page
        } else if request.uri().path().starts_with("/api/") {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// Whether a handler wrote the answer for people or programs, rather than a layer for nobody.
fn is_readable(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html")
        || kind.starts_with("application/json")
        || response.headers().contains_key("serverfnerror")
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::Request as HttpRequest, routing::get};
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_tells_nothing() {
        async fn broken() {
            panic!("the secret is 42");
        }
        let router: Router = Router::new().route("/", get(broken)).layer(CatchPanicLayer::custom(panicked));
        let request = HttpRequest::new(Body::empty());
        let answer = RequestId::new("abc").scope(router.oneshot(request)).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let error = answer.extensions().get::<ApiError>().cloned();
        assert_eq!(error, Some(ApiError::Internal { request_id: "abc".to_owned() }));
        let body = axum::body::to_bytes(answer.into_body(), 1024).await.expect("a body");
        assert!(body.is_empty());
    }
}
