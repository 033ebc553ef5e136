//! One request for a page, and its answer.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, RETRY_AFTER},
        request::Parts,
    },
    response::{Html, IntoResponse, Redirect, Response},
};
use bulkhead_app::{
    Assets, Page, PageRequest, Rendered,
    api::{ApiError, ApiResult, Caller},
};

use super::csp;
use crate::backend::Platform;

pub(super) struct Visit {
    pub(super) platform: Arc<Platform>,
    pub(super) caller: Caller,
    path: String,
    query: String,
}

impl FromRequestParts<Arc<Platform>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, platform: &Arc<Platform>) -> Result<Self, Infallible> {
        Ok(Self {
            platform: Arc::clone(platform),
            caller: parts.extensions.get().cloned().unwrap_or(Caller::ANONYMOUS),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        })
    }
}

impl Visit {
    /// The page, or the page that says why not.
    pub(super) fn answer(self, page: ApiResult<Page>) -> Response {
        match page {
            Ok(page) => self.show(page),
            Err(error) => self.problem(error),
        }
    }

    pub(super) fn problem(self, error: ApiError) -> Response {
        self.show(Page::Problem(error))
    }

    pub(super) fn show(self, page: Page) -> Response {
        let retry = retry_after(&page);
        let rendered = bulkhead_app::render(PageRequest {
            caller: self.caller,
            path: self.path,
            query: self.query,
            assets: Assets::new(self.platform.site.version()),
            page,
        });
        let mut response = response(rendered);
        if let Some(seconds) = retry {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// Whether somebody is signed in, or never has to.
    pub(super) fn is_known(&self) -> bool {
        self.caller.account.is_some()
    }
}

/// A page with the policy that lets its own scripts run, and no others.
pub(crate) fn response(page: Rendered) -> Response {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let policy = HeaderValue::try_from(csp::page(&page.nonce)).unwrap_or(HeaderValue::from_static(csp::NOTHING));
    (status, [(CONTENT_SECURITY_POLICY, policy)], Html(page.html)).into_response()
}

/// 303 to a path on this site.
pub(super) fn onward(next: &str) -> Response {
    Redirect::to(bulkhead_app::forms::local_path(next)).into_response()
}

fn retry_after(page: &Page) -> Option<u32> {
    let error = match page {
        Page::Problem(error) => Some(error),
        Page::Account { error, .. } => error.as_ref(),
        Page::SignIn(form) | Page::SignUp(form) => form.error.as_ref(),
        _ => None,
    };
    match error {
        Some(ApiError::RateLimited { retry_seconds }) => Some(*retry_seconds),
        _ => None,
    }
}
