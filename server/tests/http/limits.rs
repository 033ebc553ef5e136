//! Tries and sizes.

use std::time::Duration;

use axum::http::Method;
use bulkhead_app::api::Role;

use crate::harness::{Client, PASSWORD, TestApp};

#[tokio::test]
async fn guessing_one_password_is_slow_from_anywhere() {
    let app = TestApp::public().await;
    app.account("ada", Role::Student).await;
    app.account("bob", Role::Student).await;
    for last in 0..10 {
        let mut guesser = app.anonymous().at([198, 51, 100, last]);
        guesser.sign_in("Ada@example.org", "a wrong password").await.expect_status(422);
    }
    let mut guesser = app.anonymous().at([203, 0, 113, 1]);
    let answer = guesser.sign_in("ada@example.org", PASSWORD).await.expect_status(429);
    assert_eq!(answer.header("retry-after"), Some("60"));
    answer.expect_text("ada@example.org").expect_no_text(PASSWORD);
    guesser.sign_in("bob@example.org", PASSWORD).await.expect_redirect("/");
    app.advance(Duration::from_mins(1));
    app.anonymous().sign_in("ada@example.org", PASSWORD).await.expect_redirect("/");
}

#[tokio::test]
async fn guessing_many_passwords_from_one_address_is_slow() {
    let app = TestApp::public().await;
    let mut refused = 0;
    for number in 0..110 {
        let answer = app.anonymous().sign_in(&format!("nobody{number}@example.org"), "a wrong password").await;
        refused += u32::from(answer.status.as_u16() == 429);
    }
    assert_eq!(refused, 10);
    app.account("ada", Role::Student).await;
    app.anonymous().at([198, 51, 100, 9]).sign_in("ada@example.org", PASSWORD).await.expect_redirect("/");
}

#[tokio::test]
async fn changes_are_counted_by_account_not_by_address() {
    let app = TestApp::public().await;
    let (busy, other) = (app.student().await, app.instructor().await);
    let rename = async |client: &Client<'_>| client.post("/account/name").form(&[("name", "x")]).send().await;
    let mut answers = Vec::new();
    for _ in 0..121 {
        answers.push(rename(&busy).await.status.as_u16());
    }
    assert!(answers[..120].iter().all(|status| *status == 303), "{answers:?}");
    assert_eq!(answers[120], 429);
    assert_eq!(rename(&other).await.status.as_u16(), 303);
    busy.get("/account").send().await.expect_status(200);
    app.advance(Duration::from_secs(1));
    assert_eq!(rename(&busy).await.status.as_u16(), 303);
}

#[tokio::test]
async fn nothing_large_is_read() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let huge = "x".repeat(10 << 20);
    let quiz = student.post("/learn/start/namespaces/quiz").form(&[("q.error", &huge)]);
    quiz.send().await.expect_status(413).expect_text("Too much at once");
    let answer = student.post("/api/answer").form(&[("lab", "read-only-but-alive"), ("text", &huge)]);
    answer.header("accept", "application/json").send().await.expect_status(413);
    student.get(&format!("/search?q={}", "x".repeat(20_000))).send().await.expect_status(200);
}

#[tokio::test]
async fn a_body_that_does_not_say_its_size_is_cut_off_too() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let huge = format!("q.error={}", "x".repeat(10 << 20));
    let request = student.post("/learn/start/namespaces/quiz").body(huge, "application/x-www-form-urlencoded");
    request.unsized_body().send().await.expect_status(413);
}

#[tokio::test]
async fn odd_requests_are_answered_with_odd_statuses() {
    let app = TestApp::public().await;
    let student = app.student().await;
    student.post("/account/name").body("{}", "application/json").send().await.expect_status(415);
    student.post("/account/name").form(&[]).send().await.expect_status(422);
    student.post("/progress").send().await.expect_status(405);
    student.request(Method::DELETE, "/account").header("sec-fetch-site", "same-origin").send().await.expect_status(405);
    student.get("/labs/%2e%2e%2f%2e%2e/report/x").send().await.expect_status(400);
    student.get("/labs/read-only-but-alive/report/99999999999999999999").send().await.expect_status(400);
    student.get("/learn/start/%00").send().await.expect_status(404);
}
