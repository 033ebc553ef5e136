//! Signing in and out, and what a session is worth.

use std::time::Duration;

use bulkhead_app::api::Role;

use crate::harness::{Answer, PASSWORD, TestApp};

#[tokio::test]
async fn a_stranger_signs_up_and_is_signed_in() {
    let app = TestApp::public().await;
    let mut browser = app.anonymous();
    browser.get("/progress").send().await.expect_redirect("/sign-in?next=/progress");
    let fields = [("name", "Ada"), ("email", "Ada@Example.org"), ("password", PASSWORD), ("next", "/progress")];
    let answer = browser.post("/sign-up").form(&fields).send().await.expect_redirect("/progress");
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "bulkhead="] {
        assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    browser.keep(&answer);
    browser.get("/progress").send().await.expect_status(200).expect_text("Ada");
    let made = app.platform.store.accounts().by_email("ada@example.org").await.expect("asked").expect("made");
    assert_eq!(made.role, Role::Student);

    browser.post("/sign-out").send().await.expect_redirect("/");
    browser.get("/progress").send().await.expect_redirect("/sign-in?next=/progress");
    browser.post("/sign-out").send().await.expect_redirect("/");
}

#[tokio::test]
async fn what_was_wrong_stands_beside_the_field_and_the_input_stays() {
    let app = TestApp::public().await;
    app.account("ada", Role::Student).await;
    let sign_up = async |name: &str, email: &str, password: &str| {
        let fields = [("name", name), ("email", email), ("password", password), ("next", "/labs?x=1")];
        app.anonymous().post("/sign-up").form(&fields).send().await
    };
    let kept = |answer: Answer| answer.expect_text("/labs?x=1").expect_no_text("set-cookie");
    let answer = sign_up("Ada", "ada@example.org", "some long password").await.expect_status(422);
    kept(answer)
        .expect_text("There is an account with this e-mail already")
        .expect_text("ada@example.org")
        .expect_no_text("some long password");
    let answer = sign_up("Ada <b>", "x@example.org", "too short").await.expect_status(422);
    kept(answer)
        .expect_text("at least 10 characters")
        .expect_text("Ada &lt;b")
        .expect_no_text("too short")
        .expect_no_text("Ada <b");
    sign_up("Ada", "no address", PASSWORD).await.expect_status(422).expect_text("Write an e-mail address");

    let (student, long) = (app.student().await, "Ada ".repeat(30));
    let renamed = student.post("/account/name").form(&[("name", &long)]).send().await.expect_status(422);
    renamed.expect_text("Use at most 80 characters").expect_text(&long);
}

#[tokio::test]
async fn nobody_learns_whether_an_account_exists() {
    let app = TestApp::public().await;
    app.account("ada", Role::Student).await;
    app.platform
        .store
        .accounts()
        .insert(&bulkhead::store::NewAccount {
            email: "passwordless@example.org".to_owned(),
            name: "P".to_owned(),
            role: Role::Student,
            password_hash: None,
            at: app.platform.clock.now(),
        })
        .await
        .expect("inserted");
    let before = app.platform.accounts.passwords().verified();
    let mut bodies = Vec::new();
    for email in ["ada@example.org", "nobody@example.org", "passwordless@example.org"] {
        let answer = app.anonymous().sign_in(email, "a wrong password").await.expect_status(422);
        assert_eq!(answer.header("set-cookie"), None);
        let nonce = answer
            .header("content-security-policy")
            .and_then(|csp| csp.split("'nonce-").nth(1)?.split('\'').next())
            .expect("a nonce")
            .to_owned();
        bodies.push(answer.body.replace(email, "E-MAIL").replace(&nonce, "NONCE"));
    }
    assert_eq!(app.platform.accounts.passwords().verified() - before, 3, "each try costs one hash");
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_the_one_that_is_signed_in() {
    let app = TestApp::public().await;
    app.account("ada", Role::Student).await;
    // An id that the attacker made up, and one that is his own, signed in.
    let mallory = app.signed_in(&app.account("mallory", Role::Student).await).await;
    let made_up = tower_sessions::session::Id::default().to_string();
    for planted in [made_up, mallory.cookie.clone().expect("signed in").replace("bulkhead=", "")] {
        let mut victim = app.anonymous();
        victim.set_session(&planted);
        let mut attacker = app.anonymous();
        attacker.set_session(&planted);
        victim.sign_in("ada@example.org", PASSWORD).await.expect_redirect("/");
        assert_ne!(victim.cookie, attacker.cookie);
        victim.get("/account").send().await.expect_status(200).expect_text("ada@example.org");
        attacker.get("/account").send().await.expect_status(303);
    }
}

#[tokio::test]
async fn an_old_cookie_replayed_after_sign_out_opens_nothing() {
    let app = TestApp::public().await;
    let student = app.student().await;
    let rename = |name: &'static str| student.post("/account/name").form(&[("name", name)]);
    rename("Once").send().await.expect_redirect("/account?done=name");
    student.post("/sign-out").send().await.expect_redirect("/");
    rename("Twice").send().await.expect_status(401);
    assert_eq!(app.account("student", Role::Student).await.name, "Once");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let app = TestApp::public().await;
    let (here, there) = (app.student().await, app.student().await);
    let change =
        |old: &'static str, new: &'static str| here.post("/account/password").form(&[("old", old), ("new", new)]);
    change("not the old one", "another long one")
        .send()
        .await
        .expect_status(422)
        .expect_text("not your present password");
    change(PASSWORD, "short").send().await.expect_status(422).expect_text("at least 10 characters");
    there.get("/account").send().await.expect_status(200);
    change(PASSWORD, "another long one").send().await.expect_redirect("/account?done=password");
    here.get("/account").send().await.expect_status(200);
    there.get("/account").send().await.expect_status(303);
    app.anonymous().sign_in("student@example.org", PASSWORD).await.expect_status(422);
    app.anonymous().sign_in("student@example.org", "another long one").await.expect_redirect("/");
    let audited = app.platform.store.audit().latest(1).await.expect("read");
    assert_eq!(audited[0].action, "account.password");
}

#[tokio::test]
async fn one_ends_his_own_sessions_and_nobody_elses() {
    let app = TestApp::public().await;
    let (here, there, mallory) = (app.student().await, app.student().await, app.instructor().await);
    let account = app.account("student", Role::Student).await;
    let rows = app.platform.store.sessions().of_account(account.id, app.platform.clock.now()).await.expect("listed");
    let current = handle(&here);
    let other = rows.iter().map(|row| row.handle.clone()).find(|handle| *handle != current).expect("two sessions");
    mallory.post("/account/sessions/end").form(&[("handle", &other)]).send().await.expect_status(404);
    there.get("/account").send().await.expect_status(200);
    here.post("/account/sessions/end")
        .form(&[("handle", &other)])
        .send()
        .await
        .expect_redirect("/account?done=session");
    there.get("/account").send().await.expect_status(303);
    here.get("/account").send().await.expect_status(200).expect_no_text(&here.cookie.clone().expect("a cookie")[9..]);
}

fn handle(client: &crate::harness::Client<'_>) -> String {
    let id = client.cookie.as_deref().and_then(|cookie| cookie.strip_prefix("bulkhead=")).expect("a session");
    bulkhead::store::handle_of(id.parse().expect("an id"))
}

#[tokio::test]
async fn a_role_that_was_taken_away_is_gone_at_once() {
    let app = TestApp::public().await;
    let instructor = app.instructor().await;
    instructor.get("/class").send().await.expect_status(200);
    app.platform.accounts.set_role(None, "instructor@example.org", Role::Student).await.expect("changed");
    instructor.get("/class").send().await.expect_redirect("/sign-in?next=/class");
    let mut again = app.anonymous();
    again.sign_in("instructor@example.org", PASSWORD).await.expect_redirect("/");
    again.get("/class").send().await.expect_status(404);
}

#[tokio::test]
async fn a_session_lives_while_it_is_used() {
    let app = TestApp::public().await;
    let (used, unused) = (app.student().await, app.student().await);
    for _ in 0..3 {
        app.advance(Duration::from_hours(10 * 24));
        used.get("/account").send().await.expect_status(200);
    }
    unused.get("/account").send().await.expect_status(303);
    assert_eq!(app.platform.tidy().await.expect("swept"), 1);
}

#[tokio::test]
async fn after_sign_in_one_comes_back_but_never_elsewhere() {
    let app = TestApp::public().await;
    app.account("ada", Role::Student).await;
    for (next, to) in [("/labs?x=1", "/labs?x=1"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("", "/")] {
        let fields = [("email", "ada@example.org"), ("password", PASSWORD), ("next", next)];
        app.anonymous().post("/sign-in").form(&fields).send().await.expect_redirect(to);
    }
    let student = app.student().await;
    student.get("/sign-in?next=//evil.example").send().await.expect_redirect("/");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_for_this_host_and_tls_only() {
    let app = TestApp::secure().await;
    app.account("ada", Role::Student).await;
    let browser = app.anonymous();
    let fields = [("email", "ada@example.org"), ("password", PASSWORD)];
    let request =
        browser.post("/sign-in").header("host", "labs.example.org").header("origin", "https://labs.example.org");
    let answer = request.form(&fields).send().await.expect_redirect("/");
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(
        cookie.starts_with("__Host-bulkhead=") && cookie.contains("Secure") && cookie.contains("Path=/"),
        "{cookie}"
    );
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert!(answer.header("strict-transport-security").is_some());
}

#[tokio::test]
async fn locally_one_is_signed_in_at_once() {
    let app = TestApp::local().await;
    let browser = app.anonymous();
    browser.get("/progress").send().await.expect_status(200).expect_text("Local learner");
    browser.get("/sign-in?next=/labs").send().await.expect_redirect("/labs");
    browser.post("/sign-in").form(&[("email", "x"), ("password", "y")]).send().await.expect_redirect("/");
    browser
        .post("/sign-up")
        .form(&[("name", "x"), ("email", "x@x"), ("password", "y")])
        .send()
        .await
        .expect_redirect("/");
    browser.get("/class").send().await.expect_status(404);
    let change = browser.post("/account/password").form(&[("old", "x"), ("new", "a long new one")]);
    change.send().await.expect_status(409).expect_text("There is no password to change");
    assert_eq!(app.platform.store.accounts().list().await.expect("listed").len(), 1);
}
