//! What the server hands over to have a page rendered, and what it gets back.
//!
//! Rendering is pure and synchronous: every page gets its data whole, so there is nothing to wait for and nothing to stream.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::{
    nonce::{provide_nonce, use_nonce},
    prelude::*,
};
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        ApiError, Caller,
        account::SessionView,
        course::{GlossaryTerm, LessonPage, Outline, SearchHit},
        lab::{LabCard, LabPage},
        print::{SummarySheet, WholeCourse},
        progress::{Matrix, MyProgress},
        test::TestPage,
    },
    shell::Shell,
};

/// One request for a page.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub caller: Caller,
    /// Path of the request, `/labs/read-only-but-alive`: marks the navigation, comes back after sign-in.
    pub path: String,
    /// Query of the request without `?`; notices are read from it.
    pub query: String,
    pub assets: Assets,
    pub page: Page,
}

/// Version of the embedded site: a hash over its files, put behind every asset's address as `?v=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    pub version: Arc<str>,
}

impl Assets {
    pub fn new(version: impl Into<Arc<str>>) -> Self {
        Self { version: version.into() }
    }

    pub(crate) fn href(&self, path: &str) -> String {
        format!("{path}?v={}", self.version)
    }
}

/// A page with all that it shows.
#[derive(Clone, Debug)]
pub enum Page {
    /// `/`
    Outline(Outline),
    /// `/learn/{module}/{lesson}`; the outline fills the sidebar.
    Lesson { lesson: LessonPage, outline: Outline },
    /// `/search?q=`; an empty query shows the empty field.
    Search { query: String, hits: Vec<SearchHit> },
    /// `/learn/{module}/summary`
    Summary(SummarySheet),
    /// `/print`
    Print(WholeCourse),
    /// `/glossary`
    Glossary(Vec<GlossaryTerm>),
    /// `/learn/{module}/test`, `/test`
    Test(TestPage),
    /// `/labs`
    Labs(Vec<LabCard>),
    /// `/labs/{id}`
    Lab(LabPage),
    /// `/progress`
    Progress(MyProgress),
    /// `/class`
    Class(Matrix),
    /// `/account`; `error` where a form of the page was refused.
    /// `typed`: the name that `error` is about.
    Account { sessions: Vec<SessionView>, typed: Option<String>, error: Option<ApiError> },
    /// `/sign-in`
    SignIn(Credentials),
    /// `/sign-up`
    SignUp(Credentials),
    /// `/about`
    About { version: String, parts: Vec<Part> },
    /// Whatever was asked for cannot be shown; `Unauthenticated` shows the way to sign in.
    Problem(ApiError),
}

/// What the sign-in and sign-up forms show again after they were refused. Never the password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    pub name: String,
    pub email: String,
    /// Where to go afterwards; passed through [`crate::forms::local_path`] by the page.
    pub next: String,
    /// [`ApiError::Invalid`] with field `name`, `email` or `password` marks the input; others stand above the form.
    pub error: Option<ApiError>,
}

/// An embedded work of others, for the about page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    pub version: String,
    pub licence: String,
    /// `npm` or `crate`.
    pub kind: String,
    /// Text of the licence, where it has to be passed on.
    #[serde(default)]
    pub text: String,
}

/// Reads `licences.json` of the site folder: a list of [`Part`].
pub fn licences(json: &[u8]) -> Result<Vec<Part>, serde_json::Error> {
    serde_json::from_slice(json)
}

/// A page ready to send.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub status: u16,
    pub html: String,
    /// Goes into `script-src` and `style-src` of the response's CSP.
    pub nonce: String,
}

/// Renders one page.
pub fn render(request: PageRequest) -> Rendered {
    let status = match &request.page {
        Page::Problem(error) | Page::Account { error: Some(error), .. } => error.status(),
        Page::SignIn(form) | Page::SignUp(form) => form.error.as_ref().map_or(200, ApiError::status),
        _ => 200,
    };
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let (html, nonce) = owner.with(|| {
        provide_nonce();
        let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
        (view! { <Shell request/> }.to_html(), nonce)
    });
    owner.unset_with_forced_cleanup();
    Rendered { status, html, nonce }
}
