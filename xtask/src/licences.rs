//! Every dependency's licence against the allow-list: Rust crates by their SPDX expression, npm packages by their lock.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::shell::{root, say};

/// Permissive, or weak copyleft by file that asks nothing of the rest of a program.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(crate) fn check() -> Result<()> {
    let mut refused = Vec::new();
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .context("cargo metadata")?;
    for package in &metadata.packages {
        let expression = package.license.clone().unwrap_or_default().replace('/', " OR ");
        if !allowed(&expression) {
            refused.push(format!("crate {} {}: {:?}", package.name, package.version, expression));
        }
    }
    let lock = fs::read_to_string(root().join("app/web/package-lock.json")).context("app/web/package-lock.json")?;
    let lock: serde_json::Value = serde_json::from_str(&lock)?;
    let mut modules = 0;
    for (name, entry) in lock["packages"].as_object().context("package-lock.json has no packages")? {
        if name.is_empty() {
            continue;
        }
        modules += 1;
        let expression = entry["license"].as_str().unwrap_or_default();
        if !allowed(expression) {
            refused.push(format!("npm {name}: {expression:?}"));
        }
    }
    if !refused.is_empty() {
        bail!("licences that are not on the allow-list:\n  {}", refused.join("\n  "));
    }
    say(&format!("Licences: {} crates and {modules} npm packages are all on the allow-list.", metadata.packages.len()));
    Ok(())
}

fn allowed(expression: &str) -> bool {
    spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|requirement| requirement.license.id().is_some_and(|id| ALLOWED.contains(&id.name)))
    })
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn weighs_whole_expressions() {
        assert!(allowed("MIT OR GPL-3.0-only"), "one allowed alternative is enough");
        assert!(!allowed("MIT AND GPL-3.0-only"), "both apply");
        assert!(allowed("Apache-2.0 WITH LLVM-exception OR MIT"));
        assert!(!allowed(""), "no licence is no permission");
        assert!(!allowed("SSPL-1.0"));
    }
}
