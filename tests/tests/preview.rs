//! An author writes: what he saves is on the page that he has open, where he was reading it.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bulkhead_tests::{browser::Browser, preview::Preview};

const LESSON: &str = "container-security/implementing-read-only-containers";
/// For a busy machine; what it took is printed.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the heading nearest to the upper edge stands, in pixels.
const PLACE: &str = "const heads = [...document.querySelectorAll('.prose [id]')].filter(h => h.getBoundingClientRect().top < 96); const head = heads.at(-1); return head ? head.id + ' ' + Math.round(head.getBoundingClientRect().top) : 'none'";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_is_on_the_open_page() -> Result<()> {
    let preview = Preview::start().await?;
    let file = preview.file(&format!("{LESSON}/lesson.md"));
    let before = fs::read_to_string(&file)?;
    let browser = Browser::start().await?;
    let report = |what: &str, took: Duration| println!("{what}: on the page after {} ms", took.as_millis());
    browser.open(&preview.url(&format!("/learn/{LESSON}"))).await?;
    browser.expect_quiet_console().await?;

    // Reads on to the last heading.
    let scroll = "const head = [...document.querySelectorAll('.prose h2')].at(-1); scrollTo({ top: scrollY + head.getBoundingClientRect().top - 60, behavior: 'instant' }); return scrollY > 1000";
    browser.until("the page is scrolled", PATIENCE, scroll).await?;
    let place = browser.client.execute(PLACE, Vec::new()).await?;

    // A paragraph above that place, by a plain write.
    let (head, body) = before.split_once("\n---\n").unwrap_or_default();
    let longer = format!("{head}\n---\n\nWritten just now.\n{}\n{body}", "\nAnd one more paragraph.\n".repeat(8));
    let took = save(&browser, || Ok(fs::write(&file, &longer)?), shows("Written just now.")).await?;
    report("a file written", took);
    browser.until("the place is kept", PATIENCE, &format!("{} === {place}", called(PLACE))).await?;
    browser.expect_quiet_console().await?;

    // As most editors save: written beside it, renamed over it.
    let other = longer.replace("Written just now.", "Renamed just now.");
    let beside = file.with_extension("md.new");
    let rename = || {
        fs::write(&beside, &other)?;
        Ok(fs::rename(&beside, &file)?)
    };
    report("a file renamed over another", save(&browser, rename, shows("Renamed just now.")).await?);

    // A fault is on the page, with its file and line, and in the terminal.
    let broken = other.replacen("minutes:", "minuets:", 1);
    let line = 1 + broken[..broken.find("minuets:").unwrap_or_default()].matches('\n').count();
    let fault = format!("{LESSON}/lesson.md:{line}");
    let took = save(&browser, || Ok(fs::write(&file, &broken)?), shows(&fault)).await?;
    report("a fault shown", took);
    ensure!(preview.said().contains(&format!("{fault}: error:")), "the terminal shows: {}", preview.said());
    // The page's status says that it is not the lesson, which the console calls an error.
    let refused = browser.console_errors().await?;
    ensure!(refused.iter().all(|error| error.contains("409")), "{refused:?}");

    // Put right, the page comes back by itself, at the same place.
    let took = save(&browser, || Ok(fs::write(&file, &longer)?), shows("Written just now.")).await?;
    report("a fault mended", took);
    browser.until("the place is kept", PATIENCE, &format!("{} === {place}", called(PLACE))).await?;
    browser.expect_quiet_console().await?;

    // A table of contents that cannot be read leaves no page; it too comes back.
    let outline = preview.file("course.toml");
    let contents = fs::read_to_string(&outline)?;
    let rest = contents.clone();
    save(&browser, || Ok(fs::write(&outline, rest + "\nmodul = 3\n")?), shows("course.toml:")).await?;
    save(&browser, || Ok(fs::write(&outline, &contents)?), shows("Written just now.")).await?;

    browser.close().await?;
    preview.stop().await
}

/// How long from the save until the open page is as the script says.
async fn save(browser: &Browser, save: impl FnOnce() -> Result<()>, shown: String) -> Result<Duration> {
    let begun = Instant::now();
    save()?;
    browser.until("what was saved is shown", PATIENCE, &shown).await?;
    Ok(begun.elapsed())
}

fn shows(text: &str) -> String {
    format!("return document.querySelector('[data-preview]') !== null && document.body.textContent.includes({text:?})")
}

fn called(script: &str) -> String {
    format!("return (() => {{ {script} }})()")
}
