//! The app's server functions, with the session, same-origin and role rules of every other route.

use std::sync::Arc;

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bulkhead_app::api::{ApiError, Backend, Caller};
use leptos::prelude::provide_context;

use crate::backend::Platform;

/// Errors are sentences.
const LONGEST_ERROR: usize = 64 * 1024;

pub(super) async fn call(
    State(platform): State<Arc<Platform>>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Response {
    let backend: Arc<dyn Backend> = platform;
    let context = move || {
        provide_context(Arc::clone(&backend));
        provide_context(caller.clone());
    };
    let answer = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    if answer.status() == StatusCode::INTERNAL_SERVER_ERROR { as_it_says(answer).await } else { answer }
}

/// What the framework refuses by itself, arguments that it cannot read for one, leaves it as 500. The error in the body
/// knows better.
async fn as_it_says(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST_ERROR).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(status) =
        serde_json::from_slice::<ApiError>(&bytes).ok().and_then(|error| StatusCode::from_u16(error.status()).ok())
    {
        head.status = status;
    }
    Response::from_parts(head, Body::from(bytes))
}
