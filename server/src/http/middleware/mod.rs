//! What every request passes through, one file per layer.
//!
//! ```text
//! request_id  a name for the log, the response and error pages
//! headers     security headers, unless the handler set its own
//! errors      bare errors become pages, or JSON for server functions
//! host        answers under known names only (DNS rebinding)
//! origin      refuses what another site sent (CSRF)
//! address     who is at the other end of the wire
//! identify    session → caller
//! throttle    changes per account or address
//! guard       the route's least role
//! ```

mod address;
mod errors;
mod guard;
mod headers;
mod host;
mod identify;
mod origin;
mod request_id;
mod throttle;

pub use address::ClientAddress;
pub(super) use address::client_address;
pub use errors::refusal;
pub(super) use errors::{errors_as_pages, panicked};
pub(super) use guard::{Guard, guard};
pub(super) use headers::security_headers;
pub(super) use host::known_host;
pub(super) use identify::identify;
pub(super) use origin::same_origin;
pub(super) use request_id::request_id;
pub(super) use throttle::throttle;
