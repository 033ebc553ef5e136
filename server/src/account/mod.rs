//! Accounts: who may come in, and as whom.
//!
//! ```text
//! error     what can be refused, and why
//! fields    e-mail, name, password: parsed, not checked
//! password  argon2id, off the async threads, few at a time
//! limits    tries per account and per address
//! service   sign-up, sign-in, roles, password, sessions; each privileged act leaves an audit entry
//! ```

mod error;
mod fields;
mod limits;
mod password;
mod service;

pub use error::{AccountError, AccountResult};
pub use fields::{Email, Name, Password};
pub use limits::{Limit, Limits, Subject};
pub use password::Passwords;
pub use service::{Accounts, LOCAL_EMAIL, NewUser};
