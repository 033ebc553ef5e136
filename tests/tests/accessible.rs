//! Every kind of page that needs no engine, as axe-core sees it.

use anyhow::{Result, ensure};
use bulkhead_tests::{browser::Browser, server::Server};

const PASSWORD: &str = "a long enough password";
const MODULE: &str = "/learn/container-security";
const LESSON: &str = "/learn/container-security/implementing-read-only-containers";

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_serious_finding() -> Result<()> {
    let server = Server::start(&[]).await?;
    server.create_user("ada@example.org", "admin", PASSWORD).await?;
    let browser = Browser::start().await?;
    let mut faults = Vec::new();

    for (name, path) in [
        ("course", "/"),
        ("lesson", LESSON),
        ("summary", &format!("{MODULE}/summary")),
        ("glossary", "/glossary"),
        ("search, empty", "/search"),
        ("search", "/search?q=seccomp"),
        ("search without a hit", "/search?q=qqqqqqqq"),
        ("labs", "/labs"),
        ("lab, signed out", "/labs/read-only-but-alive"),
        ("playground", "/labs/playground"),
        ("about", "/about"),
        ("print", "/print"),
        ("sign in", "/sign-in"),
        ("sign up", "/sign-up"),
        ("nothing here", "/learn/nowhere/nothing"),
    ] {
        browser.open(&server.url(path)).await?;
        faults.extend(browser.expect_accessible(name).await.err());
    }

    // A page that no handler wrote: the address is no text.
    browser.client.goto(&server.url("/learn/%FF/x")).await?;
    let status = browser.find("main .status").await?.text().await?;
    ensure!(status == "400", "the page's status is {status}");
    faults.extend(browser.expect_accessible("error page").await.err());

    // The list of shortcuts and a term's note lie over the page.
    browser.open(&server.url(LESSON)).await?;
    browser.client.execute("document.querySelector('#shortcuts').showModal()", Vec::new()).await?;
    faults.extend(browser.expect_accessible("shortcuts").await.err());
    browser.client.execute("document.querySelector('#shortcuts').close()", Vec::new()).await?;
    browser.find(".prose .gloss").await?.click().await?;
    faults.extend(browser.expect_accessible("a term's note").await.err());

    // A refused form, then somebody who is signed in.
    browser.open(&server.url("/sign-in")).await?;
    browser.fill("input[name=email]", "ada@example.org").await?;
    browser.fill("input[name=password]", "not the right one").await?;
    browser.press("main form button").await?;
    browser.find("main .wrong, main .notice").await?;
    faults.extend(browser.expect_accessible("sign in, refused").await.err());
    browser.sign_in(&server.address, "ada@example.org", PASSWORD).await?;
    for (name, path) in [
        ("course, signed in", "/"),
        ("progress", "/progress"),
        ("class", "/class"),
        ("account", "/account"),
        ("lab, signed in", "/labs/read-only-but-alive"),
        ("module test", &format!("{MODULE}/test")),
    ] {
        browser.open(&server.url(path)).await?;
        faults.extend(browser.expect_accessible(name).await.err());
    }

    // A quiz and a test, each with its marks.
    browser.open(&server.url(LESSON)).await?;
    browser.press("#quiz .quiz-foot button").await?;
    browser.find("#quiz .quiz-foot .mark").await?;
    faults.extend(browser.expect_accessible("a marked quiz").await.err());
    browser.open(&server.url(&format!("{MODULE}/test"))).await?;
    browser.press(".test-new button").await?;
    browser.find(".test form.quiz .quiz-foot button").await?;
    faults.extend(browser.expect_accessible("a paper").await.err());
    browser.press(".test form.quiz .quiz-foot button").await?;
    browser.find(".test-result").await?;
    faults.extend(browser.expect_accessible("a marked paper").await.err());

    browser.close().await?;
    server.stop().await?;
    let faults: Vec<String> = faults.iter().map(|fault| format!("{fault:#}")).collect();
    ensure!(faults.is_empty(), "{}", faults.join("\n\n"));
    Ok(())
}
