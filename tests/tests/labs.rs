//! Three labs played through in a real browser, one of each of the first three modules: started, failed, solved in the
//! student's own terminal, passed, and their evidence opened.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use bulkhead_tests::{browser::Browser, server::Server};

const LABS: [&str; 3] = ["the-socket-is-root", "three-ways-out", "three-tiers"];

#[tokio::test(flavor = "multi_thread")]
async fn three_labs_can_be_played_through() -> Result<()> {
    let server = Server::start(&["--local"]).await?;
    let browser = Browser::start().await?;
    for lab in LABS {
        play(&server, &browser, lab).await.with_context(|| format!("lab {lab}"))?;
    }
    browser.close().await?;
    server.stop().await
}

async fn play(server: &Server, browser: &Browser, lab: &str) -> Result<()> {
    browser.open(&server.url(&format!("/labs/{lab}"))).await?;
    browser.press("[data-testid=start-lab]").await?;
    browser.until_terminal_shows("#", Duration::from_mins(1)).await?;
    browser.press("[data-testid=check-all]").await?;
    browser.until_score("score < 40").await?;
    browser.portraits(&format!("{lab}-failing")).await?;

    let script = std::fs::read_to_string(catalog().join(lab).join("solution.sh"))?;
    browser
        .type_in_terminal(&format!("cat > solution.sh <<'END'\n{script}\nEND\nclear\nsh solution.sh; echo ended:$?\n"))
        .await?;
    browser.until_terminal_shows("ended:0", Duration::from_mins(1)).await?;
    let screen = browser.terminal_text().await?;
    for (check, text) in screen.lines().filter_map(|line| line.strip_prefix("answer ")?.split_once(' ')) {
        browser.answer(check, text.trim()).await?;
    }

    browser.press("[data-testid=check-all]").await?;
    browser.until_score("score === 100").await?;
    browser.until_best_is_full().await?;
    browser.portraits(&format!("{lab}-passed")).await?;
    browser.expect_quiet_console().await?;

    browser.open(&server.url("/progress")).await?;
    let report = browser.find(&format!("a[href*='/labs/{lab}/report/']")).await?;
    let report = report.attr("href").await?.context("the report has no address")?;
    browser.client.goto(&server.url(&report)).await?;
    let evidence = browser.find("main").await?.text().await?;
    ensure!(evidence.contains("100"), "the report shows: {evidence}");
    browser.portraits(&format!("{lab}-evidence")).await?;

    // Stopping asks once.
    browser.open(&server.url(&format!("/labs/{lab}"))).await?;
    browser.press("form[action='/api/stop_lab'] button").await?;
    browser.press("form[action='/api/stop_lab'] button").await?;
    browser.find("[data-testid=start-lab]").await?;
    let stage = browser.find(".stage-card").await?.text().await?;
    ensure!(stage.contains("The sandbox is stopped"), "after stopping the page shows: {stage}");
    browser.expect_quiet_console().await
}

fn catalog() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../labs/catalog")
}
