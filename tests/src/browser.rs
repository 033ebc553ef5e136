//! Headless Chromium by WebDriver.

use std::{
    io::{Read as _, Write as _},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use fantoccini::{Client, ClientBuilder, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::sleep,
};

/// Chromium as root without a display, making no request of its own.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// How long a browser may take to end.
const PARTING: Duration = Duration::from_secs(10);

pub const DESKTOP: (u32, u32) = (1440, 900);
pub const PHONE: (u32, u32) = (390, 844);

pub struct Browser {
    pub client: Client,
    driver: Child,
    port: u16,
    _profile: TempDir,
}

impl Browser {
    pub async fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let driver = Command::new("chromedriver")
            .args([format!("--port={port}"), "--log-level=WARNING".to_owned()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start chromedriver (package chromium-driver)")?;
        await_port(port).await?;
        let profile = TempDir::with_prefix("bulkhead-browser-")?;
        let mut flags: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".into(), json!({ "args": flags, "binary": "/usr/bin/chromium" }));
        capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        let browser = Self { client, driver, port, _profile: profile };
        browser.size(DESKTOP).await?;
        Ok(browser)
    }

    /// The viewport, by device metrics: a headless window has a least width that a phone is below.
    pub async fn size(&self, (width, height): (u32, u32)) -> Result<()> {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 }),
        )
        .await?;
        Ok(())
    }

    pub async fn dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] }),
        )
        .await?;
        Ok(())
    }

    /// The next page is a first visit.
    pub async fn forget_cache(&self) -> Result<()> {
        self.devtools("Network.clearBrowserCache", json!({})).await?;
        Ok(())
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Result<Value> {
        Ok(self.client.issue_cmd(DevTools { method: method.to_owned(), parameters }).await?)
    }

    pub async fn screenshot(&self, name: &str) -> Result<()> {
        crate::artefacts::save(&format!("{name}.png"), &self.client.screenshot().await?)
    }

    /// The same page on both screens in both themes.
    pub async fn portraits(&self, name: &str) -> Result<()> {
        for (screen, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
            self.size(size).await?;
            for (theme, dark) in [("light", false), ("dark", true)] {
                self.dark(dark).await?;
                self.screenshot(&format!("{name}-{screen}-{theme}")).await?;
            }
        }
        self.dark(false).await?;
        self.size(DESKTOP).await
    }

    /// Errors that the console showed since the last call. CSP violations and failed islands show up here.
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        let log = self.client.issue_cmd(ConsoleLog).await?;
        let entries = log.as_array().context("the console log is no list")?;
        Ok(entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    pub async fn expect_quiet_console(&self) -> Result<()> {
        let errors = self.console_errors().await?;
        if !errors.is_empty() {
            bail!("the console shows errors:\n{}", errors.join("\n"));
        }
        Ok(())
    }

    pub async fn close(mut self) -> Result<()> {
        self.client.clone().close().await?;
        self.driver.kill().await?;
        Ok(())
    }
}

/// A test that failed did not close it, and the driver's end alone is not the browser's.
impl Drop for Browser {
    fn drop(&mut self) {
        let Ok(mut driver) = std::net::TcpStream::connect(("127.0.0.1", self.port)) else { return };
        // Where it cannot be told, a test is failing already, of which nothing may be said in its place.
        let _told = driver
            .set_read_timeout(Some(PARTING))
            .and_then(|()| driver.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
            .and_then(|()| driver.read(&mut [0; 512]));
    }
}

async fn await_port(port: u16) -> Result<()> {
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    bail!("nothing listens on port {port} after 10 s")
}

#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }
    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

#[derive(Debug)]
struct DevTools {
    method: String,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }
    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.method, "params": self.parameters }).to_string()))
    }
}
