//! Every page renders, whole and well-formed, in each of its states. The pages are also written to
//! `$CARGO_TARGET_TMPDIR/pages`, to be looked at: serve that folder beside the site folder's `assets` and `pkg`.
//!
//! ```text
//! html     reading a page without a browser
//! sample   made-up data, as the server would hand it over
//! ```

mod html;
mod sample;

use std::{fs, path::Path};

use bulkhead_app::{
    Assets, Page, PageRequest,
    api::{ApiError, Caller},
    page::{Credentials, Rendered},
};

fn pages() -> Vec<(&'static str, &'static str, Caller, Page)> {
    use sample::{account, course, lab, progress, test};
    let refused = |field: &str, message: &str| Some(ApiError::Invalid { field: field.into(), message: message.into() });
    let signed = Credentials {
        email: "ada@example.org".into(),
        next: "/labs/read-only-but-alive".into(),
        ..Credentials::default()
    };
    vec![
        ("outline", "/", account::student(), Page::Outline(course::outline())),
        ("outline-anonymous", "/", Caller::ANONYMOUS, Page::Outline(course::outline())),
        ("outline-empty", "/", account::local(), Page::Outline(course::empty())),
        (
            "lesson",
            "/learn/containers/overlay",
            account::student(),
            Page::Lesson { lesson: course::lesson(), outline: course::outline() },
        ),
        (
            "lesson-answered",
            "/learn/containers/overlay",
            account::student(),
            Page::Lesson { lesson: course::answered(), outline: course::outline() },
        ),
        ("search", "/search", account::student(), Page::Search { query: "overlay".into(), hits: course::hits() }),
        ("search-none", "/search", account::student(), Page::Search { query: "zebra".into(), hits: vec![] }),
        ("search-empty", "/search", account::student(), Page::Search { query: String::new(), hits: vec![] }),
        ("test", "/learn/m/test", account::student(), Page::Test(test::start())),
        ("test-open", "/learn/m/test", account::student(), Page::Test(test::open())),
        ("test-taken", "/learn/m/test", account::student(), Page::Test(test::taken())),
        ("summary", "/learn/m/summary", account::student(), Page::Summary(course::summary())),
        ("print", "/print", account::student(), Page::Print(course::whole())),
        ("glossary", "/glossary", account::student(), Page::Glossary(course::glossary())),
        ("glossary-empty", "/glossary", account::student(), Page::Glossary(vec![])),
        ("labs", "/labs", account::student(), Page::Labs(lab::cards())),
        ("labs-empty", "/labs", account::student(), Page::Labs(vec![])),
        ("lab-idle", "/labs/read-only-but-alive", account::student(), Page::Lab(lab::idle())),
        ("lab-anonymous", "/labs/read-only-but-alive", Caller::ANONYMOUS, Page::Lab(lab::idle())),
        ("lab-elsewhere", "/labs/read-only-but-alive", account::student(), Page::Lab(lab::elsewhere())),
        ("lab-starting", "/labs/read-only-but-alive", account::student(), Page::Lab(lab::starting())),
        ("lab-failed", "/labs/read-only-but-alive", account::student(), Page::Lab(lab::failed())),
        ("lab-expired", "/labs/read-only-but-alive", account::student(), Page::Lab(lab::expired())),
        ("lab-running", "/labs/read-only-but-alive", account::local(), Page::Lab(lab::running())),
        ("progress", "/progress", account::student(), Page::Progress(progress::mine())),
        ("progress-empty", "/progress", account::student(), Page::Progress(progress::nothing())),
        ("class", "/class", account::instructor(), Page::Class(progress::matrix(24))),
        ("class-empty", "/class", account::instructor(), Page::Class(progress::matrix(0))),
        (
            "account",
            "/account",
            account::student(),
            Page::Account { sessions: account::sessions(), typed: None, error: None },
        ),
        ("account-local", "/account", account::local(), Page::Account { sessions: vec![], typed: None, error: None }),
        (
            "account-refused",
            "/account",
            account::student(),
            Page::Account {
                typed: None,
                sessions: account::sessions(),
                error: refused("old", "This is not your present password."),
            },
        ),
        ("sign-in", "/sign-in", Caller::ANONYMOUS, Page::SignIn(signed.clone())),
        (
            "sign-in-refused",
            "/sign-in",
            Caller::ANONYMOUS,
            Page::SignIn(Credentials { error: Some(ApiError::Unauthenticated), ..signed.clone() }),
        ),
        (
            "sign-up-refused",
            "/sign-up",
            Caller::ANONYMOUS,
            Page::SignUp(Credentials { error: refused("password", "Ten characters or more."), ..signed }),
        ),
        ("about", "/about", account::student(), Page::About { version: "0.1.0".into(), parts: account::parts() }),
        ("not-found", "/nowhere", account::student(), Page::Problem(ApiError::NotFound)),
        ("unauthenticated", "/progress", Caller::ANONYMOUS, Page::Problem(ApiError::Unauthenticated)),
        ("internal", "/labs", account::student(), Page::Problem(ApiError::Internal { request_id: "01JD4Q".into() })),
    ]
}

fn render(path: &str, query: &str, caller: Caller, page: Page) -> Rendered {
    bulkhead_app::render(PageRequest {
        caller,
        path: path.into(),
        query: query.into(),
        assets: Assets::new("0123456789abcdef"),
        page,
    })
}

#[test]
fn every_page_is_whole() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder).unwrap();
    for (name, path, caller, page) in pages() {
        let rendered = render(path, "", caller, page);
        fs::write(folder.join(format!("{name}.html")), &rendered.html).unwrap();
        html::assert_whole(name, &rendered.html);
        assert!(rendered.nonce.len() >= 16, "{name}: no nonce");
    }
}

/// The policy allows scripts by nonce and no inline style at all.
#[test]
fn every_page_obeys_the_policy() {
    for (name, path, caller, page) in pages() {
        let Rendered { html, nonce, .. } = render(path, "", caller, page);
        for tag in html::tags(&html, "script") {
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{name}: {tag}");
        }
        for tag in html::all_tags(&html) {
            assert!(!tag.contains(" style=") && !tag.contains(" onclick="), "{name}: {tag}");
        }
    }
}

#[test]
fn nonces_are_never_reused() {
    let one = render("/", "", Caller::ANONYMOUS, Page::Labs(vec![])).nonce;
    let two = render("/", "", Caller::ANONYMOUS, Page::Labs(vec![])).nonce;
    assert_ne!(one, two);
}

#[test]
fn a_refusal_has_its_status() {
    let status = |page| render("/", "", Caller::ANONYMOUS, page).status;
    assert_eq!(status(Page::Problem(ApiError::NotFound)), 404);
    assert_eq!(
        status(Page::SignIn(Credentials { error: Some(ApiError::Unauthenticated), ..Credentials::default() })),
        401
    );
    assert_eq!(status(Page::SignIn(Credentials::default())), 200);
}

#[test]
fn what_others_wrote_is_escaped() {
    let mut matrix = sample::progress::matrix(1);
    matrix.students[0].name = "<script>alert(1)</script>".into();
    let html = render("/class", "", sample::account::instructor(), Page::Class(matrix)).html;
    assert!(!html.contains("<script>alert"), "a name became markup");
    let html =
        render("/search", "", Caller::ANONYMOUS, Page::Search { query: "\"><img src=x>".into(), hits: vec![] }).html;
    assert!(!html.contains("<img"), "a query became markup");
}

#[test]
fn instructors_alone_see_the_way_to_the_class() {
    let has =
        |caller| render("/", "", caller, Page::Outline(sample::course::outline())).html.contains("href=\"/class\"");
    assert!(has(sample::account::instructor()));
    assert!(!has(sample::account::student()));
    assert!(!has(Caller::ANONYMOUS));
}

#[test]
fn local_mode_says_so() {
    let html = render("/", "", sample::account::local(), Page::Outline(sample::course::outline())).html;
    assert!(html.contains("Local mode: served on this machine only"));
    assert!(!html.contains("/sign-out"));
}

/// Everything that matters can be done where no WASM runs.
#[test]
fn a_lab_can_be_worked_with_plain_forms() {
    let idle = render("/labs/x", "", sample::account::student(), Page::Lab(sample::lab::idle())).html;
    assert!(idle.contains("action=\"/api/start_lab\""));
    let elsewhere = render("/labs/x", "", sample::account::student(), Page::Lab(sample::lab::elsewhere())).html;
    assert!(
        !elsewhere.contains("start_lab") && html::text(&elsewhere).contains("here is v1"),
        "what cannot start is not offered"
    );
    let running = render("/labs/x", "", sample::account::student(), Page::Lab(sample::lab::running())).html;
    for action in ["check_lab", "extend_lab", "reset_lab", "stop_lab", "hint", "answer"] {
        assert!(running.contains(&format!("action=\"/api/{action}\"")), "{action}");
    }
}

#[test]
fn only_who_has_a_sandbox_waits_for_news_of_it() {
    let told = |caller| {
        let html = render("/labs/x", "", caller, Page::Lab(sample::lab::idle())).html.replace("&quot;", "\"");
        (html.contains("\"told\":true"), html.contains("\"told\":false"))
    };
    assert!(told(sample::account::student()).0);
    let (yes, no) = told(Caller::ANONYMOUS);
    assert!(no && !yes);
}

#[test]
fn every_task_is_one_step_from_the_head() {
    let html = render("/labs/x", "", sample::account::student(), Page::Lab(sample::lab::running())).html;
    for task in sample::lab::running().tasks {
        assert!(html.contains(&format!("href=\"#task-{}\"", task.id)), "no way to {}", task.id);
    }
}

#[test]
fn a_failed_check_shows_its_evidence_and_a_failed_look_costs_nothing() {
    let html = render("/labs/x", "", sample::account::student(), Page::Lab(sample::lab::running())).html;
    let text = html::text(&html);
    for expected in
        ["Expected", "Observed", "Why it matters", "CIS 5.13", "Could not check because", "never counts against you"]
    {
        assert!(text.contains(expected), "{expected}");
    }
}

/// A quiz's key is not on the page before the quiz was answered.
#[test]
fn the_key_of_a_quiz_stays_away_until_it_was_answered() {
    let page = |lesson| {
        render(
            "/learn/x/y",
            "",
            sample::account::student(),
            Page::Lesson { lesson, outline: sample::course::outline() },
        )
        .html
    };
    assert!(!page(sample::course::lesson()).contains("data-right"));
    assert!(page(sample::course::answered()).contains("data-right=\"yes\""));
}

/// Its keys are on the page only after it was handed in, and then it cannot be handed in again.
#[test]
fn a_test_is_closed_once_its_keys_are_shown() {
    let page = |test| render("/test", "", sample::account::student(), Page::Test(test)).html;
    let open = page(sample::test::open());
    assert!(open.contains("Hand in") && open.contains("name=\"paper\" value=\"7\"") && !open.contains("data-right"));
    assert!(html::text(&open).contains("You were wrong about this before."));
    let taken = page(sample::test::taken());
    assert!(
        !taken.contains("Hand in")
            && taken.contains("data-right=\"yes\"")
            && taken.contains("/learn/m/test/new") | taken.contains("/new")
    );
    let tags = taken.split('<').filter_map(|tag| tag.split('>').next());
    let fields: Vec<&str> = tags.filter(|tag| tag.contains(" name=\"q.")).collect();
    assert!(fields.len() > 4 && fields.iter().all(|tag| tag.contains(" disabled")), "{fields:?}");
    assert!(html::text(&taken).contains("Read again: Read-only root file systems"));
}

/// As a plain form: the places of the items come in the order in which the items are shown.
#[test]
fn an_order_is_put_together_without_a_pointer() {
    let lesson = sample::course::answered();
    let caller = sample::account::student();
    let html = render("/learn/x/y", "", caller, Page::Lesson { lesson, outline: sample::course::outline() }).html;
    assert_eq!(html.matches("<select name=\"q.layers\"").count(), 3);
    assert!(html::text(&html).contains("Belongs in place 3:"));
    let fields = [("q.layers", "2"), ("q.layers", "0"), ("q.layers", "1")];
    assert_eq!(bulkhead_app::forms::quiz_answers(fields)[0].choices, [2, 0, 1]);
}
