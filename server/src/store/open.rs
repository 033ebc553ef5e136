//! The pool, and what differs between the two databases: how they open, and how a writer begins.

use std::{fmt, path::Path, time::Duration};

use sqlx::{
    Any, AnyPool, Executor,
    any::{AnyPoolOptions, install_default_drivers},
};
use tokio::sync::watch;

use super::{StoreError, StoreResult};

/// Everything of one transaction, or nothing.
pub type Transaction = sqlx::Transaction<'static, Any>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// Where the rows are. Shown without the password that it may hold.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    dialect: Dialect,
    url: String,
}

impl DatabaseUrl {
    pub fn parse(url: &str) -> StoreResult<Self> {
        let dialect = match url.split(':').next().unwrap_or_default() {
            "sqlite" => Dialect::Sqlite,
            "postgres" | "postgresql" => Dialect::Postgres,
            other => return Err(StoreError::Scheme(other.to_owned())),
        };
        Ok(Self { dialect, url: url.to_owned() })
    }

    /// A SQLite file, made when it is not there.
    pub fn sqlite_file(path: &Path) -> Self {
        use std::fmt::Write as _;
        let mut url = String::from("sqlite://");
        for byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => url.push(char::from(*byte)),
                other => {
                    let _ = write!(url, "%{other:02X}");
                }
            }
        }
        url.push_str("?mode=rwc");
        Self { dialect: Dialect::Sqlite, url }
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.dialect == Dialect::Sqlite { "sqlite" } else { "postgres" };
        let rest = self.url.rsplit('@').next().unwrap_or_default();
        write!(f, "{scheme}:…{}", rest.trim_start_matches("sqlite:"))
    }
}

#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    /// Told whenever this process ended a web session.
    ended: watch::Sender<()>,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    pub async fn open(url: &DatabaseUrl) -> StoreResult<Self> {
        install_default_drivers();
        let options = AnyPoolOptions::new().acquire_timeout(Duration::from_secs(10));
        let options = match url.dialect {
            // No connection to a file goes stale; asking each first would double the hand-overs to its thread.
            Dialect::Sqlite => options.max_connections(8).test_before_acquire(false).after_connect(|connection, _| {
                Box::pin(async move {
                    // NORMAL under WAL survives a killed process; only a power cut may lose the last commits.
                    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                                   PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000";
                    connection.execute(pragmas).await.map(drop)
                })
            }),
            Dialect::Postgres => options.max_connections(16),
        };
        let pool = options.connect(&url.url).await.map_err(StoreError::Open)?;
        let migrations = match url.dialect {
            Dialect::Sqlite => sqlx::migrate!("../migrations/sqlite"),
            Dialect::Postgres => sqlx::migrate!("../migrations/postgres"),
        };
        migrations.run(&pool).await.map_err(StoreError::Migrate)?;
        Ok(Self { pool, dialect: url.dialect, ended: watch::Sender::default() })
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Changes when web sessions were ended by this process; others' ends are found by asking.
    pub(crate) fn sessions_ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }

    pub(super) fn tell_sessions_ended(&self) {
        self.ended.send_replace(());
    }

    /// Begins a transaction that writes.
    pub async fn begin(&self) -> StoreResult<Transaction> {
        let transaction = match self.dialect {
            // A deferred transaction that turns into a writer fails at once when another wrote meanwhile;
            // one that begins as a writer waits its turn.
            Dialect::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.pool.begin().await?,
        };
        Ok(transaction)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> StoreResult<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url = DatabaseUrl::parse("postgres://bulkhead:secret@db/bulkhead").expect("a PostgreSQL URL");
        assert_eq!(format!("{url:?}"), "postgres:…db/bulkhead");
    }

    #[test]
    fn a_path_may_hold_anything() {
        let url = DatabaseUrl::sqlite_file(Path::new("/tmp/a b?c#d/x.db"));
        assert_eq!(url.url, "sqlite:///tmp/a%20b%3Fc%23d/x.db?mode=rwc");
    }

    #[test]
    fn other_databases_are_refused() {
        assert!(matches!(DatabaseUrl::parse("mysql://x"), Err(StoreError::Scheme(s)) if s == "mysql"));
    }
}
