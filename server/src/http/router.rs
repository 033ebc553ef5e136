//! Builds the router from the table.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use axum::{Router, http::StatusCode, middleware::from_fn_with_state};
use tower_http::{
    CompressionLevel, catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer,
    timeout::TimeoutLayer,
};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

use super::{middleware as layer, routes::table, visit::Visit};
use crate::{
    backend::Platform,
    config::Mode,
    store::{LONGEST, Sessions},
};

/// A quiz or an answer is small; nothing larger is read.
const LARGEST_BODY: usize = 256 * 1024;

/// Until a response begins. Streams and sockets go on as long as they like.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub fn router(platform: Arc<Platform>) -> Router {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(bulkhead_app::register_server_functions);

    let mut personal = Router::new();
    let mut impersonal = Router::new();
    for route in table() {
        let guard = layer::Guard { platform: Arc::clone(&platform), access: route.access };
        let handler = route.handler.route_layer(from_fn_with_state(guard, layer::guard));
        if route.impersonal {
            impersonal = impersonal.route(route.path, handler);
        } else {
            personal = personal.route(route.path, handler);
        }
    }
    let personal = personal
        .fallback(nothing_here)
        .layer(from_fn_with_state(Arc::clone(&platform), layer::throttle))
        .layer(from_fn_with_state(Arc::clone(&platform), layer::identify))
        .layer(session_layer(&platform));

    let state = || Arc::clone(&platform);
    let mode = Arc::new(platform.config.mode.clone());
    impersonal
        .merge(personal)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(from_fn_with_state(Arc::clone(&mode), layer::same_origin))
        .layer(from_fn_with_state(Arc::clone(&mode), layer::known_host))
        .layer(from_fn_with_state(state(), layer::client_address))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LONGEST_WAIT))
        .layer(CatchPanicLayer::custom(layer::panicked))
        .layer(from_fn_with_state(state(), layer::errors_as_pages))
        .layer(from_fn_with_state(mode, layer::security_headers))
        .layer(from_fn_with_state(state(), layer::request_id))
        .with_state(platform)
}

/// The same protection for routes that only this machine may use, and that know no platform: loopback names, our own
/// pages, small bodies, the headers of every page.
pub(crate) fn loopback_only(routes: Router) -> Router {
    let mode = Arc::new(Mode::Local);
    routes
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(from_fn_with_state(Arc::clone(&mode), layer::same_origin))
        .layer(from_fn_with_state(Arc::clone(&mode), layer::known_host))
        .layer(CatchPanicLayer::custom(layer::panicked))
        .layer(from_fn_with_state(mode, layer::security_headers))
}

fn session_layer(platform: &Platform) -> SessionManagerLayer<Sessions> {
    let secure = platform.config.mode.is_secure();
    // The store decides how long a session lives; the cookie only has to last as long as the longest.
    let longest = time::Duration::try_from(LONGEST).unwrap_or(time::Duration::DAY);
    SessionManagerLayer::new(Sessions::new(platform.store.clone(), platform.clock.clone()))
        .with_name(if secure { "__Host-bulkhead" } else { "bulkhead" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(longest))
}

async fn nothing_here(visit: Visit) -> axum::response::Response {
    visit.problem(bulkhead_app::api::ApiError::NotFound)
}
