//! What islands call and plain forms post to. Every function finds the caller and the backend in its context, asks the
//! backend, and sets the status that the error documents.
//!
//! ```text
//! lab     start, extend, reset, stop, check, hint, answer, terminals
//! course  quiz
//! class   the instructor's matrix, asked for again and again while the page is open
//! ```

pub mod class;
pub mod course;
pub mod lab;

/// Path of every server function, for the server's table of routes by role.
pub const SERVER_FUNCTIONS: &[&str] = &[
    "/api/start_lab",
    "/api/extend_lab",
    "/api/reset_lab",
    "/api/stop_lab",
    "/api/check_lab",
    "/api/hint",
    "/api/answer",
    "/api/open_terminal",
    "/api/close_terminal",
    "/api/submit_quiz",
    "/api/class_matrix",
];

#[cfg(feature = "ssr")]
pub use ssr::register_server_functions;

#[cfg(feature = "ssr")]
pub(crate) mod ssr {
    use std::sync::Arc;

    use leptos::{prelude::*, server_fn::axum::register_explicit};

    use crate::api::{ApiError, ApiResult, Backend, Caller};

    /// Registers all of [`SERVER_FUNCTIONS`](super::SERVER_FUNCTIONS). Call it once, before the router is built.
    pub fn register_server_functions() {
        use super::{class, course, lab};
        register_explicit::<lab::StartLab>();
        register_explicit::<lab::ExtendLab>();
        register_explicit::<lab::ResetLab>();
        register_explicit::<lab::StopLab>();
        register_explicit::<lab::CheckLab>();
        register_explicit::<lab::AskHint>();
        register_explicit::<lab::SendAnswer>();
        register_explicit::<lab::OpenTerminal>();
        register_explicit::<lab::CloseTerminal>();
        register_explicit::<course::SubmitQuiz>();
        register_explicit::<class::ClassMatrix>();
    }

    /// Backend and caller of this request.
    pub(crate) fn asked_by() -> ApiResult<(Arc<dyn Backend>, Caller)> {
        let missing = || ApiError::Internal { request_id: "no-context".into() };
        Ok((use_context().ok_or_else(missing)?, use_context().ok_or_else(missing)?))
    }

    /// Hands a result on, and its status to the response. A plain form is redirected, so its status stays 302.
    pub(crate) fn answer<T>(result: ApiResult<T>) -> ApiResult<T> {
        if let Err(error) = &result
            && !from_plain_form()
            && let Some(response) = use_context::<leptos_axum::ResponseOptions>()
            && let Ok(status) = error.status().try_into()
        {
            response.set_status(status);
        }
        result
    }

    fn from_plain_form() -> bool {
        use_context::<http::request::Parts>()
            .and_then(|parts| {
                parts.headers.get(http::header::ACCEPT)?.to_str().ok().map(|accept| accept.contains("text/html"))
            })
            .unwrap_or(false)
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::server_fn::ServerFn;

    use super::{SERVER_FUNCTIONS, class, course, lab};

    #[test]
    fn listed_paths_are_the_real_ones() {
        let real = [
            lab::StartLab::PATH,
            lab::ExtendLab::PATH,
            lab::ResetLab::PATH,
            lab::StopLab::PATH,
            lab::CheckLab::PATH,
            lab::AskHint::PATH,
            lab::SendAnswer::PATH,
            lab::OpenTerminal::PATH,
            lab::CloseTerminal::PATH,
            course::SubmitQuiz::PATH,
            class::ClassMatrix::PATH,
        ];
        assert_eq!(real.as_slice(), SERVER_FUNCTIONS);
    }
}
