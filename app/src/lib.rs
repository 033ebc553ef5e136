//! The web app: Leptos pages, islands, server functions, and the plain types they speak.
//!
//! ```text
//! api         DTOs and the `Backend` trait that the server implements
//! page        what the server hands over to have a page rendered, and what it gets back
//! shell       the document around every page: head, navigation, footer
//! pages       one file per page, no state of their own
//! islands     one file per interactive part; they run in the browser as WASM
//! server_fns  what the islands call, and plain forms post to where no WASM runs
//! ui          small shared parts: icons, verdicts, durations
//! marks       a line of text with code in it
//! forms       plain form posts, read the same way that the pages write them
//! ```
//!
//! # How the server uses it
//!
//! Pages need no router and no executor: the handler loads the data through its own [`api::Backend`], then renders.
//!
//! ```text
//! let (lesson, outline) = backend.lesson(&caller, &path).await?; // an `ApiError` becomes `Page::Problem`
//! let rendered = bulkhead_app::render(PageRequest {
//!     caller,
//!     path: uri.path().into(),                                 // marks the navigation, comes back after sign-in
//!     query: uri.query().unwrap_or_default().into(),           // notices (`?done=…`, `?__err=…`) are read from it
//!     assets: assets.clone(),                                  // version of the embedded site: a hash over its files
//!     page: Page::Lesson { lesson, outline },
//! });
//! // status: rendered.status, body: rendered.html, CSP: built with rendered.nonce (see FRONTEND.md); the CSP must hold
//! // script-src 'nonce-N' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-N'
//! ```
//!
//! Server functions: `register_server_functions()` once at start, then route `/api/{*name}` to
//! `leptos_axum::handle_server_fns_with_context` providing `Arc<dyn Backend>` and `Caller`. [`SERVER_FUNCTIONS`] lists
//! their paths. Called by an island they answer with the status that [`ApiError`](api::ApiError) documents; posted to by
//! a plain form (`Accept: text/html`) they redirect back to the referring page, an error in its query.
//!
//! Routes that plain forms use and the server owns (all answer 303, or 422/401/409/429 with the page rendered again):
//!
//! | form | fields | answer |
//! |---|---|---|
//! | `POST /sign-in` | `email`, `password`, `next` | 303 to `next` (only a local path: [`forms::local_path`]), or `Page::SignIn` with `error` |
//! | `POST /sign-up` | `name`, `email`, `password`, `next` | the same with `Page::SignUp` |
//! | `POST /sign-out` | | 303 to `/` |
//! | `POST /learn/{module}/{lesson}/quiz` | see [`forms::quiz_answers`] | 303 to `/learn/{module}/{lesson}#quiz`; the page shows `Quiz::result` |
//! | `POST /account/name` | `name` | 303 to `/account?done=name`, or `Page::Account` with `error` |
//! | `POST /account/password` | `old`, `new` | 303 to `/account?done=password`, or the same |
//! | `POST /account/sessions/end` | `handle` | 303 to `/account?done=session`, or the same |
//!
//! Static files of the site folder: `/assets/app.css`, `/assets/boot.js`, `/assets/terminal.js` (+ `/assets/chunks/*`),
//! `/assets/fonts/*.woff2`, `/assets/favicon.svg`, `/pkg/front.js`, `/pkg/front_bg.wasm` with
//! every island, `/pkg/read.js`, `/pkg/read_bg.wasm` with those for reading. Pages ask for them as
//! `?v={assets version}`: answer those `Cache-Control: public, max-age=31536000, immutable`, anything without `v` with
//! an `ETag` and `no-cache`. `licences.json` (same folder) goes through [`page::licences`] into [`Page::About`].
//!
//! `GET /events/lab/{id}` streams [`api::lab::LabEvent`]. On connect (a reconnect too) it first sends the present state:
//! `Sandbox`, `Grading`, every task's `Check`s, then `Score` and `Solution` where there are any; so nothing is lost while
//! the stream was down. A comment line every 15 seconds keeps proxies from closing it.

// A page is one type, nested as deep as its elements.
#![recursion_limit = "256"]
#![expect(
    unreachable_pub,
    reason = "`#[component]` makes a `pub` function of every component, whatever its own visibility"
)]
#![cfg_attr(
    all(feature = "hydrate", not(feature = "work")),
    expect(dead_code, reason = "what only the islands of a workspace use is in the module of pages with one")
)]

pub mod api;
pub mod forms;
pub mod islands;
pub mod marks;
pub mod server_fns;
pub(crate) mod ui;

#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use page::{Assets, Page, PageRequest, Rendered, render};
pub use server_fns::SERVER_FUNCTIONS;
#[cfg(feature = "ssr")]
pub use server_fns::register_server_functions;
