//! Privileged acts, written once and never changed.

use sqlx::FromRow;

use super::{AccountId, Store, StoreResult};
use crate::clock::Moment;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Moment,
    /// `None`: the command line.
    pub actor: Option<AccountId>,
    /// `noun.verb`, such as `account.role`.
    pub action: String,
    /// What it was done to, such as `account 7`.
    pub subject: String,
    /// Never a secret.
    pub detail: serde_json::Value,
}

#[derive(FromRow)]
struct Row {
    at: i64,
    actor: Option<i64>,
    action: String,
    subject: String,
    detail: String,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            at: Moment::from_millis(row.at),
            actor: row.actor.map(AccountId::new),
            action: row.action,
            subject: row.subject,
            detail: serde_json::from_str(&row.detail).unwrap_or(serde_json::Value::Null),
        }
    }
}

pub struct AuditTable<'s>(&'s Store);

impl Store {
    pub fn audit(&self) -> AuditTable<'_> {
        AuditTable(self)
    }
}

impl AuditTable<'_> {
    pub async fn append(&self, entry: &Entry) -> StoreResult<()> {
        sqlx::query("INSERT INTO audit_log (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)")
            .bind(entry.at.millis())
            .bind(entry.actor.map(AccountId::get))
            .bind(&entry.action)
            .bind(&entry.subject)
            .bind(entry.detail.to_string())
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// The latest first.
    pub async fn latest(&self, limit: u32) -> StoreResult<Vec<Entry>> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT at, actor, action, subject, detail FROM audit_log ORDER BY id DESC LIMIT $1")
                .bind(i64::from(limit))
                .fetch_all(self.0.pool())
                .await?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }
}
