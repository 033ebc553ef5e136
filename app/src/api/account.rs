//! Who is asking.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Student,
    Instructor,
    Admin,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: i64,
    pub email: String,
    pub name: String,
    pub role: Role,
}

/// The caller of one request, as the server's session layer found him.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// `None` for an anonymous reader.
    pub account: Option<Account>,
    /// Self-paced mode on loopback: one local learner, no sign-in page.
    pub local: bool,
    /// Handle of the web session that carries the request (see [`SessionView::handle`]).
    #[serde(skip)]
    pub session: Option<String>,
}

impl Caller {
    pub const ANONYMOUS: Self = Self { account: None, local: false, session: None };

    /// The account, or [`super::ApiError::Unauthenticated`].
    pub fn account(&self) -> super::ApiResult<&Account> {
        self.account.as_ref().ok_or(super::ApiError::Unauthenticated)
    }

    pub fn at_least(&self, role: Role) -> bool {
        self.account.as_ref().is_some_and(|a| a.role >= role)
    }
}

/// One signed-in browser, for the account page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// A hash of the session id, never the id itself.
    pub handle: String,
    pub user_agent: String,
    pub last_seen: String,
    pub current: bool,
}
