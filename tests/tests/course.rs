//! A newcomer, a lab and his instructor: the whole path in a real browser on a real engine.

use std::time::Duration;

use anyhow::{Result, ensure};
use bulkhead_tests::{browser::Browser, server::Server};

const LAB: &str = "read-only-but-alive";
const PASSWORD: &str = "a long enough password";

#[tokio::test(flavor = "multi_thread")]
async fn a_student_hardens_a_container_and_his_instructor_sees_it() -> Result<()> {
    let server = Server::start(&[]).await?;
    server.create_user("ines@example.org", "instructor", PASSWORD).await?;
    let browser = Browser::start().await?;
    let mut faults = Vec::new();

    // Signs up.
    browser.open(&server.url("/sign-up")).await?;
    browser.fill("input[name=name]", "Stella Student").await?;
    browser.fill("input[name=email]", "stella@example.org").await?;
    browser.fill("input[name=password]", PASSWORD).await?;
    browser.press("main form button").await?;
    browser.until("signed up", Duration::from_secs(20), "return location.pathname === '/'").await?;
    browser.portraits("course").await?;

    // Reads the lesson that belongs to the lab.
    browser.open(&server.url("/learn/container-security/implementing-read-only-containers")).await?;
    let heading = browser.find("main h1").await?.text().await?;
    ensure!(heading == "Implementing Read-Only Containers", "the lesson's title is {heading}");
    browser.portraits("lesson").await?;
    browser.expect_quiet_console().await?;

    // Starts the lab and is root on a Docker host.
    browser.open(&server.url(&format!("/labs/{LAB}"))).await?;
    browser.portraits("lab-before").await?;
    browser.press("[data-testid=start-lab]").await?;
    browser.until_terminal_shows("#", Duration::from_mins(1)).await?;
    browser.type_in_terminal("id -u; docker ps --format 'seen:{{.Names}}'\n").await?;
    browser.until_terminal_shows("seen:cms", Duration::from_secs(20)).await?;
    browser.portraits("lab-running").await?;
    faults.extend(browser.expect_accessible("workspace").await.err());

    // The untouched start does not pass.
    browser.press("[data-testid=check-all]").await?;
    browser.until_score("score < 40").await?;
    browser.portraits("lab-failing").await?;
    faults.extend(browser.expect_accessible("workspace with failing tasks").await.err());

    // Fixes it, in his own terminal, and answers the question.
    for line in include_str!("../../labs/catalog/read-only-but-alive/solution.sh").lines() {
        if !line.starts_with("#!") && !line.starts_with("set -") && !line.starts_with("echo 'answer") {
            browser.type_in_terminal(&format!("{line}\n")).await?;
        }
    }
    browser.type_in_terminal("docker ps --format 'now:{{.Image}}'\n").await?;
    browser.until_terminal_shows("now:cms:2", Duration::from_mins(1)).await?;
    browser.answer("remains", "/srv/upload").await?;

    // Sees it pass.
    browser.press("[data-testid=check-all]").await?;
    browser.until_score("score === 100").await?;
    browser.until_best_is_full().await?;
    browser.portraits("lab-passed").await?;
    faults.extend(browser.expect_accessible("workspace with passing tasks").await.err());

    // Reloads: the same shell, the same result.
    browser.type_in_terminal("marker=kept-over-reload\n").await?;
    browser.client.refresh().await?;
    browser.until_score("score === 100").await?;
    browser.until_terminal_shows("#", Duration::from_secs(20)).await?;
    browser.type_in_terminal("echo shell:$marker\n").await?;
    browser.until_terminal_shows("shell:kept-over-reload", Duration::from_secs(20)).await?;
    browser.expect_quiet_console().await?;
    browser.open(&server.url("/progress")).await?;
    browser.portraits("progress").await?;
    faults.extend(browser.expect_accessible("progress").await.err());
    browser.client.goto(&server.url(&format!("/labs/{LAB}/report/1"))).await?;
    browser.find("h1").await?;
    faults.extend(browser.expect_accessible("report").await.err());

    // His instructor sees it.
    browser.client.delete_all_cookies().await?;
    browser.sign_in(&server.address, "ines@example.org", PASSWORD).await?;
    browser.open(&server.url("/class")).await?;
    let row = browser.find("table").await?.text().await?;
    ensure!(row.contains("Stella Student") && row.contains("100") && !row.contains("never"), "the matrix shows: {row}");
    browser.portraits("class").await?;
    faults.extend(browser.expect_accessible("class").await.err());
    browser.expect_quiet_console().await?;

    browser.close().await?;
    server.stop().await?;
    let faults: Vec<String> = faults.iter().map(|fault| format!("{fault:#}")).collect();
    ensure!(faults.is_empty(), "{}", faults.join("\n\n"));
    Ok(())
}
