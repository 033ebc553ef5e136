//! Domain errors become the one error that pages know, here and nowhere else.
//!
//! An internal error is logged once with its causes under the request's id; the user gets the id and a fixed text.

use std::{error::Error, fmt, sync::Arc};

use bulkhead_app::api::ApiError;
use rand::RngCore;

use crate::{account::AccountError, random::hex, store::StoreError};

/// Names one request in the log, in the response's `x-request-id` and on error pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

tokio::task_local! {
    static CURRENT: RequestId;
}

impl RequestId {
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Runs `work` as this request.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The request that this task works for; a fresh id in a job that no request waits for.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_else(|_| {
            let mut bytes = [0; 6];
            rand::rng().fill_bytes(&mut bytes);
            Self(hex(&bytes).into())
        })
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Logs what happened with all its causes, and returns what the user may know of it.
pub fn internal(error: &(dyn Error + 'static)) -> ApiError {
    let id = RequestId::current();
    let mut causes = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        next = cause.source();
    }
    tracing::error!(request = %id, "{error}{causes}");
    ApiError::Internal { request_id: id.as_str().to_owned() }
}

/// What a domain error tells the user.
pub trait Fault {
    fn shown(self) -> ApiError;
}

impl Fault for StoreError {
    fn shown(self) -> ApiError {
        match self {
            Self::Orphan => ApiError::NotFound,
            other => internal(&other),
        }
    }
}

impl Fault for AccountError {
    fn shown(self) -> ApiError {
        match self {
            Self::Invalid { field, message } => {
                ApiError::Invalid { field: field.to_owned(), message: message.to_owned() }
            }
            // No field: it stands above the form.
            Self::WrongCredentials => ApiError::Invalid { field: String::new(), message: self.to_string() },
            Self::Limited { retry } => ApiError::RateLimited {
                retry_seconds: u32::try_from(retry.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1),
            },
            Self::Busy => ApiError::Unavailable {
                message: "Many people sign in right now. Try again in a few seconds.".to_owned(),
            },
            Self::Closed => {
                ApiError::Conflict { message: "Sign-up is closed here. Ask your instructor for an account.".to_owned() }
            }
            Self::NoSuchAccount => ApiError::NotFound,
            Self::Passwordless => ApiError::Conflict { message: self.to_string() },
            Self::Store(error) => error.shown(),
            Self::Hash(_) => internal(&self),
        }
    }
}
