//! What can go wrong in the store.

pub type StoreResult<T> = Result<T, StoreError>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is not one that we can open.
    #[error("the database URL must begin with sqlite: or postgres:, not {0:?}")]
    Scheme(String),
    #[error("the database does not open")]
    Open(#[source] sqlx::Error),
    #[error("the database's tables could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A unique constraint: another row has this value in `field`.
    #[error("{field} is taken")]
    Taken { field: String },
    /// A foreign key: the row that this one belongs to is not there (any more).
    #[error("the row that this one belongs to is gone")]
    Orphan,
    /// A value that no version of the platform writes.
    #[error("{table}.{column} holds {value:?}, which means nothing")]
    Corrupt { table: &'static str, column: &'static str, value: String },
    #[error("the database refused a query")]
    Query(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(cause) if cause.is_unique_violation() => Self::Taken { field: field_of(cause) },
            Some(cause) if cause.is_foreign_key_violation() => Self::Orphan,
            _ => Self::Query(error),
        }
    }
}

/// PostgreSQL names the constraint (`accounts_email_key`), SQLite the columns (`… failed: accounts.email`).
fn field_of(cause: &dyn sqlx::error::DatabaseError) -> String {
    if let (Some(constraint), Some(table)) = (cause.constraint(), cause.table()) {
        let column = constraint.strip_prefix(table).unwrap_or(constraint);
        return column.trim_start_matches('_').trim_end_matches("_key").to_owned();
    }
    let columns = cause.message().rsplit(": ").next().unwrap_or_default();
    columns.rsplit('.').next().unwrap_or(columns).to_owned()
}
