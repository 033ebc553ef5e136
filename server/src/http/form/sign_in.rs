//! `POST /sign-in`

use axum::{Extension, Form, http::HeaderMap, response::Response};
use bulkhead_app::{
    Page,
    api::{ApiError, ApiResult},
    page::Credentials,
};
use serde::Deserialize;
use tower_sessions::Session;

use super::session;
use crate::{
    backend::Fault,
    http::{
        ClientAddress,
        visit::{Visit, onward},
    },
};

#[derive(Deserialize)]
pub(in crate::http) struct Input {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

pub(in crate::http) async fn submit(
    visit: Visit,
    Extension(session): Extension<Session>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Response {
    if visit.caller.local {
        return onward(&input.next);
    }
    match sign_in(&visit, &session, address, &headers, &input).await {
        Ok(()) => onward(&input.next),
        Err(error @ ApiError::Internal { .. }) => visit.problem(error),
        Err(error) => {
            let Input { email, next, .. } = input;
            visit.show(Page::SignIn(Credentials { email, next, error: Some(error), ..Credentials::default() }))
        }
    }
}

async fn sign_in(
    visit: &Visit,
    session: &Session,
    address: ClientAddress,
    headers: &HeaderMap,
    input: &Input,
) -> ApiResult<()> {
    let accounts = &visit.platform.accounts;
    let account = accounts.sign_in(&input.email, &input.password, address.0).await.map_err(Fault::shown)?;
    session::begin(session, &account, headers).await
}
