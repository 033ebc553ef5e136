//! What a student has before him in a lab: verdicts, answers, hints.

use std::collections::{BTreeMap, BTreeSet};

use bulkhead_labs::{engine::SandboxId, grade::CheckResult};

use super::{AccountId, Store, StoreResult, Transaction};
use crate::clock::Moment;

pub struct LabStateTable<'s>(&'s Store);

impl Store {
    pub fn lab_state(&self) -> LabStateTable<'_> {
        LabStateTable(self)
    }
}

pub(super) async fn write_verdicts(
    transaction: &mut Transaction,
    sandbox: &str,
    generation: i64,
    results: &[CheckResult],
    at: Moment,
) -> StoreResult<()> {
    for result in results {
        sqlx::query(
            "INSERT INTO verdicts (sandbox_id, generation, check_id, result, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (sandbox_id, generation, check_id) DO UPDATE SET result = excluded.result, at = excluded.at",
        )
        .bind(sandbox)
        .bind(generation)
        .bind(&result.check)
        .bind(serde_json::to_string(result).unwrap_or_else(|_| "{}".to_owned()))
        .bind(at.millis())
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

impl LabStateTable<'_> {
    /// [`StoreError::Orphan`](super::StoreError::Orphan): the sandbox's row is gone.
    pub async fn put_verdicts(
        &self,
        sandbox: &SandboxId,
        generation: u32,
        results: &[CheckResult],
        at: Moment,
    ) -> StoreResult<()> {
        let mut transaction = self.0.begin().await?;
        write_verdicts(&mut transaction, sandbox.as_str(), i64::from(generation), results, at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The last verdict of each check, by its id. What an older version wrote and this one cannot read is left out.
    pub async fn verdicts(&self, sandbox: &SandboxId, generation: u32) -> StoreResult<BTreeMap<String, CheckResult>> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT check_id, result FROM verdicts WHERE sandbox_id = $1 AND generation = $2")
                .bind(sandbox.as_str())
                .bind(i64::from(generation))
                .fetch_all(self.0.pool())
                .await?;
        Ok(rows.into_iter().filter_map(|(check, result)| Some((check, serde_json::from_str(&result).ok()?))).collect())
    }

    pub async fn put_answer(
        &self,
        sandbox: &SandboxId,
        generation: u32,
        check: &str,
        text: &str,
        at: Moment,
    ) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO answers (sandbox_id, generation, check_id, text, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (sandbox_id, generation, check_id) DO UPDATE SET text = excluded.text, at = excluded.at",
        )
        .bind(sandbox.as_str())
        .bind(i64::from(generation))
        .bind(check)
        .bind(text)
        .bind(at.millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Check → answer.
    pub async fn answers(&self, sandbox: &SandboxId, generation: u32) -> StoreResult<BTreeMap<String, String>> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT check_id, text FROM answers WHERE sandbox_id = $1 AND generation = $2")
                .bind(sandbox.as_str())
                .bind(i64::from(generation))
                .fetch_all(self.0.pool())
                .await?;
        Ok(rows.into_iter().collect())
    }

    /// Idempotent; the first time counts.
    pub async fn reveal_hint(
        &self,
        account: AccountId,
        lab: &str,
        task: &str,
        number: u8,
        at: Moment,
    ) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO hints (account_id, lab, task, number, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account_id, lab, task, number) DO NOTHING",
        )
        .bind(account.get())
        .bind(lab)
        .bind(task)
        .bind(i64::from(number))
        .bind(at.millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Hints that the account has seen, as (task, number).
    pub async fn hints(&self, account: AccountId, lab: &str) -> StoreResult<BTreeSet<(String, u8)>> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT task, number FROM hints WHERE account_id = $1 AND lab = $2")
                .bind(account.get())
                .bind(lab)
                .fetch_all(self.0.pool())
                .await?;
        Ok(rows.into_iter().filter_map(|(task, number)| Some((task, u8::try_from(number).ok()?))).collect())
    }
}
