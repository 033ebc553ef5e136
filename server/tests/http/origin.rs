//! Other sites, and other names for this one.

use axum::http::Method;

use crate::harness::TestApp;

#[tokio::test]
async fn a_form_on_another_site_changes_nothing() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let rename = || student.request(Method::POST, "/account/name").form(&[("name", "Mallory")]);
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        rename().header(header, value).send().await.expect_status(403);
    }
    rename().send().await.expect_status(403);
    rename()
        .header("sec-fetch-site", "same-origin")
        .header("origin", "https://evil.example")
        .send()
        .await
        .expect_status(403);
    let account = app.account("student", bulkhead_app::api::Role::Student).await;
    assert_eq!(account.name, "student");

    rename().header("sec-fetch-site", "same-origin").send().await.expect_redirect("/account?done=name");
    rename().header("origin", "http://localhost:7000").send().await.expect_redirect("/account?done=name");
}

#[tokio::test]
async fn server_functions_and_sockets_are_no_exception() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let call = student.post("/api/start_lab").form(&[("lab", "read-only-but-alive")]);
    let answer = call.header("accept", "application/json").header("origin", "https://evil.example").send().await;
    let answer = answer.expect_status(403);
    let said: bulkhead_app::api::ApiError = serde_json::from_str(&answer.body).expect("an error that islands read");
    assert!(matches!(said, bulkhead_app::api::ApiError::Unavailable { .. }), "{said:?}");
    assert!(app.platform.store.sandboxes().alive().await.expect("asked").is_empty());

    let socket = student
        .get("/ws/sandbox/any/terminal/1")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .without("sec-fetch-site");
    socket.header("origin", "https://evil.example").send().await.expect_status(403);
}

#[tokio::test]
async fn the_public_origin_is_the_only_one() {
    let app = TestApp::secure().await;
    let post =
        |origin: &str| app.anonymous().post("/sign-out").header("host", "labs.example.org").header("origin", origin);
    post("https://labs.example.org").send().await.expect_redirect("/");
    post("http://labs.example.org").send().await.expect_status(403);
    let get = |host: &str, path: &str| app.anonymous().get(path).header("host", host);
    get("labs.example.org", "/").send().await.expect_status(200);
    get("10.0.0.7:7000", "/").send().await.expect_status(421);
    get("10.0.0.7:7000", "/healthz").send().await.expect_status(200);
}

#[tokio::test]
async fn a_name_that_was_re_pointed_here_gets_nothing() {
    let app = TestApp::local().await;
    let get = |host: &str| app.anonymous().get("/progress").header("host", host);
    for local in ["localhost:7000", "127.0.0.1:7000", "[::1]:7000"] {
        get(local).send().await.expect_status(200);
    }
    for foreign in ["evil.example", "evil.example:7000", "localhost.evil.example:7000", "192.168.1.5:7000"] {
        get(foreign).send().await.expect_status(421).expect_no_text("Local learner").expect_text("Wrong address");
    }
    app.anonymous().get("/progress").without("host").send().await.expect_status(400);
    let post =
        app.anonymous().post("/api/start_lab").header("host", "evil.example").header("origin", "http://evil.example");
    post.form(&[("lab", "read-only-but-alive")]).send().await.expect_status(421);
}
