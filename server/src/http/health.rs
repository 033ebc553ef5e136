//! `/healthz`: whether this process can serve.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::backend::{Platform, internal};

pub(super) async fn check(State(platform): State<Arc<Platform>>) -> (StatusCode, Json<Value>) {
    match platform.store.ping().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "ok": true }))),
        Err(error) => {
            internal(&error);
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "ok": false, "why": "the database does not answer" })))
        }
    }
}
