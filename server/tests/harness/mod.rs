//! The real router on a real database, an engine in memory, and a clock that stands still.
//!
//! ```text
//! app      TestApp: one platform            course   the course that it serves
//! client   one browser: requests as it would send them, answers as it would get them
//! ```
//!
//! ```ignore
//! let app = TestApp::public().await;
//! app.student().await.get("/progress").send().await.expect_status(200);
//! ```

mod app;
mod client;
mod course;

pub(crate) use app::{PASSWORD, TestApp};
pub(crate) use client::{Answer, Client};
