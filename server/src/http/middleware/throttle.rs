//! So many changes per account, or per address of those who are not signed in.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Method, header::UPGRADE},
    middleware::Next,
    response::Response,
};
use bulkhead_app::api::Caller;

use super::{ClientAddress, refusal};
use crate::{
    account::{Limit, Subject},
    backend::{Fault, Platform},
    store::AccountId,
};

pub(in crate::http) async fn throttle(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD) && !request.headers().contains_key(UPGRADE);
    if !reads
        && let Some(subject) = subject(&request)
        && let Err(error) = platform.accounts.limits().check(Limit::Change, &subject)
    {
        return refusal(error.shown());
    }
    next.run(request).await
}

fn subject(request: &Request) -> Option<Subject> {
    let account = request.extensions().get::<Caller>().and_then(|caller| caller.account.as_ref());
    let address = request.extensions().get::<ClientAddress>();
    account
        .map(|account| Subject::Account(AccountId::new(account.id)))
        .or_else(|| address.map(|address| Subject::Address(address.0)))
}
