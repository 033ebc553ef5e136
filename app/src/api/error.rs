//! The one error that pages and islands know. The server maps its own errors to it once, at the edge.

use serde::{Deserialize, Serialize};

/// Each variant says the HTTP status it leaves the server with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
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
