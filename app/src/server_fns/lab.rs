//! A lab's sandbox, checks, hints, answers and terminals.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::ssr::{answer as answered, asked_by};
#[cfg(feature = "ssr")]
use crate::api::lab::CheckScope;
use crate::api::{
    ApiError,
    lab::{HintView, SandboxView, TerminalView},
};

#[server(prefix = "/api", endpoint = "start_lab")]
pub async fn start_lab(lab: String) -> Result<SandboxView, ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.start_lab(&caller, &lab).await)
}

#[server(prefix = "/api", endpoint = "extend_lab")]
pub async fn extend_lab(lab: String) -> Result<SandboxView, ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.extend_lab(&caller, &lab).await)
}

#[server(prefix = "/api", endpoint = "reset_lab")]
pub async fn reset_lab(lab: String) -> Result<SandboxView, ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.reset_lab(&caller, &lab).await)
}

#[server(prefix = "/api", endpoint = "stop_lab")]
pub async fn stop_lab(lab: String) -> Result<(), ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.stop_lab(&caller, &lab).await)
}

/// Checks one task, or all where `task` is absent.
#[server(prefix = "/api", endpoint = "check_lab")]
pub async fn check_lab(lab: String, task: Option<String>) -> Result<(), ApiError> {
    let (backend, caller) = asked_by()?;
    let scope = task.map_or(CheckScope::All, |id| CheckScope::Task { id });
    answered(backend.check_lab(&caller, &lab, scope).await)
}

#[server(name = AskHint, prefix = "/api", endpoint = "hint")]
pub async fn hint(lab: String, task: String, index: u8) -> Result<HintView, ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.hint(&caller, &lab, &task, index).await)
}

#[server(name = SendAnswer, prefix = "/api", endpoint = "answer")]
pub async fn answer(lab: String, task: String, check: String, text: String) -> Result<(), ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.answer(&caller, &lab, &task, &check, text).await)
}

#[server(prefix = "/api", endpoint = "open_terminal")]
pub async fn open_terminal(lab: String, machine: String) -> Result<TerminalView, ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.open_terminal(&caller, &lab, &machine).await)
}

#[server(prefix = "/api", endpoint = "close_terminal")]
pub async fn close_terminal(lab: String, terminal: u32) -> Result<(), ApiError> {
    let (backend, caller) = asked_by()?;
    answered(backend.close_terminal(&caller, &lab, terminal).await)
}
