//! What can be refused, and why.

use std::time::Duration;

use crate::store::StoreError;

pub type AccountResult<T> = Result<T, AccountError>;

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// `field` names the input, the message says what would be right.
    #[error("{message}")]
    Invalid { field: &'static str, message: &'static str },
    /// The same whether the e-mail is unknown, has no password, or the password is another.
    #[error("E-mail and password do not belong together.")]
    WrongCredentials,
    #[error("too many tries")]
    Limited { retry: Duration },
    /// More passwords wait to be hashed than we take on.
    #[error("too many sign-ins at once")]
    Busy,
    /// The platform was told not to let strangers in.
    #[error("sign-up is closed")]
    Closed,
    #[error("there is no such account")]
    NoSuchAccount,
    /// The local learner has neither password nor sessions.
    #[error("There is no password to change: this platform signs in its one local learner by itself.")]
    Passwordless,
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { field } if field == "email" => Self::Invalid {
                field: "email",
                message: "There is an account with this e-mail already. Sign in instead.",
            },
            StoreError::Orphan => Self::NoSuchAccount,
            other => Self::Store(other),
        }
    }
}
