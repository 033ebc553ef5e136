//! Accounts: sign-up, sign-in, sessions, roles, rate limits, audit.

/// The rules about accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts;
