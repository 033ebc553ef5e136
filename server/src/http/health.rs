//! `/healthz`: whether this process can serve.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::backend::{Platform, internal};

pub(super) async fn check(State(platform): State<Arc<Platform>>) -> (StatusCode, &'static str) {
    match platform.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            internal(&error);
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
