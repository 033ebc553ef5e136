//! The labs and what their images are made of: in a release build they are part of the binary, in a debug build they are
//! read from the checkout.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use bulkhead_labs::{
    images::{self, BASE_VARIABLE, BaseSource, Content, ImagesError, LabSource, Plan, Sources},
    manifest::{Catalog, Files, Lab, ReadError, read_dir},
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::images::Images;

#[derive(RustEmbed)]
#[folder = "../labs/catalog"]
#[allow_missing = true]
struct Labs;

#[derive(RustEmbed)]
#[folder = "../labs/images/docker-host"]
struct Machine;

#[derive(RustEmbed)]
#[folder = "../labs/images/plain"]
struct Plain;

#[derive(RustEmbed)]
#[folder = "../labs/images/stock"]
struct Stock;

/// Static programs that sandboxes and fixtures are made from, as `xtask` built them.
#[derive(RustEmbed)]
#[folder = "../target/static/x86_64-unknown-linux-gnu/static"]
#[allow_missing = true]
#[exclude = "*/*"]
#[exclude = "*.d"]
#[exclude = "*.rlib"]
#[exclude = ".*"]
struct Programs;

/// Environment variable that names the folder of tools for the student's machine, where it is not the checkout's.
const TOOLS_VARIABLE: &str = "BULKHEAD_TOOLS";

/// Where labs come from.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    /// A folder of labs in place of those that the binary brings.
    pub labs: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Images(#[from] ImagesError),
}

impl Installed {
    pub fn catalog(&self) -> Result<Catalog, InstalledError> {
        Ok(Catalog::parse(&self.files()?))
    }

    /// Every file of every lab, `<lab>/<path>`.
    pub fn files(&self) -> Result<Files, InstalledError> {
        Ok(match &self.labs {
            Some(folder) => read_dir(folder)?,
            None => embedded::<Labs>(),
        })
    }

    /// What to build for the labs of `catalog`, each step with the tag that its inputs hash to.
    pub fn plan(&self, catalog: &Catalog) -> Result<Plan, InstalledError> {
        let files = self.files()?;
        let base = std::env::var(BASE_VARIABLE).ok().filter(|image| !image.is_empty());
        let sources = Sources {
            base: base.map_or(BaseSource::Bootstrap, BaseSource::Image),
            machine: hashed::<Machine>(),
            plain: hashed::<Plain>(),
            stock: hashed::<Stock>(),
            programs: hashed::<Programs>(),
            tools: tools(),
            labs: catalog.labs().iter().map(|lab| source(&files, lab)).collect(),
        };
        Ok(images::plan(&sources)?)
    }

    pub fn images(&self, catalog: &Catalog) -> Result<Images, InstalledError> {
        let plan = self.plan(catalog)?;
        let image = |lab: &str| plan.lab_image(lab).map(|image| (lab.to_owned(), image.to_owned()));
        Ok(catalog.labs().iter().filter_map(|lab| image(lab.id.as_str())).collect())
    }

    /// The folder that `lab new` writes to and authors work in.
    pub fn folder(&self) -> Cow<'_, Path> {
        self.labs.as_deref().map_or(Cow::Borrowed(Path::new("labs/catalog")), Cow::Borrowed)
    }
}

/// Not part of the binary: they are larger than all of it.
fn tools() -> PathBuf {
    std::env::var_os(TOOLS_VARIABLE)
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools"), Into::into)
}

fn source(files: &Files, lab: &Lab) -> LabSource {
    let machines = lab.machines.iter().map(|machine| (machine.name.to_string(), machine.kind)).collect();
    LabSource { id: lab.id.to_string(), machines, fixtures: fixtures(files, lab.id.as_str()) }
}

fn fixtures(files: &Files, lab: &str) -> images::Files {
    let prefix = format!("{lab}/fixtures/");
    files
        .range(prefix.clone()..)
        .map_while(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes.clone().into())))
        .collect()
}

fn embedded<E: RustEmbed>() -> BTreeMap<String, Vec<u8>> {
    E::iter().filter_map(|path| Some((path.to_string(), E::get(&path)?.data.into_owned()))).collect()
}

/// As they lie in the binary, with the hash that was taken when it was built: to read them all would keep them in memory.
fn hashed<E: RustEmbed>() -> images::Files {
    let content = |file: EmbeddedFile| {
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Content::hashed(bytes, file.metadata.sha256_hash())
    };
    E::iter().filter_map(|path| Some((path.to_string(), content(E::get(&path)?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_labs_fixtures_are_its_own() {
        let file = |path: &str| (path.to_owned(), path.as_bytes().to_vec());
        let files =
            Files::from([file("a/fixtures/x"), file("a/lab.toml"), file("ab/fixtures/y"), file("a/fixtures/d/z")]);
        let found = fixtures(&files, "a");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["d/z", "x"]);
    }
}
