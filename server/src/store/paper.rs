//! Tests: the questions that an account was given, how it went, and what it was wrong about.

use sqlx::FromRow;

use super::{AccountId, Store, StoreError, StoreResult};
use crate::clock::Moment;
use bulkhead_app::api::course::Answer;

/// The questions of a test as they were given last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Keys over the whole course, in order.
    pub questions: Vec<String>,
    pub drawn_at: Moment,
    /// `None`: not handed in yet.
    pub taken: Option<Taken>,
    pub standing: Standing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub answers: Vec<Answer>,
    pub at: Moment,
}

/// How an account stands with a test, over all its papers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Per cent.
    pub best: Option<u8>,
    pub passed: bool,
    pub taken: u32,
}

/// What came of a paper that was handed in.
#[derive(Clone, Debug)]
pub struct HandedIn {
    pub answers: Vec<Answer>,
    pub percent: u8,
    pub passed: bool,
    pub at: Moment,
    /// Each question's key, and whether it was right.
    pub marks: Vec<(String, bool)>,
}

#[derive(FromRow)]
struct PaperRow {
    questions: String,
    drawn_at: i64,
    answers: Option<String>,
    taken_at: Option<i64>,
    best: Option<i64>,
    passed: i64,
    taken: i64,
}

impl TryFrom<PaperRow> for Paper {
    type Error = StoreError;

    fn try_from(row: PaperRow) -> StoreResult<Self> {
        let corrupt = |column, value| StoreError::Corrupt { table: "papers", column, value };
        let Ok(questions) = serde_json::from_str(&row.questions) else {
            return Err(corrupt("questions", row.questions));
        };
        let taken = match (row.answers, row.taken_at) {
            (Some(answers), Some(at)) => {
                let Ok(answers) = serde_json::from_str(&answers) else { return Err(corrupt("answers", answers)) };
                Some(Taken { answers, at: Moment::from_millis(at) })
            }
            _ => None,
        };
        let standing = standing(row.best, row.passed, row.taken);
        Ok(Self { questions, drawn_at: Moment::from_millis(row.drawn_at), taken, standing })
    }
}

fn standing(best: Option<i64>, passed: i64, taken: i64) -> Standing {
    Standing {
        best: best.and_then(|best| u8::try_from(best).ok()),
        passed: passed != 0,
        taken: u32::try_from(taken).unwrap_or_default(),
    }
}

pub struct PaperTable<'s>(&'s Store);

impl Store {
    pub fn papers(&self) -> PaperTable<'_> {
        PaperTable(self)
    }
}

impl PaperTable<'_> {
    pub async fn paper(&self, account: AccountId, test: &str) -> StoreResult<Option<Paper>> {
        let row: Option<PaperRow> = sqlx::query_as(
            "SELECT questions, drawn_at, answers, taken_at, best, passed, taken FROM papers
             WHERE account_id = $1 AND test = $2",
        )
        .bind(account.get())
        .bind(test)
        .fetch_optional(self.0.pool())
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// A new paper in place of the one before; what was reached stays.
    pub async fn draw(&self, account: AccountId, test: &str, questions: &[String], at: Moment) -> StoreResult<()> {
        let questions = serde_json::to_string(questions).unwrap_or_else(|_| "[]".to_owned());
        sqlx::query(
            "INSERT INTO papers (account_id, test, questions, drawn_at, passed, taken) VALUES ($1, $2, $3, $4, 0, 0)
             ON CONFLICT (account_id, test) DO UPDATE SET
                questions = excluded.questions, drawn_at = excluded.drawn_at, answers = NULL, taken_at = NULL",
        )
        .bind(account.get())
        .bind(test)
        .bind(questions)
        .bind(at.millis())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    /// Hands in the paper that was drawn at `drawn_at`. `false`: it was handed in already, or another was drawn.
    pub async fn hand_in(
        &self,
        account: AccountId,
        test: &str,
        drawn_at: Moment,
        handed: &HandedIn,
    ) -> StoreResult<bool> {
        let answers = serde_json::to_string(&handed.answers).unwrap_or_else(|_| "[]".to_owned());
        let mut transaction = self.0.begin().await?;
        let changed = sqlx::query(
            "UPDATE papers SET answers = $4, taken_at = $5, taken = taken + 1,
                best = CASE WHEN best IS NOT NULL AND best > $6 THEN best ELSE $6 END,
                passed = CASE WHEN passed = 1 THEN 1 ELSE $7 END
             WHERE account_id = $1 AND test = $2 AND drawn_at = $3 AND answers IS NULL",
        )
        .bind(account.get())
        .bind(test)
        .bind(drawn_at.millis())
        .bind(answers)
        .bind(handed.at.millis())
        .bind(i64::from(handed.percent))
        .bind(i64::from(handed.passed))
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        for (question, right) in &handed.marks {
            asked(account, question, *right, handed.at).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Whether an account was right about questions outside of a test.
    pub async fn record(&self, account: AccountId, marks: &[(String, bool)], at: Moment) -> StoreResult<()> {
        let mut transaction = self.0.begin().await?;
        for (question, right) in marks {
            asked(account, question, *right, at).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What the account was ever wrong about: first where it was wrong last time, then by how often.
    pub async fn missed(&self, account: AccountId) -> StoreResult<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT question FROM asked WHERE account_id = $1 AND misses > 0
             ORDER BY right_last, misses DESC, at DESC, question LIMIT 200",
        )
        .bind(account.get())
        .fetch_all(self.0.pool())
        .await?;
        Ok(rows.into_iter().map(|(question,)| question).collect())
    }

    /// Every test that the account was given a paper of.
    pub async fn standings(&self, account: AccountId) -> StoreResult<Vec<(String, Standing)>> {
        let rows: Vec<(String, Option<i64>, i64, i64)> =
            sqlx::query_as("SELECT test, best, passed, taken FROM papers WHERE account_id = $1 ORDER BY test")
                .bind(account.get())
                .fetch_all(self.0.pool())
                .await?;
        Ok(rows.into_iter().map(|(test, best, passed, taken)| (test, standing(best, passed, taken))).collect())
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn asked(account: AccountId, question: &str, right: bool, at: Moment) -> Query<'_> {
    sqlx::query(
        "INSERT INTO asked (account_id, question, hits, misses, right_last, at) VALUES ($1, $2, $3, $4, $3, $5)
         ON CONFLICT (account_id, question) DO UPDATE SET
            hits = asked.hits + excluded.hits, misses = asked.misses + excluded.misses,
            right_last = excluded.right_last, at = excluded.at",
    )
    .bind(account.get())
    .bind(question.to_owned())
    .bind(i64::from(right))
    .bind(i64::from(!right))
    .bind(at.millis())
}
