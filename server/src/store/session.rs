//! Web sessions: the store that tower-sessions writes to, and what the account page and the rules ask of it.
//!
//! A session lives for [`IDLE`] after it was last used and for [`LONGEST`] at most, by our own clock. It is kept under a
//! hash of its id. A session that was ended stays ended, even where a request still holds it.

use std::time::Duration;

use async_trait::async_trait;
use bulkhead_app::api::Role;
use sha2::{Digest, Sha256};
use sqlx::FromRow;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store,
};

use super::{Account, AccountId, Store, StoreResult, account::role_from};
use crate::{
    clock::{Clock, Moment},
    random::hex,
};

const IDLE: Duration = Duration::from_hours(14 * 24);
pub const LONGEST: Duration = Duration::from_hours(60 * 24);

/// The keys of a session's data that have columns of their own.
pub(crate) const ACCOUNT_KEY: &str = "account";
pub(crate) const AGENT_KEY: &str = "agent";

/// The name under which a session is stored, listed and ended.
pub fn handle_of(id: Id) -> String {
    hex(&Sha256::digest(id.0.to_be_bytes())[..16])
}

/// Who is behind a session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub account: Account,
    pub last_seen_at: Moment,
}

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub handle: String,
    pub user_agent: String,
    pub last_seen_at: Moment,
}

#[derive(FromRow)]
struct SignedInRow {
    id: i64,
    email: String,
    name: String,
    role: String,
    created_at: i64,
    last_seen_at: i64,
}

#[derive(FromRow)]
struct ListRow {
    handle: String,
    user_agent: String,
    last_seen_at: i64,
}

pub struct SessionTable<'s>(&'s Store);

impl Store {
    pub fn sessions(&self) -> SessionTable<'_> {
        SessionTable(self)
    }
}

impl SessionTable<'_> {
    /// The account of a live session.
    pub async fn signed_in(&self, handle: &str, now: Moment) -> StoreResult<Option<SignedIn>> {
        let row: Option<SignedInRow> = sqlx::query_as(
            "SELECT a.id, a.email, a.name, a.role, a.created_at, s.last_seen_at
             FROM sessions s JOIN accounts a ON a.id = s.account_id
             WHERE s.handle = $1 AND s.expires_at > $2",
        )
        .bind(handle)
        .bind(now.millis())
        .fetch_optional(self.0.pool())
        .await?;
        row.map(|row| {
            let role: Role = role_from(row.role)?;
            let last_seen_at = Moment::from_millis(row.last_seen_at);
            let account = Account {
                id: AccountId::new(row.id),
                email: row.email,
                name: row.name,
                role,
                created_at: Moment::from_millis(row.created_at),
                last_seen_at: Some(last_seen_at),
            };
            Ok(SignedIn { account, last_seen_at })
        })
        .transpose()
    }

    /// Notes that the session and its account are in use, and gives the session another two weeks.
    pub async fn touch(&self, handle: &str, account: AccountId, now: Moment) -> StoreResult<()> {
        sqlx::query(
            "UPDATE sessions SET last_seen_at = $2,
                    expires_at = CASE WHEN $3 < created_at + $4 THEN $3 ELSE created_at + $4 END
             WHERE handle = $1",
        )
        .bind(handle)
        .bind(now.millis())
        .bind(now.plus(IDLE).millis())
        .bind(span(LONGEST))
        .execute(self.0.pool())
        .await?;
        sqlx::query("UPDATE accounts SET last_seen_at = $2 WHERE id = $1")
            .bind(account.get())
            .bind(now.millis())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// The account's live sessions, the latest used first.
    pub async fn of_account(&self, account: AccountId, now: Moment) -> StoreResult<Vec<SessionRow>> {
        let rows: Vec<ListRow> = sqlx::query_as(
            "SELECT handle, user_agent, last_seen_at FROM sessions
             WHERE account_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC, handle",
        )
        .bind(account.get())
        .bind(now.millis())
        .fetch_all(self.0.pool())
        .await?;
        let session = |row: ListRow| SessionRow {
            handle: row.handle,
            user_agent: row.user_agent,
            last_seen_at: Moment::from_millis(row.last_seen_at),
        };
        Ok(rows.into_iter().map(session).collect())
    }

    /// Whether the account had such a session.
    pub async fn end(&self, account: AccountId, handle: &str) -> StoreResult<bool> {
        let done = sqlx::query("DELETE FROM sessions WHERE account_id = $1 AND handle = $2")
            .bind(account.get())
            .bind(handle)
            .execute(self.0.pool())
            .await?;
        self.0.tell_sessions_ended();
        Ok(done.rows_affected() == 1)
    }

    /// Ends them all, as when a role changes.
    pub async fn end_all(&self, account: AccountId) -> StoreResult<u64> {
        let done = sqlx::query("DELETE FROM sessions WHERE account_id = $1")
            .bind(account.get())
            .execute(self.0.pool())
            .await?;
        self.0.tell_sessions_ended();
        Ok(done.rows_affected())
    }

    /// Removes what has expired, and says how many.
    pub async fn purge(&self, now: Moment) -> StoreResult<u64> {
        let done = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(now.millis())
            .execute(self.0.pool())
            .await?;
        self.0.tell_sessions_ended();
        Ok(done.rows_affected())
    }
}

fn span(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The store that tower-sessions is given.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    clock: Clock,
}

impl Sessions {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Whoever signs in was seen.
    async fn seen(&self, record: &Record, now: Moment) -> session_store::Result<()> {
        sqlx::query("UPDATE accounts SET last_seen_at = $2 WHERE id = $1")
            .bind(account_in(record))
            .bind(now.millis())
            .execute(self.store.pool())
            .await
            .map_err(backend)?;
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let now = self.clock.now();
        loop {
            let inserted = sqlx::query(
                "INSERT INTO sessions (handle, account_id, user_agent, data, created_at, last_seen_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $5, $6) ON CONFLICT (handle) DO NOTHING",
            )
            .bind(handle_of(record.id))
            .bind(account_in(record))
            .bind(agent_in(record))
            .bind(encode(record)?)
            .bind(now.millis())
            .bind(now.plus(IDLE).millis())
            .execute(self.store.pool())
            .await
            .map_err(backend)?;
            if inserted.rows_affected() == 1 {
                return self.seen(record, now).await;
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        sqlx::query("UPDATE sessions SET account_id = $2, user_agent = $3, data = $4 WHERE handle = $1")
            .bind(handle_of(record.id))
            .bind(account_in(record))
            .bind(agent_in(record))
            .bind(encode(record)?)
            .execute(self.store.pool())
            .await
            .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT data, expires_at FROM sessions WHERE handle = $1 AND expires_at > $2")
                .bind(handle_of(*id))
                .bind(self.clock.now().millis())
                .fetch_optional(self.store.pool())
                .await
                .map_err(backend)?;
        row.map(|(data, expires_at)| {
            let data = serde_json::from_str(&data).map_err(|e| session_store::Error::Decode(e.to_string()))?;
            Ok(Record { id: *id, data, expiry_date: Moment::from_millis(expires_at).to_datetime() })
        })
        .transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        sqlx::query("DELETE FROM sessions WHERE handle = $1")
            .bind(handle_of(*id))
            .execute(self.store.pool())
            .await
            .map_err(backend)?;
        self.store.tell_sessions_ended();
        Ok(())
    }
}

fn account_in(record: &Record) -> Option<i64> {
    record.data.get(ACCOUNT_KEY).and_then(serde_json::Value::as_i64)
}

fn agent_in(record: &Record) -> String {
    record.data.get(AGENT_KEY).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn encode(record: &Record) -> session_store::Result<String> {
    serde_json::to_string(&record.data).map_err(|e| session_store::Error::Encode(e.to_string()))
}

fn backend(error: sqlx::Error) -> session_store::Error {
    session_store::Error::Backend(format!("{error:#}"))
}
