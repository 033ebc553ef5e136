//! Sandboxes and the servers that look after them.
//!
//! Every change goes through [`SandboxTable::replace`]: it names the row as it was read and is refused when another was
//! faster. Who lost does nothing more; who has to win reads again.

use std::time::Duration;

use bulkhead_labs::engine::SandboxId;
use sqlx::FromRow;

use super::{AccountId, Store, StoreError, StoreResult};
use crate::{
    clock::Moment,
    live::sandboxes::phase::{Phase, Timeline},
};

/// One run of the server; a restart is another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerId(String);

impl ServerId {
    pub fn new(id: String) -> Self {
        Self(id)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    pub id: SandboxId,
    pub account: AccountId,
    pub lab: String,
    pub generation: u32,
    pub phase: Phase,
    pub since: Moment,
    pub deadline: Option<Moment>,
    /// Rises with every change.
    pub fence: i64,
    pub owner: ServerId,
    pub queued_at: Moment,
    pub timeline: Timeline,
    pub ready_at: Option<Moment>,
    pub expires_at: Option<Moment>,
    pub extensions: u32,
    /// Minutes that the last warning named.
    pub warned: Option<u16>,
    pub error: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    account_id: i64,
    lab: String,
    generation: i64,
    phase: String,
    phase_since: i64,
    deadline: Option<i64>,
    fence: i64,
    owner: String,
    queued_at: i64,
    timeline: String,
    ready_at: Option<i64>,
    expires_at: Option<i64>,
    extensions: i64,
    warned: Option<i64>,
    error: Option<String>,
}

impl TryFrom<Row> for Sandbox {
    type Error = StoreError;

    fn try_from(row: Row) -> StoreResult<Self> {
        let corrupt = |column, value: &str| StoreError::Corrupt { table: "sandboxes", column, value: value.to_owned() };
        Ok(Self {
            id: SandboxId::parse(&row.id).ok_or_else(|| corrupt("id", &row.id))?,
            account: AccountId::new(row.account_id),
            lab: row.lab,
            generation: u32::try_from(row.generation)
                .map_err(|_| corrupt("generation", &row.generation.to_string()))?,
            phase: Phase::parse(&row.phase).ok_or_else(|| corrupt("phase", &row.phase))?,
            since: Moment::from_millis(row.phase_since),
            deadline: row.deadline.map(Moment::from_millis),
            fence: row.fence,
            owner: ServerId(row.owner),
            queued_at: Moment::from_millis(row.queued_at),
            timeline: serde_json::from_str(&row.timeline).map_err(|_| corrupt("timeline", &row.timeline))?,
            ready_at: row.ready_at.map(Moment::from_millis),
            expires_at: row.expires_at.map(Moment::from_millis),
            extensions: u32::try_from(row.extensions).unwrap_or(u32::MAX),
            warned: row.warned.and_then(|minutes| u16::try_from(minutes).ok()),
            error: row.error,
        })
    }
}

pub struct SandboxTable<'s>(&'s Store);

impl Store {
    pub fn sandboxes(&self) -> SandboxTable<'_> {
        SandboxTable(self)
    }
}

impl SandboxTable<'_> {
    pub async fn by_id(&self, id: &SandboxId) -> StoreResult<Option<Sandbox>> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM sandboxes WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.0.pool())
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    pub async fn of(&self, account: AccountId, lab: &str) -> StoreResult<Option<Sandbox>> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM sandboxes WHERE account_id = $1 AND lab = $2")
            .bind(account.get())
            .bind(lab)
            .fetch_optional(self.0.pool())
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// All that are not over, the longest waiting first.
    pub async fn alive(&self) -> StoreResult<Vec<Sandbox>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM sandboxes WHERE phase NOT IN ('stopped', 'expired', 'failed') ORDER BY queued_at, id",
        )
        .fetch_all(self.0.pool())
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Accounts and labs with a sandbox that is up or on its way.
    pub async fn open_labs(&self) -> StoreResult<Vec<(AccountId, String)>> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT account_id, lab FROM sandboxes WHERE phase IN ('queued', 'creating', 'booting', 'setting-up', 'ready')",
        )
        .fetch_all(self.0.pool())
        .await?;
        Ok(rows.into_iter().map(|(account, lab)| (AccountId::new(account), lab)).collect())
    }

    /// `Taken`: the account has one for this lab, or the id is in use.
    pub async fn insert(&self, new: &Sandbox) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO sandboxes (id, account_id, lab, generation, phase, phase_since, deadline, fence, owner,
                 queued_at, timeline, ready_at, expires_at, extensions, warned, error)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(new.id.as_str())
        .bind(new.account.get())
        .bind(&new.lab)
        .bind(i64::from(new.generation))
        .bind(new.phase.name())
        .bind(new.since.millis())
        .bind(new.deadline.map(Moment::millis))
        .bind(new.fence)
        .bind(new.owner.as_str())
        .bind(new.queued_at.millis())
        .bind(json(&new.timeline))
        .bind(new.ready_at.map(Moment::millis))
        .bind(new.expires_at.map(Moment::millis))
        .bind(i64::from(new.extensions))
        .bind(new.warned.map(i64::from))
        .bind(new.error.as_deref())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Writes `new` over the row that was read with `fence`, and gives it back with its new fence.
    /// `None`: another was faster.
    pub async fn replace(&self, fence: i64, mut new: Sandbox) -> StoreResult<Option<Sandbox>> {
        new.fence = fence + 1;
        let done = sqlx::query(
            "UPDATE sandboxes SET generation = $3, phase = $4, phase_since = $5, deadline = $6, fence = $7, owner = $8,
                 queued_at = $9, timeline = $10, ready_at = $11, expires_at = $12, extensions = $13, warned = $14,
                 error = $15
             WHERE id = $1 AND fence = $2",
        )
        .bind(new.id.as_str())
        .bind(fence)
        .bind(i64::from(new.generation))
        .bind(new.phase.name())
        .bind(new.since.millis())
        .bind(new.deadline.map(Moment::millis))
        .bind(new.fence)
        .bind(new.owner.as_str())
        .bind(new.queued_at.millis())
        .bind(json(&new.timeline))
        .bind(new.ready_at.map(Moment::millis))
        .bind(new.expires_at.map(Moment::millis))
        .bind(i64::from(new.extensions))
        .bind(new.warned.map(i64::from))
        .bind(new.error.as_deref())
        .execute(self.0.pool())
        .await?;
        Ok((done.rows_affected() == 1).then_some(new))
    }

    /// How many wait before this one.
    pub async fn place(&self, sandbox: &Sandbox) -> StoreResult<u32> {
        let (before,): (i64,) = sqlx::query_as(
            "SELECT count(*) FROM sandboxes WHERE phase = 'queued' AND (queued_at < $1 OR (queued_at = $1 AND id < $2))",
        )
        .bind(sandbox.queued_at.millis())
        .bind(sandbox.id.as_str())
        .fetch_one(self.0.pool())
        .await?;
        Ok(u32::try_from(before).unwrap_or(u32::MAX))
    }

    /// Says that this server is alive.
    pub async fn beat(&self, server: &ServerId, now: Moment) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO servers (id, beat) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET beat = excluded.beat",
        )
        .bind(server.as_str())
        .bind(now.millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Servers that gave a sign of life within `within`; those that did not are forgotten.
    pub async fn servers(&self, now: Moment, within: Duration) -> StoreResult<Vec<ServerId>> {
        sqlx::query("DELETE FROM servers WHERE beat < $1")
            .bind(now.minus(within).millis())
            .execute(self.0.pool())
            .await?;
        let rows: Vec<(String,)> = sqlx::query_as("SELECT id FROM servers").fetch_all(self.0.pool()).await?;
        Ok(rows.into_iter().map(|(id,)| ServerId(id)).collect())
    }

    /// Leaves, so that others need not wait for the next sign of life. `None`: all do, because nobody else can be there.
    pub async fn leave(&self, server: Option<&ServerId>) -> StoreResult<()> {
        sqlx::query("DELETE FROM servers WHERE id = $1 OR $1 IS NULL")
            .bind(server.map(ServerId::as_str))
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    /// The key of that name, the same for every server of this installation. `fresh` becomes it where there is none.
    pub async fn key(&self, name: &str, fresh: &str) -> StoreResult<String> {
        sqlx::query("INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(fresh)
            .execute(self.0.pool())
            .await?;
        let (value,): (String,) =
            sqlx::query_as("SELECT value FROM secrets WHERE name = $1").bind(name).fetch_one(self.0.pool()).await?;
        Ok(value)
    }
}

fn json(timeline: &Timeline) -> String {
    serde_json::to_string(timeline).unwrap_or_else(|_| "[]".to_owned())
}
