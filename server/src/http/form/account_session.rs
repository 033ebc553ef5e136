//! `POST /account/sessions/end`

use axum::{Form, response::Response};
use bulkhead_app::api::Backend;
use serde::Deserialize;

use crate::http::{
    page,
    visit::{Visit, onward},
};

#[derive(Deserialize)]
pub(in crate::http) struct Input {
    handle: String,
}

pub(in crate::http) async fn submit(visit: Visit, Form(input): Form<Input>) -> Response {
    match visit.platform.end_session(&visit.caller, input.handle).await {
        Ok(()) => onward("/account?done=session"),
        Err(error) => page::account::show_with(visit, None, Some(error)).await,
    }
}
