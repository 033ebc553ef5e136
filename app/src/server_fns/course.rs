//! Reading.

use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::ssr::{answer, asked_by};
use crate::api::{
    ApiError,
    course::{Answer, QuizResult},
};

#[server(prefix = "/api", endpoint = "submit_quiz", input = Json)]
pub async fn submit_quiz(lesson: String, answers: Vec<Answer>) -> Result<QuizResult, ApiError> {
    let (backend, caller) = asked_by()?;
    answer(backend.submit_quiz(&caller, &lesson, answers).await)
}
