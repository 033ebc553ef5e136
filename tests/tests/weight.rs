//! What a lesson weighs.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use bulkhead_tests::{artefacts, browser::Browser, server::Server};
use serde_json::{Value, json};

/// Bytes.
const MOST: u64 = 150_000;

/// As they came over the wire, compressed.
const LOADED: &str = "
const [page] = performance.getEntriesByType('navigation');
const kind = ({ name, initiatorType }) => {
  const file = new URL(name).pathname;
  if (file.endsWith('.css')) return 'style';
  if (file.endsWith('.js')) return 'scripts';
  if (file.endsWith('.wasm')) return 'wasm';
  if (file.endsWith('.woff2')) return 'fonts';
  return file.endsWith('.svg') ? 'images' : `other: ${file} by ${initiatorType}`;
};
const sums = { html: page.encodedBodySize };
for (const entry of performance.getEntriesByType('resource')) sums[kind(entry)] = (sums[kind(entry)] ?? 0) + entry.encodedBodySize;
return sums;
";

/// A first visit to a lesson in a browser, until all of it is awake, brings less than 150 kB of HTML (the diagrams are in
/// it), style, scripts and WebAssembly. Beside that come three fonts, without which the text can be read, and the icon of the
/// window; they are printed and not counted.
#[tokio::test(flavor = "multi_thread")]
async fn every_lesson_is_less_than_150_kb_without_its_fonts() -> Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    let lessons = browser.client.execute("return [...document.querySelectorAll('.rows a.row-title')].map(link => link.pathname).filter(path => /^\\/learn\\/[^/]+\\/[^/]+$/.test(path) && !/\\/(test|summary)$/.test(path))", Vec::new()).await?;
    let lessons: Vec<String> = serde_json::from_value(lessons)?;
    ensure!(lessons.len() >= 30, "the course lists {} lessons", lessons.len());

    let mut rows = BTreeMap::new();
    for lesson in &lessons {
        // Away from the page before, whose files are still in the memory of its window.
        browser.client.goto("about:blank").await?;
        browser.forget_cache().await?;
        browser.open(&server.url(lesson)).await?;
        // The browser writes a request down a moment after it was answered.
        let all = "return performance.getEntriesByType('resource').some(entry => entry.name.includes('.wasm') && entry.encodedBodySize > 0) && document.fonts.status === 'loaded'";
        browser.until("the module's size is known", Duration::from_secs(20), all).await?;
        let loaded = browser.client.execute(LOADED, Vec::new()).await?;
        rows.insert(lesson.clone(), Weight::of(&loaded).with_context(|| format!("{lesson}: {loaded}"))?);
    }
    println!(
        "{:>7} {:>7} {:>7} {:>7} {:>7} {:>7}  bytes, compressed",
        "sum", "html", "style", "scripts", "wasm", "fonts"
    );
    for (lesson, weight) in &rows {
        let Weight { html, style, scripts, wasm, fonts } = weight;
        println!("{:>7} {html:>7} {style:>7} {scripts:>7} {wasm:>7} {fonts:>7}  {lesson}", weight.sum());
    }
    let kept: BTreeMap<_, _> = rows.iter().map(|(lesson, weight)| (lesson, weight.sum())).collect();
    artefacts::save("page-weight.json", &serde_json::to_vec_pretty(&json!(kept))?)?;
    browser.close().await?;
    server.stop().await?;
    let heavy: Vec<_> = kept.iter().filter(|(_, sum)| **sum >= MOST).collect();
    ensure!(heavy.is_empty(), "heavier than {MOST} bytes: {heavy:#?}");
    Ok(())
}

struct Weight {
    html: u64,
    style: u64,
    scripts: u64,
    wasm: u64,
    fonts: u64,
}

impl Weight {
    /// Of nothing that a lesson always loads there may be none: then it was not measured.
    fn of(loaded: &Value) -> Result<Self> {
        let bytes = |kind: &str| {
            let bytes = loaded[kind].as_u64().filter(|&bytes| bytes > 0);
            bytes.with_context(|| format!("no bytes of {kind}"))
        };
        let known = ["html", "style", "scripts", "wasm", "fonts", "images"];
        let loaded_kinds = loaded.as_object().context("no sums")?;
        ensure!(loaded_kinds.keys().all(|kind| known.contains(&kind.as_str())), "something else was loaded");
        Ok(Self {
            html: bytes("html")?,
            style: bytes("style")?,
            scripts: bytes("scripts")?,
            wasm: bytes("wasm")?,
            fonts: bytes("fonts")?,
        })
    }

    fn sum(&self) -> u64 {
        self.html + self.style + self.scripts + self.wasm
    }
}
