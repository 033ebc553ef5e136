//! The crates that the programs are made of, with their licences, into the site's `licences.json` beside the npm packages.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};
use serde_json::{Value, json};

use crate::shell::root;

/// Ours, that users run or load.
const PROGRAMS: [&str; 4] = ["bulkhead", "bulkhead-front", "bulkhead-agent", "bulkhead-init"];
/// Which text to show, where a crate offers several licences.
const PREFERRED: [&str; 4] = ["LICENSE-MIT", "LICENSE", "LICENCE", "LICENSE-APACHE"];

pub(crate) fn list(site: &Path) -> Result<()> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .context("cargo metadata")?;
    let file = site.join("licences.json");
    let bundled = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
    let mut parts: Vec<Value> = serde_json::from_slice(&bundled)?;
    parts.extend(crates(&metadata).into_iter().map(part));
    Ok(fs::write(&file, serde_json::to_vec(&parts)?)?)
}

/// All that is linked into a program of ours; not what builds or tests it.
fn crates(metadata: &Metadata) -> Vec<&Package> {
    let is_ours = |package: &Package| package.source.is_none();
    let mut open: Vec<&PackageId> = metadata
        .packages
        .iter()
        .filter(|package| is_ours(package) && PROGRAMS.contains(&package.name.as_str()))
        .map(|package| &package.id)
        .collect();
    let nodes = metadata.resolve.as_ref().map(|resolve| resolve.nodes.as_slice()).unwrap_or_default();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let linked = nodes.iter().filter(|node| &node.id == id).flat_map(|node| &node.deps);
        open.extend(
            linked
                .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal))
                .map(|dep| &dep.pkg),
        );
    }
    let mut linked: Vec<&Package> =
        metadata.packages.iter().filter(|package| seen.contains(&package.id) && !is_ours(package)).collect();
    linked.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    linked
}

fn part(package: &Package) -> Value {
    let folder = package.manifest_path.parent().map(|folder| folder.as_std_path().to_path_buf()).unwrap_or_default();
    json!({
        "name": package.name.as_str(),
        "version": package.version.to_string(),
        "kind": "crate",
        "licence": package.license.clone().unwrap_or_default(),
        "text": text(&folder).unwrap_or_default(),
    })
}

fn text(folder: &Path) -> Option<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let named = |start: &str| {
        files.iter().find(|file| {
            file.is_file()
                && file.file_name().is_some_and(|name| name.to_string_lossy().to_uppercase().starts_with(start))
        })
    };
    PREFERRED.iter().find_map(|start| named(start)).and_then(|file| fs::read_to_string(file).ok())
}
