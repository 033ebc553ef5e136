//! `POST /account/password`

use axum::{Form, response::Response};
use bulkhead_app::api::Backend;
use serde::Deserialize;

use crate::http::{
    page,
    visit::{Visit, onward},
};

#[derive(Deserialize)]
pub(in crate::http) struct Input {
    old: String,
    new: String,
}

pub(in crate::http) async fn submit(visit: Visit, Form(input): Form<Input>) -> Response {
    match visit.platform.change_password(&visit.caller, input.old, input.new).await {
        Ok(()) => onward("/account?done=password"),
        Err(error) => page::account::show_with(visit, None, Some(error)).await,
    }
}
