//! Accounts.

use bulkhead_app::api::{self, Role};
use sqlx::FromRow;

use super::{AccountId, Store, StoreError, StoreResult};
use crate::clock::Moment;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub created_at: Moment,
    pub last_seen_at: Option<Moment>,
}

impl From<Account> for api::Account {
    fn from(account: Account) -> Self {
        Self { id: account.id.get(), email: account.email, name: account.name, role: account.role }
    }
}

/// `email` is already in its normal form (see [`crate::account::Email`]).
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub email: String,
    pub name: String,
    pub role: Role,
    /// `None`: nobody signs in to it with a password.
    pub password_hash: Option<String>,
    pub at: Moment,
}

/// An account with what proves it.
#[derive(Clone)]
pub struct Credentials {
    pub account: Account,
    pub password_hash: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    email: String,
    name: String,
    role: String,
    password_hash: Option<String>,
    created_at: i64,
    last_seen_at: Option<i64>,
}

impl TryFrom<Row> for Credentials {
    type Error = StoreError;

    fn try_from(row: Row) -> StoreResult<Self> {
        let role = role_from(row.role)?;
        let account = Account {
            id: AccountId::new(row.id),
            email: row.email,
            name: row.name,
            role,
            created_at: Moment::from_millis(row.created_at),
            last_seen_at: row.last_seen_at.map(Moment::from_millis),
        };
        Ok(Self { account, password_hash: row.password_hash })
    }
}

impl TryFrom<Row> for Account {
    type Error = StoreError;

    fn try_from(row: Row) -> StoreResult<Self> {
        Credentials::try_from(row).map(|c| c.account)
    }
}

pub(super) fn role_from(text: String) -> StoreResult<Role> {
    match text.as_str() {
        "student" => Ok(Role::Student),
        "instructor" => Ok(Role::Instructor),
        "admin" => Ok(Role::Admin),
        _ => Err(StoreError::Corrupt { table: "accounts", column: "role", value: text }),
    }
}

pub(super) fn role_text(role: Role) -> &'static str {
    match role {
        Role::Student => "student",
        Role::Instructor => "instructor",
        Role::Admin => "admin",
    }
}

pub struct AccountTable<'s>(&'s Store);

impl Store {
    pub fn accounts(&self) -> AccountTable<'_> {
        AccountTable(self)
    }
}

impl AccountTable<'_> {
    /// [`StoreError::Taken`] on `email` where another account has it.
    pub async fn insert(&self, new: &NewAccount) -> StoreResult<Account> {
        let row: Row = sqlx::query_as(
            "INSERT INTO accounts (email, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)
             RETURNING id, email, name, role, password_hash, created_at, last_seen_at",
        )
        .bind(&new.email)
        .bind(&new.name)
        .bind(role_text(new.role))
        .bind(new.password_hash.as_deref())
        .bind(new.at.millis())
        .fetch_one(self.0.pool())
        .await?;
        row.try_into()
    }

    pub async fn by_id(&self, id: AccountId) -> StoreResult<Option<Account>> {
        Ok(self.credentials_by_id(id).await?.map(|c| c.account))
    }

    pub async fn by_email(&self, email: &str) -> StoreResult<Option<Account>> {
        Ok(self.credentials(email).await?.map(|c| c.account))
    }

    pub async fn credentials(&self, email: &str) -> StoreResult<Option<Credentials>> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, email, name, role, password_hash, created_at, last_seen_at FROM accounts WHERE email = $1",
        )
        .bind(email)
        .fetch_optional(self.0.pool())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    pub async fn credentials_by_id(&self, id: AccountId) -> StoreResult<Option<Credentials>> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, email, name, role, password_hash, created_at, last_seen_at FROM accounts WHERE id = $1",
        )
        .bind(id.get())
        .fetch_optional(self.0.pool())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// All, by name.
    pub async fn list(&self) -> StoreResult<Vec<Account>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, email, name, role, password_hash, created_at, last_seen_at FROM accounts ORDER BY name, id",
        )
        .fetch_all(self.0.pool())
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Whether there was such an account.
    pub async fn rename(&self, id: AccountId, name: &str) -> StoreResult<bool> {
        let done = sqlx::query("UPDATE accounts SET name = $2 WHERE id = $1")
            .bind(id.get())
            .bind(name)
            .execute(self.0.pool())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether there was such an account.
    pub async fn set_role(&self, id: AccountId, role: Role) -> StoreResult<bool> {
        let done = sqlx::query("UPDATE accounts SET role = $2 WHERE id = $1")
            .bind(id.get())
            .bind(role_text(role))
            .execute(self.0.pool())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Sets the password and ends every session but `keep`, both or neither.
    pub async fn set_password(&self, id: AccountId, hash: &str, keep: Option<&str>) -> StoreResult<bool> {
        let mut transaction = self.0.begin().await?;
        let done = sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
            .bind(id.get())
            .bind(hash)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE account_id = $1 AND handle <> $2")
            .bind(id.get())
            .bind(keep.unwrap_or_default())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.0.tell_sessions_ended();
        Ok(done.rows_affected() == 1)
    }
}
