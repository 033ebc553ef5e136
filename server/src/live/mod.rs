//! Sandboxes, terminals, grading, events, reaper.

use crate::http::Route;

/// The live side of labs. Cheap to clone.
#[derive(Clone)]
pub struct Live;

/// SSE and WebSocket routes, mounted by `http` with the same session, CSRF and role rules.
pub fn routes() -> Vec<Route> {
    Vec::new()
}
