//! Labs: everything that the pages ask of the live side.

use std::collections::BTreeMap;

use bulkhead_app::api::{
    ApiError, ApiResult, Caller,
    course::LabLink,
    lab::{CheckScope, HintView, LabCard, LabPage, SandboxView, TerminalView},
    progress::{LabProgress, MatrixCell, MatrixLab},
};

use super::Platform;
use crate::{document::LabReport, store::AccountId};

/// How a lesson or module links to a lab; `None` where the course names a lab that is not installed.
pub(super) fn link(_platform: &Platform, _id: &str, _best_score: Option<u8>) -> Option<LabLink> {
    None
}

/// Lab → the account's best score.
pub(super) async fn best_scores(_platform: &Platform, _account: AccountId) -> ApiResult<BTreeMap<String, u8>> {
    Ok(BTreeMap::new())
}

/// The account's attempts, one entry for each installed lab.
pub(super) async fn progress(_platform: &Platform, _account: AccountId) -> ApiResult<Vec<LabProgress>> {
    Ok(Vec::new())
}

/// The matrix's columns.
pub(super) fn matrix_labs(_platform: &Platform) -> Vec<MatrixLab> {
    Vec::new()
}

/// The matrix's cells that are not empty.
pub(super) async fn matrix_cells(_platform: &Platform) -> ApiResult<BTreeMap<(AccountId, String), MatrixCell>> {
    Ok(BTreeMap::new())
}

pub(super) async fn labs(_platform: &Platform, _caller: &Caller) -> ApiResult<Vec<LabCard>> {
    Ok(Vec::new())
}

pub(super) async fn lab(_platform: &Platform, _caller: &Caller, _lab: &str) -> ApiResult<LabPage> {
    Err(ApiError::NotFound)
}

pub(super) async fn start(_platform: &Platform, _caller: &Caller, _lab: &str) -> ApiResult<SandboxView> {
    Err(ApiError::NotFound)
}

pub(super) async fn extend(_platform: &Platform, _caller: &Caller, _lab: &str) -> ApiResult<SandboxView> {
    Err(ApiError::NotFound)
}

pub(super) async fn reset(_platform: &Platform, _caller: &Caller, _lab: &str) -> ApiResult<SandboxView> {
    Err(ApiError::NotFound)
}

pub(super) async fn stop(_platform: &Platform, _caller: &Caller, _lab: &str) -> ApiResult<()> {
    Err(ApiError::NotFound)
}

pub(super) async fn check(_platform: &Platform, _caller: &Caller, _lab: &str, _scope: CheckScope) -> ApiResult<()> {
    Err(ApiError::NotFound)
}

pub(super) async fn hint(_p: &Platform, _caller: &Caller, _lab: &str, _task: &str, _index: u8) -> ApiResult<HintView> {
    Err(ApiError::NotFound)
}

pub(super) async fn answer(
    _platform: &Platform,
    _caller: &Caller,
    _lab: &str,
    _task: &str,
    _check: &str,
    _text: String,
) -> ApiResult<()> {
    Err(ApiError::NotFound)
}

pub(super) async fn open_terminal(
    _platform: &Platform,
    _caller: &Caller,
    _lab: &str,
    _machine: &str,
) -> ApiResult<TerminalView> {
    Err(ApiError::NotFound)
}

pub(super) async fn close_terminal(
    _platform: &Platform,
    _caller: &Caller,
    _lab: &str,
    _terminal: u32,
) -> ApiResult<()> {
    Err(ApiError::NotFound)
}

/// The printable report: the account's own attempt, or anyone's for instructors (that leaves an audit entry).
pub(super) async fn report(_platform: &Platform, _caller: &Caller, _lab: &str, _attempt: i64) -> ApiResult<LabReport> {
    Err(ApiError::NotFound)
}
