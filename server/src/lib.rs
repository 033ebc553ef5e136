//! The platform: HTTP, rules, store, and the live side of labs.
//!
//! Data has one way: browser → `http` → `backend` (rules) → `store` / `live` → engine → agent → sandbox, and back.
//!
//! ```text
//! config    what the command line and the environment ask for, as one typed value
//! clock     time as a parameter            random   randomness as a parameter
//! store     SQLite or PostgreSQL: rows in, domain types out
//! account   sign-up, sign-in, sessions, roles, rate limits, audit
//! http      the router, every route with its minimum role, middleware, forms
//! backend   what the pages ask for: course, labs, progress, account
//! live      sandboxes, terminals, grading, events, reaper
//! document  what leaves the app as a document: error pages, lab reports
//! preview   a course that is being written, as its readers will see it
//! assets    the site folder: embedded in release builds, read from disk in debug builds
//! cli       the command line
//! ```

pub mod account;
pub mod assets;
pub mod backend;
pub mod cli;
pub mod clock;
pub mod config;
pub mod document;
pub mod http;
pub mod live;
pub(crate) mod preview;
pub mod random;
pub mod store;
