//! What is shown where something is refused.

use crate::harness::{Answer, TestApp};

#[tokio::test]
async fn nothing_is_where_nothing_is() {
    let app = TestApp::public().await;
    for path in
        ["/nowhere", "/learn/start/nowhere", "/learn/start/announced", "/labs/nowhere", "/learn/start/secret-draft"]
    {
        app.student().await.get(path).send().await.expect_status(404).expect_text("There is nothing here");
    }
}

#[tokio::test]
async fn a_refusal_that_no_page_made_is_a_page() {
    let app = TestApp::public().await;
    let answer = app.anonymous().post("/sign-out").header("origin", "https://evil.example").send().await;
    insta::assert_snapshot!("foreign_origin", shown(&app, answer));
}

#[tokio::test]
async fn programs_are_told_in_their_own_words() {
    let app = TestApp::public().await;
    let call = app.anonymous().post("/api/start_lab").form(&[("lab", "x")]).header("accept", "application/json");
    insta::assert_snapshot!("server_function_without_session", shown(&app, call.send().await));
    let events = app.anonymous().get("/events/lab/read-only-but-alive").header("accept", "text/event-stream");
    insta::assert_snapshot!("events_without_session", shown(&app, events.send().await));
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_the_callers_fault() {
    let app = TestApp::public().await;
    let student = app.student().await;
    for arguments in [&[("nothing", "known")][..], &[]] {
        let call = student.post("/api/start_lab").form(arguments).header("accept", "application/json");
        call.send().await.expect_status(422).expect_text("lab");
    }
}

#[tokio::test]
async fn what_broke_inside_is_not_told() {
    let app = TestApp::public().await;
    let student = app.student().await;
    app.platform.store.close().await;
    let answer = student.get("/progress").send().await.expect_status(500).expect_no_text("sqlx").expect_no_text("pool");
    let id = answer.header("x-request-id").expect("an id").to_owned();
    insta::assert_snapshot!("database_gone", shown(&app, answer.expect_text(&id)));
    app.anonymous().get("/healthz").send().await.expect_status(503).expect_text("the database does not answer");
}

/// Status, the headers that matter, and the body, without what differs each time.
fn shown(app: &TestApp, answer: Answer) -> String {
    let id = answer.header("x-request-id").expect("an id");
    assert_eq!(id.len(), 12);
    let header = |name: &str| answer.header(name).unwrap_or("-").to_owned();
    let text = format!(
        "{}\ncontent-type: {}\ncontent-security-policy: {}\ncache-control: {}\n\n{}",
        answer.status,
        header("content-type"),
        header("content-security-policy"),
        header("cache-control"),
        answer.body
    );
    text.replace(id, "[request id]").replace(&*app.platform.site.version(), "[version]")
}
