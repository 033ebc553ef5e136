//! `POST /account/name`

use axum::{Form, response::Response};
use bulkhead_app::api::Backend;
use serde::Deserialize;

use crate::http::{
    page,
    visit::{Visit, onward},
};

#[derive(Deserialize)]
pub(in crate::http) struct Input {
    name: String,
}

pub(in crate::http) async fn submit(visit: Visit, Form(input): Form<Input>) -> Response {
    match visit.platform.rename(&visit.caller, input.name.clone()).await {
        Ok(()) => onward("/account?done=name"),
        Err(error) => page::account::show_with(visit, Some(input.name), Some(error)).await,
    }
}
