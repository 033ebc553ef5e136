//! What axe-core finds on a page, in light and in dark. Serious and critical findings fail.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::browser::{Browser, DESKTOP, PHONE};

/// By `app/web/package-lock.json`; only tests use it.
const SCRIPT: &str = "../app/web/node_modules/axe-core/axe.min.js";

/// One line for each element that a rule found, of those that count.
const RUN: &str = "
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then(
  ({ violations, passes }) => done({
    looked: passes.length + violations.length,
    found: violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').flatMap(({ id, impact, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${impact} ${id}: ${help}\\n    at ${target.join(' ')}\\n    ${failureSummary.replaceAll('\\n', '\\n    ')}`)),
  }),
  (error) => done({ looked: 0, found: [String(error)] }));
";

impl Browser {
    /// Fails with what axe-core finds serious or critical on the page as it stands, in both themes and on a phone.
    pub async fn expect_accessible(&self, name: &str) -> Result<()> {
        let mut found = Vec::new();
        for (screen, size, dark) in [("light", DESKTOP, false), ("dark", DESKTOP, true), ("phone", PHONE, false)] {
            self.size(size).await?;
            self.dark(dark).await?;
            found.extend(self.axe().await?.into_iter().map(|finding| format!("{screen}: {finding}")));
        }
        self.size(DESKTOP).await?;
        if !found.is_empty() {
            self.screenshot(&format!("axe-{name}")).await?;
            bail!("axe-core finds on {name}:\n  {}", found.join("\n  "));
        }
        Ok(())
    }

    async fn axe(&self) -> Result<Vec<String>> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
        let script = std::fs::read_to_string(&file)
            .with_context(|| format!("{} is missing; `npm ci` in app/web brings it", file.display()))?;
        if self.client.execute("return typeof axe", Vec::new()).await? == "undefined" {
            self.client.execute(&script, Vec::new()).await?;
        }
        let result = self.client.execute_async(RUN, Vec::new()).await?;
        // A run that looked at nothing finds nothing.
        if result["looked"].as_u64().is_none_or(|rules| rules < 10) {
            bail!("axe-core did not run: {result}");
        }
        let found = result["found"].as_array().context("no list of findings")?;
        Ok(found.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}
