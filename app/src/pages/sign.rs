//! Sign in and sign up: plain forms, shown again with what was wrong.

use leptos::prelude::*;

use crate::{
    api::ApiError,
    forms::local_path,
    page::Credentials,
    ui::{Glyph, Icon},
};

/// A labelled input that says what was wrong with it.
#[component]
pub(crate) fn Field(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    autocomplete: &'static str,
    wrong: Option<String>,
    #[prop(optional)] focus: bool,
) -> impl IntoView {
    let id = format!("field-{name}");
    let why = format!("{id}-wrong");
    let described = wrong.is_some().then(|| why.clone());
    let invalid = wrong.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input id=id name=name r#type=kind value=value autocomplete=autocomplete required="" aria-invalid=invalid aria-describedby=described autofocus=focus.then_some("")/>
            {wrong.map(|text| view! { <p class="wrong" id=why><Icon glyph=Glyph::Warn/>{text}</p> })}
        </div>
    }
    .into_any()
}

/// What is wrong with one input, or with the whole.
fn sorted(error: Option<ApiError>, fields: &[&str]) -> (Option<ApiError>, Option<String>) {
    match error {
        Some(ApiError::Invalid { field, message }) if fields.contains(&field.as_str()) => {
            (Some(ApiError::Invalid { field, message }), None)
        }
        // At a sign-in form "sign in to go on" would say nothing.
        Some(ApiError::Unauthenticated) => (None, Some("E-mail and password do not belong together.".into())),
        Some(other) => (None, Some(other.to_string())),
        None => (None, None),
    }
}

#[component]
pub(crate) fn SignIn(form: Credentials) -> impl IntoView {
    let (field, general) = sorted(form.error, &["email", "password"]);
    let wrong = |name: &str| field.as_ref().and_then(|e| e.about(name)).map(str::to_owned);
    let next = local_path(&form.next).to_owned();
    let other = format!("/sign-up?next={next}");
    // Whose address stands there already has the password to type.
    let again = !form.email.is_empty();
    view! {
        <div class="page sign">
            <h1>"Sign in"</h1>
            {general.map(|text| view! { <p class="notice bad" role="alert"><Icon glyph=Glyph::Warn/>{text}</p> })}
            <form class="stack" method="post" action="/sign-in">
                <input r#type="hidden" name="next" value=next/>
                <Field name="email" label="E-mail" kind="email" value=form.email autocomplete="username" wrong=wrong("email") focus=!again/>
                <Field name="password" label="Password" kind="password" value=String::new() autocomplete="current-password" wrong=wrong("password") focus=again/>
                <button>"Sign in"</button>
            </form>
            <p class="faint">"New here? "<a href=other>"Create an account"</a>". Lessons can be read without one; labs and progress need it."</p>
        </div>
    }
}

#[component]
pub(crate) fn SignUp(form: Credentials) -> impl IntoView {
    let (field, general) = sorted(form.error, &["name", "email", "password"]);
    let wrong = |name: &str| field.as_ref().and_then(|e| e.about(name)).map(str::to_owned);
    let next = local_path(&form.next).to_owned();
    let other = format!("/sign-in?next={next}");
    view! {
        <div class="page sign">
            <h1>"Create an account"</h1>
            {general.map(|text| view! { <p class="notice bad" role="alert"><Icon glyph=Glyph::Warn/>{text}</p> })}
            <form class="stack" method="post" action="/sign-up">
                <input r#type="hidden" name="next" value=next/>
                <Field name="name" label="Name" kind="text" value=form.name autocomplete="name" wrong=wrong("name") focus=true/>
                <Field name="email" label="E-mail" kind="email" value=form.email autocomplete="username" wrong=wrong("email")/>
                <Field name="password" label="Password, 10 characters or more" kind="password" value=String::new() autocomplete="new-password" wrong=wrong("password")/>
                <button>"Create account"</button>
            </form>
            <p class="faint">"Have one? "<a href=other>"Sign in"</a>"."</p>
        </div>
    }
}
