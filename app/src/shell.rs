//! The document around every page: head, header, navigation, notices, footer.

use leptos::{nonce::use_nonce, prelude::*};

use crate::{
    api::{ApiError, Caller, Role},
    islands::{keyboard::Keyboard, theme::ThemeToggle},
    page::{Assets, Page, PageRequest},
    pages,
    ui::{Glyph, Icon},
};

/// Sets the chosen theme before anything is painted; without a choice the system's own holds.
const THEME: &str = "try{const t=localStorage.getItem('theme');if(t==='light'||t==='dark')document.documentElement.dataset.theme=t}catch{}";

#[component]
pub(crate) fn Shell(request: PageRequest) -> impl IntoView {
    let PageRequest { caller, path, query, assets, page } = request;
    let nonce = use_nonce();
    let title = match page.title() {
        Some(title) => format!("{title} · Bulkhead"),
        None => "Bulkhead · Docker Security - Internals".to_owned(),
    };
    let workspace = matches!(page, Page::Lab(_));
    // Who reads loads no islands of a workspace.
    let module = if workspace || matches!(page, Page::Class(_)) { "/pkg/front.js" } else { "/pkg/read.js" };
    let class = if workspace { "workspace" } else { "" };
    let notice = notice(&query);
    let local = caller.local;
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                <script nonce=nonce.clone()>{THEME}</script>
                <link rel="preload" href="/assets/fonts/sans.woff2" r#as="font" r#type="font/woff2" crossorigin="anonymous"/>
                <link rel="preload" href="/assets/fonts/mono.woff2" r#as="font" r#type="font/woff2" crossorigin="anonymous"/>
                <link rel="stylesheet" href=assets.href("/assets/app.css")/>
                <link rel="icon" r#type="image/svg+xml" href=assets.href("/assets/favicon.svg")/>
                {workspace.then(|| view! { <script r#type="module" nonce=nonce.clone() src=assets.href("/assets/terminal.js")></script> })}
                <link rel="modulepreload" href=assets.href(module)/>
                <script r#type="module" nonce=nonce src=assets.href("/assets/boot.js")></script>
            </head>
            <body class=class>
                <a class="skip" href="#main">"Skip to content"</a>
                <Header caller=caller.clone() path=path.clone()/>
                {notice.map(|notice| view! { <Banner notice/> })}
                <main id="main" tabindex="-1">{pages::body(page, caller, path)}</main>
                {(!workspace).then(|| view! { <Footer local assets/> })}
                <Keyboard/>
            </body>
        </html>
    }
}

#[component]
fn Header(caller: Caller, path: String) -> impl IntoView {
    let entry = |href: &'static str, label: &'static str| {
        let here = if href == "/" { path == "/" || path.starts_with("/learn/") } else { path.starts_with(href) };
        view! { <a href=href aria-current=here.then_some("page")>{label}</a> }
    };
    let instructor = caller.at_least(Role::Instructor);
    let signed_in = caller.account.is_some();
    view! {
        <header class="top">
            <a class="brand" href="/" aria-label="Bulkhead, to the course">
                <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
                    <rect x="3.25" y="5.25" width="25.5" height="21.5" rx="3"></rect>
                    <path d="M11.5 5v22M20.5 5v22"></path>
                    <path class="hold" d="M11.5 5.5h9v21h-9z"></path>
                </svg>
                <span>"Bulkhead"</span>
            </a>
            <nav class="top-nav" aria-label="Main">
                {entry("/", "Course")}
                {entry("/labs", "Labs")}
                {signed_in.then(|| entry("/progress", "Progress"))}
                {instructor.then(|| entry("/class", "Class"))}
            </nav>
            <form class="top-search" role="search" aria-label="Site" action="/search" method="get">
                <Icon glyph=Glyph::Search/>
                <input r#type="search" name="q" aria-label="Search the course" placeholder="Search" autocomplete="off"/>
                <kbd aria-hidden="true">"/"</kbd>
            </form>
            <ThemeToggle/>
            <Who caller path/>
        </header>
    }
}

#[component]
fn Who(caller: Caller, path: String) -> impl IntoView {
    match (caller.account, caller.local) {
        (Some(account), true) => view! {
            <a class="who" href="/account" title="Local mode: served on this machine only, signed in at once">
                <span class="tag">"local"</span>
                <span class="who-name">{account.name}</span>
            </a>
        }
        .into_any(),
        (Some(account), false) => view! {
            <a class="who" href="/account"><Icon glyph=Glyph::Person/><span class="who-name">{account.name}</span></a>
            <form method="post" action="/sign-out" class="who-out">
                <button class="quiet" title="Sign out"><Icon glyph=Glyph::Out/><span class="sr">"Sign out"</span></button>
            </form>
        }
        .into_any(),
        (None, _) => view! { <a class="button small" href=format!("/sign-in?next={path}")>"Sign in"</a> }.into_any(),
    }
}

#[component]
fn Footer(local: bool, assets: Assets) -> impl IntoView {
    let version = assets.version.chars().take(8).collect::<String>();
    view! {
        <footer class="foot">
            <p>"Docker Security - Internals"</p>
            <p>{local.then_some("Local mode: served on this machine only.")}</p>
            <p><a href="/glossary">"Glossary"</a>" "<a href="/about">"About and licences"</a>" "<span class="faint">"site "{version}</span></p>
        </footer>
    }
}

enum Notice {
    Done(&'static str),
    Refused(ApiError),
}

#[component]
fn Banner(notice: Notice) -> impl IntoView {
    let (class, glyph, text) = match notice {
        Notice::Done(text) => ("notice good", Glyph::Check, text.to_owned()),
        Notice::Refused(error) => ("notice bad", Glyph::Warn, error.to_string()),
    };
    view! { <div class=class role="status"><Icon glyph/><p>{text}</p></div> }
}

/// What a redirect after a plain form wants said: ours (`done`), or a server function's error (`__err`).
fn notice(query: &str) -> Option<Notice> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(name, value)| match (name, value) {
        ("done", "name") => Some(Notice::Done("Your name is changed.")),
        ("done", "password") => Some(Notice::Done("Your password is changed. Other browsers are signed out.")),
        ("done", "session") => Some(Notice::Done("That browser is signed out.")),
        ("__err", encoded) => Some(Notice::Refused(ServerFnUrlError::decode_err(&encoded.replace("%3D", "=")))),
        _ => None,
    })
}

use leptos::server_fn::error::ServerFnUrlError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_back_from_the_address() {
        let error = ApiError::Conflict { message: "Stop the other lab first.".into() };
        let url = ServerFnUrlError::new("/api/start_lab", error.clone()).to_url("http://localhost/labs/x").unwrap();
        let Some(Notice::Refused(read)) = notice(url.query().unwrap()) else { panic!("no notice") };
        assert_eq!(read, error);
    }

    #[test]
    fn a_forged_error_says_nothing_of_its_own() {
        let Some(Notice::Refused(read)) = notice("__err=%3Cscript%3E") else { panic!("no notice") };
        assert!(!read.to_string().contains("script"));
    }
}
