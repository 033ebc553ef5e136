//! What an account has read, and how its quizzes went.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::{AccountId, Store, StoreError, StoreResult};
use crate::clock::Moment;
use bulkhead_app::api::course::Answer;

/// The last submission of a lesson's quiz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuizRecord {
    pub answers: Vec<Answer>,
    pub correct: usize,
    pub total: usize,
    /// This submission, or one before it.
    pub passed: bool,
    pub at: Moment,
}

#[derive(FromRow)]
struct QuizRow {
    answers: String,
    correct: i64,
    total: i64,
    passed: i64,
    at: i64,
}

impl TryFrom<QuizRow> for QuizRecord {
    type Error = StoreError;

    fn try_from(row: QuizRow) -> StoreResult<Self> {
        let Ok(answers) = serde_json::from_str(&row.answers) else {
            return Err(StoreError::Corrupt { table: "quiz_results", column: "answers", value: row.answers });
        };
        Ok(Self {
            answers,
            correct: usize::try_from(row.correct).unwrap_or_default(),
            total: usize::try_from(row.total).unwrap_or_default(),
            passed: row.passed != 0,
            at: Moment::from_millis(row.at),
        })
    }
}

pub struct ReadingTable<'s>(&'s Store);

impl Store {
    pub fn reading(&self) -> ReadingTable<'_> {
        ReadingTable(self)
    }
}

impl ReadingTable<'_> {
    pub async fn mark_read(&self, account: AccountId, lesson: &str, at: Moment) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO lesson_reads (account_id, lesson, first_at, last_at) VALUES ($1, $2, $3, $3)
             ON CONFLICT (account_id, lesson) DO UPDATE SET last_at = excluded.last_at",
        )
        .bind(account.get())
        .bind(lesson)
        .bind(at.millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Lesson → when it was last read.
    pub async fn lessons_read(&self, account: AccountId) -> StoreResult<BTreeMap<String, Moment>> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT lesson, last_at FROM lesson_reads WHERE account_id = $1")
            .bind(account.get())
            .fetch_all(self.0.pool())
            .await?;
        Ok(rows.into_iter().map(|(lesson, at)| (lesson, Moment::from_millis(at))).collect())
    }

    /// Every account's lessons read, as (account, lesson).
    pub async fn all_lessons_read(&self) -> StoreResult<Vec<(AccountId, String)>> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT account_id, lesson FROM lesson_reads ORDER BY account_id")
                .fetch_all(self.0.pool())
                .await?;
        Ok(rows.into_iter().map(|(account, lesson)| (AccountId::new(account), lesson)).collect())
    }

    /// Replaces the last submission. A quiz once passed stays passed.
    pub async fn record_quiz(&self, account: AccountId, lesson: &str, record: &QuizRecord) -> StoreResult<()> {
        let answers = serde_json::to_string(&record.answers).unwrap_or_else(|_| "[]".to_owned());
        sqlx::query(
            "INSERT INTO quiz_results (account_id, lesson, answers, correct, total, passed, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (account_id, lesson) DO UPDATE SET
                answers = excluded.answers, correct = excluded.correct, total = excluded.total, at = excluded.at,
                passed = CASE WHEN quiz_results.passed = 1 THEN 1 ELSE excluded.passed END",
        )
        .bind(account.get())
        .bind(lesson)
        .bind(answers)
        .bind(i64::try_from(record.correct).unwrap_or(i64::MAX))
        .bind(i64::try_from(record.total).unwrap_or(i64::MAX))
        .bind(i64::from(record.passed))
        .bind(record.at.millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    pub async fn quiz(&self, account: AccountId, lesson: &str) -> StoreResult<Option<QuizRecord>> {
        let row: Option<QuizRow> = sqlx::query_as(
            "SELECT answers, correct, total, passed, at FROM quiz_results WHERE account_id = $1 AND lesson = $2",
        )
        .bind(account.get())
        .bind(lesson)
        .fetch_optional(self.0.pool())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Lesson → whether its quiz was ever passed, for each lesson whose quiz was submitted.
    pub async fn quizzes_passed(&self, account: AccountId) -> StoreResult<BTreeMap<String, bool>> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT lesson, passed FROM quiz_results WHERE account_id = $1")
            .bind(account.get())
            .fetch_all(self.0.pool())
            .await?;
        Ok(rows.into_iter().map(|(lesson, passed)| (lesson, passed != 0)).collect())
    }

    /// Every account's passed quizzes, as (account, lesson).
    pub async fn all_quizzes_passed(&self) -> StoreResult<Vec<(AccountId, String)>> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT account_id, lesson FROM quiz_results WHERE passed = 1 ORDER BY account_id")
                .fetch_all(self.0.pool())
                .await?;
        Ok(rows.into_iter().map(|(account, lesson)| (AccountId::new(account), lesson)).collect())
    }
}
