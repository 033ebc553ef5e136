//! One file per form: read, call, go on, or show the page again with what was wrong.

pub(super) mod account_name;
pub(super) mod account_password;
pub(super) mod account_session;
pub(super) mod quiz;
mod session;
pub(super) mod sign_in;
pub(super) mod sign_out;
pub(super) mod sign_up;
pub(super) mod test;
