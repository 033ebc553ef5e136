//! The app's server functions, with the session, same-origin and role rules of every other route.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bulkhead_app::api::{Backend, Caller};
use leptos::prelude::provide_context;

use crate::backend::Platform;

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
    leptos_axum::handle_server_fns_with_context(context, request).await.into_response()
}
