//! The instructor's matrix.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::ssr::{answer, asked_by};
use crate::api::{ApiError, progress::Matrix};

#[server(prefix = "/api", endpoint = "class_matrix")]
pub async fn class_matrix() -> Result<Matrix, ApiError> {
    let (backend, caller) = asked_by()?;
    answer(backend.matrix(&caller).await)
}
