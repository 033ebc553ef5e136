//! All labs of a folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{Diagnostic, Files, Lab, ReadError, files, read};

/// The labs that hold, and what is wrong with the others. One lab's error takes no other lab away.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    labs: Vec<Lab>,
    diagnostics: Vec<Diagnostic>,
}

impl Catalog {
    /// Every `ID/lab.toml` in `files`. Pure.
    pub fn parse(files: &Files) -> Self {
        let folders: BTreeSet<&str> = files
            .keys()
            .filter_map(|path| path.strip_suffix("/lab.toml"))
            .filter(|folder| !folder.contains('/'))
            .collect();
        let mut catalog = Self::default();
        for folder in folders {
            let (lab, diagnostics) = read::read(folder, files);
            catalog.labs.extend(lab);
            catalog.diagnostics.extend(diagnostics);
        }
        catalog.labs.sort_by(|a, b| (a.module, &a.id).cmp(&(b.module, &b.id)));
        catalog.diagnostics.sort();
        catalog
    }

    /// Reads and parses a folder of labs.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        Ok(Self::parse(&files::read_dir(folder)?))
    }

    /// By module, then by id.
    pub fn labs(&self) -> &[Lab] {
        &self.labs
    }

    /// Those that can be passed: no playgrounds.
    pub fn graded(&self) -> impl Iterator<Item = &Lab> {
        self.labs().iter().filter(|lab| !lab.playground)
    }

    pub fn lab(&self, id: &str) -> Option<&Lab> {
        self.labs.iter().find(|lab| lab.id.as_str() == id)
    }

    pub fn by_module(&self) -> BTreeMap<u8, Vec<&Lab>> {
        let mut modules: BTreeMap<u8, Vec<&Lab>> = BTreeMap::new();
        for lab in &self.labs {
            modules.entry(lab.module).or_default().push(lab);
        }
        modules
    }

    /// Errors of the labs that are not there. For advice as well, see [`super::lint`].
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

#[cfg(test)]
mod tests {
    use super::super::lint;
    use super::*;

    /// What we ship holds, and its scripts parse.
    #[test]
    fn our_own_labs_have_no_errors() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
        let findings = lint::lint(&files::read_dir(&folder).unwrap());
        let errors: Vec<String> = findings.iter().filter(|f| f.is_error()).map(ToString::to_string).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}
