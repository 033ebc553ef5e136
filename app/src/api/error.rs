//! The one error that pages and islands know. The server maps its own errors to it once, at the edge.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// Each variant says the HTTP status it leaves the server with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ApiError {
    /// 404: it does not exist, or the caller may not know that it does.
    #[error("There is nothing here.")]
    NotFound,
    /// 401: the session ended or never began.
    #[error("Sign in to go on.")]
    Unauthenticated,
    /// 422: `field` names the input, `message` says what would be right.
    #[error("{message}")]
    Invalid { field: String, message: String },
    /// 409: the thing is in a state that does not allow this now; `message` says what to do.
    #[error("{message}")]
    Conflict { message: String },
    /// 429
    #[error("Too many tries. Wait {retry_seconds} seconds.")]
    RateLimited { retry_seconds: u32 },
    /// 503: something outside (the engine, say) does not answer; `message` says what and what next.
    #[error("{message}")]
    Unavailable { message: String },
    /// 500: logged with its cause under this id; the user gets no detail.
    #[error("Something went wrong on our side. The reference is {request_id}.")]
    Internal { request_id: String },
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// The HTTP status that this error leaves the server with.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Unauthenticated => 401,
            Self::Invalid { .. } => 422,
            Self::Conflict { .. } => 409,
            Self::RateLimited { .. } => 429,
            Self::Unavailable { .. } => 503,
            Self::Internal { .. } => 500,
        }
    }

    /// Where the input called `name` was refused: what would be right.
    pub fn about(&self, name: &str) -> Option<&str> {
        match self {
            Self::Invalid { field, message } if field == name => Some(message),
            _ => None,
        }
    }
}

/// So that server functions answer with this error itself. What the framework reports on the way becomes one of ours.
impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => {
                Self::Unavailable { message: "The server does not answer. Check that it runs, then try again.".into() }
            }
            ServerFnErrorErr::Args(message) | ServerFnErrorErr::MissingArg(message) => {
                Self::Invalid { field: String::new(), message }
            }
            // A proxy or an expired session may answer in another language than ours.
            ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::UnsupportedRequestMethod(_) => Self::Unavailable {
                message: "The server gave an answer that this page does not understand. Reload the page.".into(),
            },
            _ => Self::Internal { request_id: "none".into() },
        }
    }
}
