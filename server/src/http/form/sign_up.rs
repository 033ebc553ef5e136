//! `POST /sign-up`

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
    account::NewUser,
    backend::Fault,
    http::{
        ClientAddress,
        visit::{Visit, onward},
    },
};

#[derive(Deserialize)]
pub(in crate::http) struct Input {
    name: String,
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
    match sign_up(&visit, &session, address, &headers, &input).await {
        Ok(()) => onward(&input.next),
        Err(error @ ApiError::Internal { .. }) => visit.problem(error),
        Err(error) => {
            let Input { name, email, next, .. } = input;
            visit.show(Page::SignUp(Credentials { name, email, next, error: Some(error) }))
        }
    }
}

async fn sign_up(
    visit: &Visit,
    session: &Session,
    address: ClientAddress,
    headers: &HeaderMap,
    input: &Input,
) -> ApiResult<()> {
    let user = NewUser { name: &input.name, email: &input.email, password: &input.password };
    let account = visit.platform.accounts.sign_up(user, address.0).await.map_err(Fault::shown)?;
    session::begin(session, &account, headers).await
}
