//! Name, password, and the browsers that are signed in.

use leptos::prelude::*;

use super::sign::Field;
use crate::{
    api::{ApiError, Caller, Role, account::SessionView},
    ui::{Glyph, Icon, time},
};

#[component]
pub(crate) fn AccountView(
    caller: Caller,
    sessions: Vec<SessionView>,
    typed: Option<String>,
    error: Option<ApiError>,
) -> impl IntoView {
    let Some(account) = caller.account else {
        return view! { <super::problem::ProblemView error=ApiError::Unauthenticated path="/account".to_owned()/> }
            .into_any();
    };
    let role = match account.role {
        Role::Student => "Student",
        Role::Instructor => "Instructor",
        Role::Admin => "Administrator",
    };
    let about = |field: &str| error.as_ref().and_then(|e| e.about(field)).map(str::to_owned);
    let general = error
        .as_ref()
        .filter(|e| !matches!(e, ApiError::Invalid { field, .. } if ["name", "old", "new"].contains(&field.as_str())))
        .map(ToString::to_string);
    let (wrong_name, wrong_old, wrong_new) = (about("name"), about("old"), about("new"));
    view! {
        <div class="page narrow">
            <h1>"Account"</h1>
            {general.map(|text| view! { <p class="notice bad" role="alert"><Icon glyph=Glyph::Warn/>{text}</p> })}
            <dl class="pairs"><dt>"E-mail"</dt><dd>{account.email}</dd><dt>"Role"</dt><dd>{role}</dd></dl>
            <section>
                <h2>"Name"</h2>
                <form class="stack" method="post" action="/account/name">
                    <Field name="name" label="As instructors and reports show it" kind="text" value=typed.unwrap_or(account.name) autocomplete="name" wrong=wrong_name/>
                    <button>"Save name"</button>
                </form>
            </section>
            {if caller.local {
                view! { <section><h2>"Password"</h2><p class="faint">"Local mode signs you in at once and serves this machine only, so there is no password."</p></section> }.into_any()
            } else {
                view! {
                    <section>
                        <h2>"Password"</h2>
                        <form class="stack" method="post" action="/account/password">
                            <Field name="old" label="Present password" kind="password" value=String::new() autocomplete="current-password" wrong=wrong_old/>
                            <Field name="new" label="New password, 10 characters or more" kind="password" value=String::new() autocomplete="new-password" wrong=wrong_new/>
                            <button>"Change password"</button>
                        </form>
                    </section>
                    <section>
                        <h2>"Signed-in browsers"</h2>
                        <ul class="sessions">{sessions.into_iter().map(|session| view! { <Session session/> }).collect_view()}</ul>
                        <form method="post" action="/sign-out"><button class="plain">"Sign out here"</button></form>
                    </section>
                }.into_any()
            }}
        </div>
    }
    .into_any()
}

/// What a reader calls a browser that sends this. Every one of them names others as well, so the order counts.
fn browser(user_agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    let program = named(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome or Chromium"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        _ => user_agent.to_owned(),
    }
}

#[component]
fn Session(session: SessionView) -> impl IntoView {
    view! {
        <li>
            <div><p title=session.user_agent.clone()>{browser(&session.user_agent)}</p><p class="faint">"Last seen "{time::stamp(&session.last_seen)}</p></div>
            {if session.current {
                view! { <span class="tag">"this browser"</span> }.into_any()
            } else {
                view! {
                    <form method="post" action="/account/sessions/end">
                        <input r#type="hidden" name="handle" value=session.handle/>
                        <button class="plain small">"Sign out"</button>
                    </form>
                }.into_any()
            }}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_called_by_its_name() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome or Chromium on Linux");
        assert_eq!(browser(&format!("{chrome} Edg/156.0.0.0")), "Edge on Linux");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";
        assert_eq!(browser(safari), "Safari on iPhone");
        assert_eq!(browser("curl/8.14.1"), "curl/8.14.1");
    }
}
