//! The edge: every route with its least role, what every request passes through, pages and forms.
//!
//! ```text
//!  request id → headers → errors as pages → panics → time → host → same origin → size → session → caller → throttle
//!     → guard (the route's least role) → handler
//! ```
//!
//! ```text
//! routes      the table: method, path, least role, handler
//! router      builds the router from it         serve   binds nothing, answers on what was bound
//! middleware  one file per layer
//! visit       one request for a page, and its answer
//! page, form  one file per page, one per form
//! api         the app's server functions
//! site        static files          csp   content security policies          health   /healthz
//! ```
//!
//! A handler extracts, authorises, calls and maps. Domain errors become statuses here and nowhere else.

mod api;
mod csp;
mod form;
mod health;
mod middleware;
mod page;
mod router;
mod routes;
mod serve;
mod site;
mod visit;

pub use middleware::{ClientAddress, refusal};
pub(crate) use router::loopback_only;
pub use router::router;
pub use routes::{Access, Route, SERVER_FUNCTION_ACCESS, table};
pub use serve::{ServeError, serve};
pub(crate) use site::file;
pub(crate) use visit::response;
