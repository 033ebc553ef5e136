//! Names the request, and writes one line about it.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};

use crate::backend::{Platform, RequestId};

/// A name that a client sends is not taken over: it would let him write into the log.
pub(in crate::http) async fn request_id(
    State(platform): State<Arc<Platform>>,
    request: Request,
    next: Next,
) -> Response {
    let id = RequestId::new(platform.random.hex::<6>());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let begun = Instant::now();
    let mut response = id.clone().scope(next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert("x-request-id", value);
    }
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(request = %id, %method, path, status = response.status().as_u16(), millis, "answered");
    response
}
