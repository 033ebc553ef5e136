//! The router as browsers and attackers see it.
//!
//! ```text
//! routes    every route by role              errors    what is shown where something is refused
//! origin    other sites, other names         session   sign-in, sessions, fixation, revocation
//! limits    tries, sizes                     reading   lessons, quizzes, search
//! class     progress, and what an instructor sees      others  what belongs to another
//! headers   policies on every answer         files     the site
//! ```

#[path = "../harness/mod.rs"]
mod harness;

mod class;
mod errors;
mod files;
mod headers;
mod limits;
mod origin;
mod others;
mod reading;
mod routes;
mod session;
