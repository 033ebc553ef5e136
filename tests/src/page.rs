//! What a person does on a page, by what he sees: fills in a form, presses a button, types into a terminal.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fantoccini::{Locator, elements::Element};
use tokio::time::{Instant, sleep};

use crate::browser::Browser;

const PATIENCE: Duration = Duration::from_secs(20);

impl Browser {
    /// Opens a page and waits until its islands are alive, if it has any.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.client.goto(url).await?;
        self.until("the islands are hydrated", PATIENCE, "return document.documentElement.dataset.ready === '' && [...document.querySelectorAll('leptos-island')].every(island => island.dataset.hydrated === '')").await
    }

    /// Waits until a script's value is true.
    pub async fn until(&self, what: &str, within: Duration, script: &str) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            // A page that is just being left has no document to ask.
            let value = self.client.execute(script, Vec::new()).await;
            if value.as_ref().is_ok_and(|value| value == true) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let name = format!("failed-{}", what.replace(|c: char| !c.is_alphanumeric(), "-"));
                self.screenshot(&name).await?;
                bail!(
                    "not within {within:?}: {what} (last: {value:?}; console: {:?}; picture: {name}.png)",
                    self.console_errors().await?
                );
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn find(&self, css: &str) -> Result<Element> {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .with_context(|| format!("no {css} on the page"))
    }

    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let field = self.find(css).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Presses a button once it is enabled.
    pub async fn press(&self, css: &str) -> Result<()> {
        let script = format!("const button = document.querySelector({css:?}); return !!button && !button.disabled");
        self.until(&format!("{css} can be pressed"), PATIENCE, &script).await?;
        Ok(self.find(css).await?.click().await?)
    }

    pub async fn sign_in(&self, address: &str, email: &str, password: &str) -> Result<()> {
        self.open(&format!("{address}/sign-in")).await?;
        self.fill("input[name=email]", email).await?;
        self.fill("input[name=password]", password).await?;
        self.press("main form button").await?;
        self.until("the page after signing in", PATIENCE, "return location.pathname === '/'").await
    }

    /// All text of the first terminal.
    pub async fn terminal_text(&self) -> Result<String> {
        let text = self.client.execute(&format!("return {FIRST_TERMINAL_TEXT}"), Vec::new()).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the first terminal shows `text`.
    pub async fn until_terminal_shows(&self, text: &str, within: Duration) -> Result<()> {
        let script = format!("return ({FIRST_TERMINAL_TEXT}).includes({text:?})");
        if let Err(error) = self.until(&format!("the terminal shows {text}"), within, &script).await {
            bail!("{error:#}\nthe terminal shows:\n{}", self.terminal_text().await?);
        }
        Ok(())
    }

    /// Waits until the lab's score, as the page shows it, meets a condition over `score`.
    pub async fn until_score(&self, condition: &str) -> Result<()> {
        let script = format!(
            "const score = parseInt(document.querySelector('[data-testid=score]')?.textContent); return !Number.isNaN(score) && {condition}"
        );
        self.until(&format!("the score is {condition}"), Duration::from_mins(1), &script).await
    }

    /// Waits until an attempt that the person asked for has passed with all points. The score alone may come sooner: the
    /// server looks by itself at what a change concerns, and that is no attempt.
    pub async fn until_best_is_full(&self) -> Result<()> {
        let script = "return parseInt(document.querySelector('[data-testid=best]')?.textContent) === 100";
        self.until("the best attempt is 100", Duration::from_mins(1), script).await
    }

    /// Answers a lab's question, and waits until it is saved.
    pub async fn answer(&self, check: &str, text: &str) -> Result<()> {
        let form = format!("form.answer:has(input[name=check][value='{check}'])");
        self.fill(&format!("{form} input[name=text]"), text).await?;
        self.press(&format!("{form} button")).await?;
        let saved =
            format!("return document.querySelector({:?}).textContent.trim() !== ''", format!("{form} [role=status]"));
        self.until(&format!("the answer to {check} is saved"), PATIENCE, &saved).await
    }

    /// Types into the first terminal as a person does: by its keyboard.
    pub async fn type_in_terminal(&self, text: &str) -> Result<()> {
        Ok(self.find(".xterm-helper-textarea").await?.send_keys(text).await?)
    }
}

const FIRST_TERMINAL_TEXT: &str =
    "(session => session ? session.text() : '')([...(globalThis.BulkheadTerminal?.sessions ?? new Map()).values()][0])";
