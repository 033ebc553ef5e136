//! Rows in, domain types out. SQLite (WAL) or PostgreSQL behind one set of queries.
//!
//! ```text
//! error     what can go wrong, with constraints mapped to the field they guard
//! id        newtype ids
//! open      pool, dialect, migrations, transactions
//! account   accounts                       session   web sessions (a tower-sessions store)
//! reading   lessons read, quiz results     audit     privileged acts
//! sandbox   sandboxes, living servers      attempt   graded tries, best scores
//! paper     tests taken, questions missed
//! lab_state verdicts, answers, hints of a sandbox
//! ```
//!
//! Rules of the house: placeholders are `$1`; times are `BIGINT` milliseconds, flags `BIGINT` 0 or 1, JSON is `TEXT`; a
//! unique constraint on one column is named `<table>_<column>_key`; "not there" is `Ok(None)`; row structs are private.
//! Each table's queries stand in one file, as methods of a borrowed handle: `store.accounts().by_email(…)`. What has to
//! hold together goes through [`Store::begin`].

mod account;
mod attempt;
mod audit;
mod error;
mod id;
mod lab_state;
mod open;
mod paper;
mod reading;
mod sandbox;
mod session;

pub use account::{Account, AccountTable, Credentials, NewAccount};
pub use attempt::{Attempt, AttemptState, AttemptTable, Best, Claim, NewAttempt, Outcome};
pub use audit::{AuditTable, Entry};
pub use error::{StoreError, StoreResult};
pub use id::{AccountId, AttemptId};
pub use lab_state::LabStateTable;
pub use open::{DatabaseUrl, Dialect, Store, Transaction};
pub use paper::{HandedIn, Paper, PaperTable, Standing, Taken};
pub use reading::{QuizRecord, ReadingTable};
pub use sandbox::{Sandbox, SandboxTable, ServerId};
pub(crate) use session::{ACCOUNT_KEY, AGENT_KEY};
pub use session::{LONGEST, SessionRow, SessionTable, Sessions, SignedIn, handle_of};
