//! What the pages and islands ask for, and who answers.
//!
//! `app` knows no database and no engine. It talks to a [`Backend`], which the server implements and puts into the
//! Leptos context (`Arc<dyn Backend>` and the request's [`Caller`]). All types here are plain data that cross the wire.
//!
//! Enums with data are tagged outside (`{"check": {…}}`): a tag inside makes serde buffer and compile every type twice,
//! which the browser would have to download.
//!
//! ```text
//! account   who is asking, sign-in, profile, sessions
//! backend   the trait
//! course    outline, lesson, quiz, search
//! error     the one error that pages know
//! lab       lab page, tasks, verdicts, sandbox state, live events
//! print     the course on paper
//! progress  a student's own, and the instructor's matrix
//! test      tests over a module and over the course
//! terminal  the browser's side of the terminal socket
//! ```

pub mod account;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod course;
pub mod error;
pub mod lab;
pub mod print;
pub mod progress;
pub mod terminal;
pub mod test;

pub use account::{Account, Caller, Role};
#[cfg(feature = "ssr")]
pub use backend::Backend;
pub use error::{ApiError, ApiResult};
