//! Whatever was asked for cannot be shown: what happened, and what next.

use leptos::prelude::*;

use crate::api::ApiError;

pub(crate) fn title(error: &ApiError) -> &'static str {
    match error {
        ApiError::NotFound => "There is nothing here",
        ApiError::Unauthenticated => "Sign in to go on",
        ApiError::Invalid { .. } => "That could not be read",
        ApiError::Conflict { .. } => "Not now",
        ApiError::RateLimited { .. } => "Too many tries",
        ApiError::Unavailable { .. } => "Something outside does not answer",
        ApiError::Internal { .. } => "Something went wrong on our side",
    }
}

fn next(error: &ApiError) -> String {
    match error {
        ApiError::NotFound => "The address may be mistyped, or it belongs to somebody else.".into(),
        ApiError::Unauthenticated => "Labs and progress belong to an account. Lessons can be read without one.".into(),
        ApiError::Internal { request_id } => {
            format!("Try again. If it stays so, tell the operator the reference {request_id}.")
        }
        other => other.to_string(),
    }
}

#[component]
pub(crate) fn ProblemView(error: ApiError, path: String) -> impl IntoView {
    view! {
        <div class="page sign">
            <p class="status">{error.status()}</p>
            <h1>{title(&error)}</h1>
            <p class="lead">{next(&error)}</p>
            <p class="actions">
                {matches!(error, ApiError::Unauthenticated).then(|| view! { <a class="button" href=format!("/sign-in?next={path}")>"Sign in"</a> })}
                <a class="button plain" href="/">"To the course"</a>
                <a class="button plain" href="/search">"Search"</a>
            </p>
        </div>
    }
}
