//! `POST /learn/{module}/{lesson}/quiz`

use axum::{Form, extract::Path, response::Response};
use bulkhead_app::{api::Backend, forms::quiz_answers};

use crate::http::visit::{Visit, onward};

pub(in crate::http) async fn submit(
    visit: Visit,
    Path((module, lesson)): Path<(String, String)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let path = format!("{module}/{lesson}");
    let answers = quiz_answers(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    match visit.platform.submit_quiz(&visit.caller, &path, answers).await {
        Ok(_) => onward(&format!("/learn/{path}#quiz")),
        Err(error) => visit.problem(error),
    }
}
