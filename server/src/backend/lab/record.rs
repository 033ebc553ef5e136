//! Scores and attempts, for a student's progress and the instructor's matrix.

use std::collections::{BTreeMap, BTreeSet};

use bulkhead_app::api::{
    ApiResult,
    progress::{AttemptRow, LabProgress, MatrixCell, MatrixLab},
};

use super::report_href;
use crate::{
    backend::{Fault, Platform},
    store::AccountId,
};

/// Lab → the account's best score.
pub(in crate::backend) async fn best_scores(
    platform: &Platform,
    account: AccountId,
) -> ApiResult<BTreeMap<String, u8>> {
    let best = platform.store.attempts().best_of(account).await.map_err(Fault::shown)?;
    Ok(best.into_iter().map(|(lab, best)| (lab, best.score)).collect())
}

/// The account's attempts, one entry for each installed lab.
pub(in crate::backend) async fn progress(platform: &Platform, account: AccountId) -> ApiResult<Vec<LabProgress>> {
    let attempts = platform.store.attempts();
    let best = attempts.best_of(account).await.map_err(Fault::shown)?;
    let mut labs = Vec::new();
    for lab in platform.live.catalog.graded() {
        let id = lab.id.as_str();
        let done = attempts.done(account, id).await.map_err(Fault::shown)?;
        labs.push(LabProgress {
            lab: id.to_owned(),
            title: lab.title.clone(),
            best_score: best.get(id).map(|best| best.score),
            passed: best.get(id).is_some_and(|best| best.passed),
            attempts: done
                .into_iter()
                .map(|(attempt, outcome)| AttemptRow {
                    id: attempt.get(),
                    score: outcome.score,
                    passed: outcome.passed,
                    at: outcome.finished_at.rfc3339(),
                    report_href: report_href(id, attempt.get()),
                })
                .collect(),
        });
    }
    Ok(labs)
}

/// The matrix's columns.
pub(in crate::backend) fn matrix_labs(platform: &Platform) -> Vec<MatrixLab> {
    let labs = platform.live.catalog.graded();
    labs.map(|lab| MatrixLab { id: lab.id.to_string(), title: lab.title.clone() }).collect()
}

/// The matrix's cells that are not empty.
pub(in crate::backend) async fn matrix_cells(
    platform: &Platform,
) -> ApiResult<BTreeMap<(AccountId, String), MatrixCell>> {
    let best = platform.store.attempts().all_best().await.map_err(Fault::shown)?;
    let live: BTreeSet<_> = platform.store.sandboxes().open_labs().await.map_err(Fault::shown)?.into_iter().collect();
    let mut cells: BTreeMap<_, _> = best
        .into_iter()
        .map(|best| {
            let cell = MatrixCell {
                best_score: Some(best.score),
                passed: best.passed,
                attempts: best.attempts,
                live: false,
                report_href: Some(report_href(&best.lab, best.attempt.get())),
            };
            ((best.account, best.lab), cell)
        })
        .collect();
    for key in live {
        let empty = MatrixCell { best_score: None, passed: false, attempts: 0, live: false, report_href: None };
        cells.entry(key).or_insert(empty).live = true;
    }
    Ok(cells)
}
