//! Every route by role. A route that is not in the table fails the test, and so does an answer that changed.

use std::{collections::BTreeSet, fmt::Write as _};

use axum::http::Method;
use bulkhead::http::{Access, SERVER_FUNCTION_ACCESS, table};

use crate::harness::{Answer, Client, TestApp};

/// Method, route, the address that is tried, and the fields that go with it.
type Try = (Method, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const LAB: (&str, &str) = ("lab", "read-only-but-alive");

const TRIES: &[Try] = &[
    (Method::GET, "/healthz", "/healthz", &[]),
    (Method::GET, "/assets/{*path}", "/assets/app.css", &[]),
    (Method::GET, "/pkg/{*path}", "/pkg/nothing.js", &[]),
    (Method::GET, "/", "/", &[]),
    (Method::GET, "/learn/{module}/{lesson}", "/learn/start/namespaces", &[]),
    (Method::POST, "/learn/{module}/{lesson}/quiz", "/learn/start/namespaces/quiz", &[("q.kernel", "1")]),
    (Method::GET, "/learn/{module}/test", "/learn/start/test", &[]),
    (Method::POST, "/learn/{module}/test/new", "/learn/start/test/new", &[]),
    (Method::POST, "/learn/{module}/test", "/learn/start/test", &[("paper", "1")]),
    (Method::GET, "/test", "/test", &[]),
    (Method::POST, "/test/new", "/test/new", &[]),
    (Method::POST, "/test", "/test", &[("paper", "1")]),
    (Method::GET, "/learn/{module}/summary", "/learn/start/summary", &[]),
    (Method::GET, "/print", "/print", &[]),
    (Method::GET, "/glossary", "/glossary", &[]),
    (Method::GET, "/search", "/search?q=kernel", &[]),
    (Method::GET, "/labs", "/labs", &[]),
    (Method::GET, "/labs/{id}", "/labs/read-only-but-alive", &[]),
    (Method::GET, "/labs/{id}/report/{attempt}", "/labs/read-only-but-alive/report/1", &[]),
    (Method::GET, "/progress", "/progress", &[]),
    (Method::GET, "/class", "/class", &[]),
    (Method::GET, "/about", "/about", &[]),
    (Method::GET, "/sign-in", "/sign-in", &[]),
    (Method::POST, "/sign-in", "/sign-in", &[("email", "nobody@example.org"), ("password", "a wrong password")]),
    (Method::GET, "/sign-up", "/sign-up", &[]),
    (Method::POST, "/sign-up", "/sign-up", &[("name", "N"), ("email", "short@example.org"), ("password", "short")]),
    (Method::POST, "/sign-out", "/sign-out", &[]),
    (Method::GET, "/account", "/account", &[]),
    (Method::POST, "/account/name", "/account/name", &[("name", "Somebody")]),
    (Method::POST, "/account/password", "/account/password", &[("old", "wrong"), ("new", "a new password")]),
    (Method::POST, "/account/sessions/end", "/account/sessions/end", &[("handle", "0123")]),
    (Method::POST, "/api/start_lab", "/api/start_lab", &[LAB]),
    (Method::POST, "/api/extend_lab", "/api/extend_lab", &[("lab", "nothing")]),
    (Method::POST, "/api/reset_lab", "/api/reset_lab", &[("lab", "nothing")]),
    (Method::POST, "/api/check_lab", "/api/check_lab", &[("lab", "nothing")]),
    (Method::POST, "/api/hint", "/api/hint", &[LAB, ("task", "nothing"), ("index", "0")]),
    (Method::POST, "/api/answer", "/api/answer", &[LAB, ("task", "nothing"), ("check", "nothing"), ("text", "x")]),
    (Method::POST, "/api/open_terminal", "/api/open_terminal", &[LAB, ("machine", "nothing")]),
    (Method::POST, "/api/close_terminal", "/api/close_terminal", &[("lab", "nothing"), ("terminal", "1")]),
    (Method::POST, "/api/stop_lab", "/api/stop_lab", &[("lab", "nothing")]),
    (Method::POST, "/api/submit_quiz", "/api/submit_quiz", &[]),
    (Method::POST, "/api/class_matrix", "/api/class_matrix", &[]),
    (Method::GET, "/events/lab/{id}", "/events/lab/read-only-but-alive", &[]),
    (Method::GET, "/ws/sandbox/{sandbox}/terminal/{id}", "/ws/sandbox/nothing/terminal/1", &[]),
];

#[test]
fn every_route_is_tried() {
    let name = |method: &Method, path: &str| format!("{method} {path}");
    let real: BTreeSet<String> = table().iter().map(|route| name(&route.method, route.path)).collect();
    let tried: BTreeSet<String> = TRIES.iter().map(|(method, path, ..)| name(method, path)).collect();
    assert_eq!(real, tried);
}

#[test]
fn every_server_function_has_a_role() {
    let listed: BTreeSet<&str> = SERVER_FUNCTION_ACCESS.iter().map(|(path, _)| *path).collect();
    let real: BTreeSet<&str> = bulkhead_app::SERVER_FUNCTIONS.iter().copied().collect();
    assert_eq!(real, listed);
    assert!(SERVER_FUNCTION_ACCESS.iter().all(|(_, access)| *access != Access::Anyone));
}

#[tokio::test]
async fn every_route_answers_by_role() {
    let app = TestApp::public().await;
    let mut seen = String::new();
    for (method, route, address, fields) in TRIES {
        let roles = [app.anonymous(), app.student().await, app.instructor().await, app.admin().await];
        let _ = write!(seen, "{:<45}", format!("{method} {route}"));
        for client in roles {
            let answer = ask(&client, method, address, fields).await;
            let to = if answer.location().is_some_and(|to| to.starts_with("/sign-in?")) { " sign in" } else { "" };
            let _ = write!(seen, " {:<12}", format!("{}{to}", answer.status.as_u16()));
        }
        seen = format!("{}\n", seen.trim_end());
    }
    insta::assert_snapshot!(
        "answers_by_role",
        format!("{:<45} anonymous    student      instructor   admin\n{seen}", "")
    );
}

async fn ask(client: &Client<'_>, method: &Method, address: &str, fields: &[(&str, &str)]) -> Answer {
    let request = match *method {
        Method::POST => client.post(address),
        _ => client.get(address),
    };
    let request = match address {
        "/api/submit_quiz" => request.json(&serde_json::json!({
            "lesson": "start/namespaces",
            "answers": [{ "question": "kernel", "choices": [1], "text": "" }],
        })),
        api if api.starts_with("/api/") => request.form(fields).header("accept", "application/json"),
        _ if *method == Method::POST => request.form(fields),
        events if events.starts_with("/events/") => request.header("accept", "text/event-stream"),
        socket if socket.starts_with("/ws/") => request
            .header("accept", "*/*")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-fetch-site", "same-origin")
            .header("origin", "http://localhost:7000"),
        _ => request,
    };
    request.send().await
}
