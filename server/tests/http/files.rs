//! The site's files.

use crate::harness::TestApp;

#[tokio::test]
async fn a_versioned_file_may_be_kept_for_ever() {
    let app = TestApp::public().await;
    let client = app.anonymous();
    let version = app.platform.site.version();
    let answer =
        client.get(&format!("/assets/app.css?v={version}")).send().await.expect_status(200).expect_text("body{}");
    assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
    for stale in ["/assets/app.css", "/assets/app.css?v=0"] {
        let answer = client.get(stale).send().await.expect_status(200);
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{stale}");
        let tag = answer.header("etag").expect("a tag").to_owned();
        let again = client.get(stale).header("if-none-match", &tag).send().await.expect_status(304);
        assert_eq!(again.body, "");
        client.get(stale).header("if-none-match", "\"other\"").send().await.expect_status(200);
    }
}

#[tokio::test]
async fn nothing_beside_the_site_is_served() {
    let app = TestApp::public().await;
    for path in [
        "/assets/../../bulkhead.db",
        "/assets/%2e%2e/%2e%2e/bulkhead.db",
        "/assets/..%2f..%2fbulkhead.db",
        "/pkg//etc/passwd",
    ] {
        app.anonymous().get(path).send().await.expect_status(404).expect_no_text("SQLite format");
    }
}
