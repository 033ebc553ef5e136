//! Policies on every answer.

use crate::harness::TestApp;

#[tokio::test]
async fn every_answer_has_its_policies() {
    let app = TestApp::public().await;
    let client = app.anonymous();
    for path in ["/", "/sign-in", "/nowhere", "/healthz", "/assets/app.css", "/assets/nothing", "/progress"] {
        let answer = client.get(path).send().await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {path}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        assert_eq!(answer.header("strict-transport-security"), None, "{path}");
    }
}

#[tokio::test]
async fn each_page_has_a_nonce_of_its_own_and_every_script_carries_it() {
    let app = TestApp::public().await;
    let mut nonces = Vec::new();
    for path in ["/", "/", "/learn/start/namespaces", "/sign-in", "/labs/read-only-but-alive"] {
        let answer = app.anonymous().get(path).send().await.expect_status(200);
        let policy = answer.header("content-security-policy").expect("a policy");
        let nonce =
            policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
        assert!(nonce.len() >= 16, "{nonce}");
        let scripts: Vec<&str> = answer.body.split("<script").skip(1).filter_map(|tag| tag.split('>').next()).collect();
        assert!(!scripts.is_empty());
        for script in scripts {
            assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{script}>");
        }
        for styled in answer.body.split("<style").skip(1) {
            assert!(styled.contains(&nonce), "{path}: <style{}", &styled[..styled.len().min(80)]);
        }
        assert!(!answer.body.contains(" onclick=") && !answer.body.contains(" style="), "{path}: inline code or style");
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 5);
}

#[tokio::test]
async fn a_clients_request_id_is_not_taken_over() {
    let app = TestApp::public().await;
    let answer = app.anonymous().get("/").header("x-request-id", "forged").send().await;
    assert_ne!(answer.header("x-request-id"), Some("forged"));
}
