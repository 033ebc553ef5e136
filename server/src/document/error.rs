//! What a browser sees where the app itself cannot answer.

use askama::Template;
use axum::http::StatusCode;

/// A fixed text for each status, and the request's id to tell the people who run this.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    pub status: u16,
    pub title: &'static str,
    pub text: &'a str,
    pub request_id: &'a str,
    /// Version of the site, for its style sheet.
    pub assets: &'a str,
}

impl<'a> ErrorPage<'a> {
    pub fn new(status: StatusCode, request_id: &'a str, assets: &'a str) -> Self {
        let (title, text) = wording(status);
        Self { status: status.as_u16(), title, text, request_id, assets }
    }

    /// The page, or its bare text should the template fail.
    pub fn html(&self) -> String {
        self.render().unwrap_or_else(|_| format!("{}: {}", self.title, self.request_id))
    }
}

/// Title and text of a status.
pub(crate) fn wording(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => (
            "The request makes no sense",
            "Something in the address or the form is not as it should be. Go back and try again.",
        ),
        401 => ("Sign in to go on", "Your session ended, or you have not signed in yet."),
        403 => (
            "Refused",
            "The request did not come from a page of this site. Open the site in its own tab and try again.",
        ),
        404 => ("There is nothing here", "The address is wrong, or what was here is gone."),
        405 => ("Not that way", "This address answers to another kind of request."),
        408 | 504 => ("That took too long", "The server gave up on the request. Try again in a moment."),
        409 => ("Not now", "What you asked for does not fit its present state. Reload the page."),
        413 => ("Too much at once", "What you sent is larger than this site takes. Send less."),
        415 | 422 => {
            ("The form was not understood", "A field is missing or is not as it should be. Go back and try again.")
        }
        421 => (
            "Wrong address",
            "This platform does not answer under the name that was asked for. Use the address that it printed when it started.",
        ),
        429 => ("Too many tries", "Wait a little, then try again."),
        503 => ("Not available right now", "Something that this page needs does not answer. Try again in a moment."),
        _ if status.is_server_error() => (
            "Something went wrong on our side",
            "It is written down. If it happens again, pass the reference on to whoever runs this platform.",
        ),
        _ => ("That did not work", "Go back and try again."),
    }
}
