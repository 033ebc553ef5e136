//! `POST` below `/learn/{module}/test` and `/test`: draw a paper, hand it in.

use axum::{Form, extract::Path, response::Response};
use bulkhead_app::{
    api::{ApiError, Backend},
    forms::quiz_answers,
};

use crate::http::visit::{Visit, onward};

type Fields = Form<Vec<(String, String)>>;

pub(in crate::http) async fn draw_module(visit: Visit, Path(module): Path<String>) -> Response {
    draw(visit, Some(&module)).await
}

pub(in crate::http) async fn draw_course(visit: Visit) -> Response {
    draw(visit, None).await
}

pub(in crate::http) async fn hand_in_module(visit: Visit, Path(module): Path<String>, fields: Fields) -> Response {
    hand_in(visit, Some(&module), fields).await
}

pub(in crate::http) async fn hand_in_course(visit: Visit, fields: Fields) -> Response {
    hand_in(visit, None, fields).await
}

async fn draw(visit: Visit, module: Option<&str>) -> Response {
    match visit.platform.draw_test(&visit.caller, module).await {
        Ok(()) => onward(&address(module)),
        Err(error) => visit.problem(error),
    }
}

async fn hand_in(visit: Visit, module: Option<&str>, Form(fields): Fields) -> Response {
    let paper = fields.iter().find(|(name, _)| name == "paper").and_then(|(_, value)| value.parse().ok());
    let Some(paper) = paper else {
        let message = "The form names no paper. Open the test and hand it in from there.".to_owned();
        return visit.problem(ApiError::Invalid { field: "paper".to_owned(), message });
    };
    let answers = quiz_answers(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    match visit.platform.hand_in_test(&visit.caller, module, paper, answers).await {
        Ok(_) => onward(&address(module)),
        Err(error) => visit.problem(error),
    }
}

fn address(module: Option<&str>) -> String {
    module.map_or_else(|| "/test".to_owned(), |module| format!("/learn/{module}/test"))
}
