//! `POST /sign-out`

use axum::{Extension, response::Response};
use tower_sessions::Session;

use crate::{
    backend::internal,
    http::visit::{Visit, onward},
};

/// Twice is as good as once.
pub(in crate::http) async fn submit(visit: Visit, Extension(session): Extension<Session>) -> Response {
    match session.flush().await {
        Ok(()) => onward("/"),
        Err(error) => {
            let error = internal(&error);
            visit.problem(error)
        }
    }
}
