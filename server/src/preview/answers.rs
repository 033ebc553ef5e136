//! What a quiz or a test makes of answers. Nothing is kept: the page comes back with the marks, and without them again.

use std::sync::Arc;

use axum::{
    Form, Json,
    extract::{OriginalUri, Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use bulkhead_app::{
    Page,
    api::{
        ApiError,
        course::{Answer, QuizResult},
    },
    forms::quiz_answers,
};
use serde::Deserialize;

use super::Preview;
use crate::backend::{
    course::{marked, open_quiz},
    test,
};

type Fields = Form<Vec<(String, String)>>;

fn answers(Form(fields): &Fields) -> Vec<Answer> {
    quiz_answers(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// What the quiz's island sends, awake.
#[derive(Deserialize)]
pub(super) struct Submitted {
    lesson: String,
    answers: Vec<Answer>,
}

pub(super) async fn island(State(preview): State<Arc<Preview>>, Json(submitted): Json<Submitted>) -> Response {
    let marks = preview.read(&preview.edition(), |shelf, reader| -> Result<QuizResult, ApiError> {
        let placed = shelf.find(reader, &submitted.lesson)?;
        Ok(marked(placed.lesson.quiz.as_ref().ok_or(ApiError::NotFound)?, submitted.answers))
    });
    match marks {
        Ok(marks) => Json(marks).into_response(),
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(error)).into_response()
        }
    }
}

/// The same as a plain form.
pub(super) async fn quiz(
    State(preview): State<Arc<Preview>>,
    uri: OriginalUri,
    Path((module, lesson)): Path<(String, String)>,
    fields: Fields,
) -> Response {
    let folder = format!("{module}/{lesson}/");
    preview.show(
        uri,
        |file| file.starts_with(&folder),
        |shelf, reader| {
            let placed = shelf.find(reader, folder.trim_end_matches('/'))?;
            let mut quiz = open_quiz(placed.lesson).ok_or(ApiError::NotFound)?;
            quiz.result = placed.lesson.quiz.as_ref().map(|keys| marked(keys, answers(&fields)));
            let outline = shelf.outline(reader, &test::offered(shelf.course, reader, &[]));
            Ok(Page::Lesson { lesson: shelf.lesson(reader, &placed, Some(quiz)), outline })
        },
    )
}

pub(super) async fn test_of_module(
    State(preview): State<Arc<Preview>>,
    uri: OriginalUri,
    Path(module): Path<String>,
    fields: Fields,
) -> Response {
    hand_in(&preview, uri, Some(&module), &fields)
}

pub(super) async fn test_of_course(State(preview): State<Arc<Preview>>, uri: OriginalUri, fields: Fields) -> Response {
    hand_in(&preview, uri, None, &fields)
}

fn hand_in(preview: &Preview, uri: OriginalUri, module: Option<&str>, fields: &Fields) -> Response {
    let file = module.map(|module| format!("{module}/test.md"));
    preview.show(
        uri,
        |other| file.as_deref() == Some(other),
        |shelf, reader| test::whole(shelf.course, reader, module, Some(answers(fields))).map(Page::Test),
    )
}

/// "Draw another": the same questions, open again.
pub(super) async fn again(OriginalUri(uri): OriginalUri) -> Redirect {
    Redirect::to(uri.path().trim_end_matches("/new"))
}
