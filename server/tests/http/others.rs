//! What belongs to another is not there.

use std::{sync::Arc, time::Duration};

use bulkhead::{
    http::serve,
    store::{Account, Claim, NewAttempt, ServerId},
};
use bulkhead_agent::protocol::ExecResult;
use bulkhead_app::api::{
    Backend, Caller, Role,
    lab::{SandboxState, SandboxView, TerminalView},
};
use bulkhead_labs::{
    engine::SandboxId,
    grade::{CheckResult, Grading, Verdict},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::harness::{Client, TestApp};

const LAB: &str = "read-only-but-alive";

#[tokio::test]
async fn a_report_is_its_students_and_his_instructors() {
    let app = TestApp::public().await;
    let (student, instructor) = (app.student().await, app.instructor().await);
    let other = app.signed_in(&app.account("other", Role::Student).await).await;
    let attempt = graded(&app, &app.account("student", Role::Student).await).await;
    let path = format!("/labs/{LAB}/report/{attempt}");

    let report = student.get(&path).send().await.expect_status(200);
    report.expect_text("student").expect_text("rw &#60;script&#62;").expect_no_text("rw <script>");
    let report = student.get(&path).send().await;
    report.expect_text("host: /usr/bin/docker was &#60;changed&#62;");
    other.get(&path).send().await.expect_status(404).expect_no_text("rw &#60;script&#62;");
    app.anonymous().get(&path).send().await.expect_status(303);
    student.get(&format!("/labs/nowhere/report/{attempt}")).send().await.expect_status(404);

    let audited = async || {
        app.platform
            .store
            .audit()
            .latest(50)
            .await
            .expect("read")
            .into_iter()
            .filter(|e| e.action == "attempt.read")
            .count()
    };
    assert_eq!(audited().await, 0);
    instructor.get(&path).send().await.expect_status(200);
    assert_eq!(audited().await, 1);

    student.get("/progress").send().await.expect_text(&path);
    other.get("/progress").send().await.expect_no_text(&path);
    instructor.get("/class").send().await.expect_text(&path);
}

async fn graded(app: &TestApp, account: &Account) -> i64 {
    let caller = Caller { account: Some(account.clone().into()), local: false, session: None };
    let sandbox = app.platform.start_lab(&caller, LAB).await.expect("started").id;
    let sandbox = SandboxId::parse(&sandbox).expect("an id");
    let now = app.platform.clock.now();
    let deadline = now.plus(Duration::from_mins(1));
    let claim = Claim { token: "token".to_owned(), owner: ServerId::new("server".to_owned()), deadline };
    let new = NewAttempt { account: account.id, lab: LAB, sandbox: &sandbox, generation: 1, claim: &claim, at: now };
    let attempts = app.platform.store.attempts();
    let id = attempts.begin(&new).await.expect("begun");
    let lab = app.platform.live.catalog.lab(LAB).expect("the lab");
    let task = &lab.tasks[0];
    let result = CheckResult {
        task: task.id.as_str().to_owned(),
        check: task.checks[0].id.as_str().to_owned(),
        verdict: Verdict::Fail,
        expected: "a read-only root".to_owned(),
        observed: "rw <script>".to_owned(),
        reason: "It is still writable.".to_owned(),
        breach: false,
        tampered: vec!["host: /usr/bin/docker was <changed>".to_owned()],
    };
    let grading = Grading {
        results: vec![result],
        score: 40,
        certain: 40,
        passed: false,
        gated: false,
        restart_error: None,
        round_trips: 1,
        millis: 5,
    };
    attempts.finish(id, "token", &grading, now).await.expect("finished").expect("it was ours");
    id.get()
}

#[tokio::test]
async fn a_terminal_is_its_students_and_his_instructors() {
    let app = TestApp::public().await;
    let well = ExecResult {
        code: 0,
        stdout: String::new(),
        stderr: String::new(),
        truncated: false,
        timed_out: false,
        millis: 1,
    };
    app.engine.behave(|agents| agents.exec = Arc::new(move |_| Some(well.clone())));
    let student = app.student().await;
    let (sandbox, terminal) = terminal(&app, &student).await;
    let path = format!("/ws/sandbox/{}/terminal/{}", sandbox.id, terminal.id);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(serve(Arc::clone(&app.platform), listener, std::future::pending()));
    let open = async |client: &Client<'_>, origin: &str| {
        let cookie = client.cookie.clone().unwrap_or_default();
        let mut socket = TcpStream::connect(address).await.expect("connected");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\nCookie: {cookie}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut line = [0; 12];
        socket.read_exact(&mut line).await.expect("answered");
        String::from_utf8_lossy(&line).into_owned()
    };
    let ours = format!("http://{address}");
    assert_eq!(open(&student, &ours).await, "HTTP/1.1 101");
    assert_eq!(open(&app.instructor().await, &ours).await, "HTTP/1.1 101");
    let other = app.signed_in(&app.account("other", Role::Student).await).await;
    assert_eq!(open(&other, &ours).await, "HTTP/1.1 404");
    assert_eq!(open(&app.anonymous(), &ours).await, "HTTP/1.1 401");
    for foreign in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(open(&student, foreign).await, "HTTP/1.1 403", "{foreign}");
    }
    server.abort();
}

/// A ready sandbox of the student's with a terminal on it.
async fn terminal(app: &TestApp, student: &Client<'_>) -> (SandboxView, TerminalView) {
    let call = async |path: &str, fields: &[(&str, &str)]| {
        let answer = student.post(path).form(fields).header("accept", "application/json").send().await;
        answer.expect_status(200).body
    };
    call("/api/start_lab", &[("lab", LAB)]).await;
    let caller =
        Caller { account: Some(app.account("student", Role::Student).await.into()), local: false, session: None };
    let ready = async {
        loop {
            let sandbox = app.platform.lab(&caller, LAB).await.expect("the lab's page").sandbox.expect("a sandbox");
            match sandbox.state {
                SandboxState::Ready => return sandbox,
                state if state.is_over() => panic!("the sandbox is {state:?}: {sandbox:#?}"),
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let sandbox = tokio::time::timeout(Duration::from_secs(30), ready).await.expect("the sandbox gets ready");
    let opened = call("/api/open_terminal", &[("lab", LAB), ("machine", "host")]).await;
    (sandbox, serde_json::from_str(&opened).expect("a terminal"))
}
