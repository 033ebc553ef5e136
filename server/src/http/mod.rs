//! The router: every route with its least role, and what every request passes through.

mod routes;

pub use routes::{Access, Route};
