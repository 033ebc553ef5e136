//! Graded tries, and the best of them. A try is written before grading begins and finished exactly once.

use std::collections::BTreeMap;

use bulkhead_labs::{
    engine::SandboxId,
    grade::{CheckResult, Grading},
};
use sqlx::FromRow;

use super::{AccountId, AttemptId, ServerId, Store, StoreError, StoreResult, lab_state::write_verdicts};
use crate::clock::Moment;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: AttemptId,
    pub account: AccountId,
    pub lab: String,
    pub sandbox: SandboxId,
    pub generation: u32,
    pub started_at: Moment,
    pub state: AttemptState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptState {
    Running(Claim),
    Done(Outcome),
    /// The sandbox went before it was graded. Costs the student nothing.
    Abandoned {
        reason: String,
    },
}

/// Who grades an attempt, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub token: String,
    pub owner: ServerId,
    pub deadline: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub score: u8,
    pub passed: bool,
    pub gated: bool,
    pub millis: u64,
    pub results: Vec<CheckResult>,
    pub finished_at: Moment,
}

/// The best done attempt of an account at a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Best {
    pub account: AccountId,
    pub lab: String,
    pub attempt: AttemptId,
    pub score: u8,
    pub gated: bool,
    pub at: Moment,
    /// Of any attempt so far.
    pub passed: bool,
    /// How many were done.
    pub attempts: u32,
}

#[derive(Clone, Debug)]
pub struct NewAttempt<'a> {
    pub account: AccountId,
    pub lab: &'a str,
    pub sandbox: &'a SandboxId,
    pub generation: u32,
    pub claim: &'a Claim,
    pub at: Moment,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    account_id: i64,
    lab: String,
    sandbox_id: String,
    generation: i64,
    state: String,
    token: String,
    owner: String,
    deadline: i64,
    started_at: i64,
    finished_at: Option<i64>,
    score: Option<i64>,
    passed: Option<i64>,
    gated: Option<i64>,
    millis: Option<i64>,
    results: Option<String>,
    reason: Option<String>,
}

impl TryFrom<Row> for Attempt {
    type Error = StoreError;

    fn try_from(row: Row) -> StoreResult<Self> {
        let corrupt = |column, value: &str| StoreError::Corrupt { table: "attempts", column, value: value.to_owned() };
        let state = match row.state.as_str() {
            "running" => AttemptState::Running(Claim {
                token: row.token,
                owner: ServerId::new(row.owner),
                deadline: Moment::from_millis(row.deadline),
            }),
            "abandoned" => AttemptState::Abandoned { reason: row.reason.unwrap_or_default() },
            "done" => {
                let results = row.results.unwrap_or_default();
                AttemptState::Done(Outcome {
                    score: percent(row.score),
                    passed: row.passed == Some(1),
                    gated: row.gated == Some(1),
                    millis: row.millis.and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default(),
                    results: serde_json::from_str(&results).map_err(|_| corrupt("results", &results))?,
                    finished_at: Moment::from_millis(row.finished_at.unwrap_or(row.started_at)),
                })
            }
            other => return Err(corrupt("state", other)),
        };
        Ok(Self {
            id: AttemptId::new(row.id),
            account: AccountId::new(row.account_id),
            lab: row.lab,
            sandbox: SandboxId::parse(&row.sandbox_id).ok_or_else(|| corrupt("sandbox_id", &row.sandbox_id))?,
            generation: u32::try_from(row.generation).unwrap_or_default(),
            started_at: Moment::from_millis(row.started_at),
            state,
        })
    }
}

#[derive(FromRow)]
struct BestRow {
    account_id: i64,
    lab: String,
    attempt_id: i64,
    score: i64,
    gated: i64,
    finished_at: i64,
    passed: i64,
    attempts: i64,
}

impl From<BestRow> for Best {
    fn from(row: BestRow) -> Self {
        Self {
            account: AccountId::new(row.account_id),
            lab: row.lab,
            attempt: AttemptId::new(row.attempt_id),
            score: percent(Some(row.score)),
            gated: row.gated == 1,
            at: Moment::from_millis(row.finished_at),
            passed: row.passed == 1,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        }
    }
}

/// The database holds it between 0 and 100.
fn percent(score: Option<i64>) -> u8 {
    score.and_then(|score| u8::try_from(score).ok()).unwrap_or_default()
}

pub struct AttemptTable<'s>(&'s Store);

impl Store {
    pub fn attempts(&self) -> AttemptTable<'_> {
        AttemptTable(self)
    }
}

impl AttemptTable<'_> {
    /// [`StoreError::Taken`]: one of this sandbox is running.
    pub async fn begin(&self, new: &NewAttempt<'_>) -> StoreResult<AttemptId> {
        let (id,): (i64,) = sqlx::query_as(
            "INSERT INTO attempts (account_id, lab, sandbox_id, generation, state, token, owner, deadline, started_at)
             VALUES ($1, $2, $3, $4, 'running', $5, $6, $7, $8) RETURNING id",
        )
        .bind(new.account.get())
        .bind(new.lab)
        .bind(new.sandbox.as_str())
        .bind(i64::from(new.generation))
        .bind(&new.claim.token)
        .bind(new.claim.owner.as_str())
        .bind(new.claim.deadline.millis())
        .bind(new.at.millis())
        .fetch_one(self.0.pool())
        .await?;
        Ok(AttemptId::new(id))
    }

    /// Takes a running attempt over from whoever had it with `token`. Whether that went well.
    pub async fn take_over(&self, id: AttemptId, token: &str, claim: &Claim) -> StoreResult<bool> {
        let done = sqlx::query(
            "UPDATE attempts SET token = $3, owner = $4, deadline = $5 WHERE id = $1 AND token = $2 AND state = 'running'",
        )
        .bind(id.get())
        .bind(token)
        .bind(&claim.token)
        .bind(claim.owner.as_str())
        .bind(claim.deadline.millis())
        .execute(self.0.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores the attempt, its evidence, the sandbox's verdicts and the best score: all or nothing, and only once.
    /// `None`: the attempt is another's by now.
    pub async fn finish(&self, id: AttemptId, token: &str, grading: &Grading, at: Moment) -> StoreResult<Option<Best>> {
        let results = serde_json::to_string(&grading.results).unwrap_or_else(|_| "[]".to_owned());
        let mut transaction = self.0.begin().await?;
        let attempt: Option<(i64, String, String, i64)> = sqlx::query_as(
            "UPDATE attempts SET state = 'done', finished_at = $3, score = $4, passed = $5, gated = $6, millis = $7, results = $8
             WHERE id = $1 AND token = $2 AND state = 'running' RETURNING account_id, lab, sandbox_id, generation",
        )
        .bind(id.get())
        .bind(token)
        .bind(at.millis())
        .bind(i64::from(grading.score))
        .bind(i64::from(grading.passed))
        .bind(i64::from(grading.gated))
        .bind(i64::try_from(grading.millis).unwrap_or(i64::MAX))
        .bind(results)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((account, lab, sandbox, generation)) = attempt else { return Ok(None) };
        write_verdicts(&mut transaction, &sandbox, generation, &grading.results, at).await?;
        sqlx::query(
            "INSERT INTO best_scores (account_id, lab, attempt_id, score, passed, attempts) VALUES ($1, $2, $3, $4, $5, 1)
             ON CONFLICT (account_id, lab) DO UPDATE SET
                 attempt_id = CASE WHEN excluded.score > best_scores.score THEN excluded.attempt_id ELSE best_scores.attempt_id END,
                 score = CASE WHEN excluded.score > best_scores.score THEN excluded.score ELSE best_scores.score END,
                 passed = CASE WHEN best_scores.passed = 1 THEN 1 ELSE excluded.passed END,
                 attempts = best_scores.attempts + 1",
        )
        .bind(account)
        .bind(&lab)
        .bind(id.get())
        // What the platform could not look at is no merit of anybody's.
        .bind(i64::from(grading.certain))
        .bind(i64::from(grading.passed))
        .execute(&mut *transaction)
        .await?;
        let best: BestRow = sqlx::query_as(
            "SELECT b.account_id, b.lab, b.attempt_id, b.score, a.gated, a.finished_at, b.passed, b.attempts
             FROM best_scores b JOIN attempts a ON a.id = b.attempt_id WHERE b.account_id = $1 AND b.lab = $2",
        )
        .bind(account)
        .bind(&lab)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(best.into()))
    }

    /// Whether it was still running under `token`.
    pub async fn abandon(&self, id: AttemptId, token: &str, reason: &str, at: Moment) -> StoreResult<bool> {
        let done = sqlx::query(
            "UPDATE attempts SET state = 'abandoned', reason = $3, finished_at = $4
             WHERE id = $1 AND token = $2 AND state = 'running'",
        )
        .bind(id.get())
        .bind(token)
        .bind(reason)
        .bind(at.millis())
        .execute(self.0.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn by_id(&self, id: AttemptId) -> StoreResult<Option<Attempt>> {
        let row: Option<Row> =
            sqlx::query_as("SELECT * FROM attempts WHERE id = $1").bind(id.get()).fetch_optional(self.0.pool()).await?;
        row.map(TryInto::try_into).transpose()
    }

    /// All that are being graded, with who does it.
    pub async fn running(&self) -> StoreResult<Vec<(Attempt, Claim)>> {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM attempts WHERE state = 'running' ORDER BY id")
            .fetch_all(self.0.pool())
            .await?;
        let mut running = Vec::with_capacity(rows.len());
        for row in rows {
            let attempt = Attempt::try_from(row)?;
            if let AttemptState::Running(claim) = &attempt.state {
                let claim = claim.clone();
                running.push((attempt, claim));
            }
        }
        Ok(running)
    }

    /// The done attempts of an account at a lab, the latest first.
    pub async fn done(&self, account: AccountId, lab: &str) -> StoreResult<Vec<(AttemptId, Outcome)>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM attempts WHERE account_id = $1 AND lab = $2 AND state = 'done' ORDER BY id DESC LIMIT 100",
        )
        .bind(account.get())
        .bind(lab)
        .fetch_all(self.0.pool())
        .await?;
        let mut done = Vec::with_capacity(rows.len());
        for row in rows {
            let attempt = Attempt::try_from(row)?;
            if let AttemptState::Done(outcome) = attempt.state {
                done.push((attempt.id, outcome));
            }
        }
        Ok(done)
    }

    /// Lab → best, of one account.
    pub async fn best_of(&self, account: AccountId) -> StoreResult<BTreeMap<String, Best>> {
        let rows: Vec<BestRow> = sqlx::query_as(
            "SELECT b.account_id, b.lab, b.attempt_id, b.score, a.gated, a.finished_at, b.passed, b.attempts
             FROM best_scores b JOIN attempts a ON a.id = b.attempt_id WHERE b.account_id = $1",
        )
        .bind(account.get())
        .fetch_all(self.0.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.lab.clone(), row.into())).collect())
    }

    /// Everybody's, for the instructor's matrix.
    pub async fn all_best(&self) -> StoreResult<Vec<Best>> {
        let rows: Vec<BestRow> = sqlx::query_as(
            "SELECT b.account_id, b.lab, b.attempt_id, b.score, a.gated, a.finished_at, b.passed, b.attempts
             FROM best_scores b JOIN attempts a ON a.id = b.attempt_id ORDER BY b.account_id, b.lab",
        )
        .fetch_all(self.0.pool())
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
