//! The author's folder, read again and again. What did not change is not rendered again.

use std::path::{Path, PathBuf};

use bulkhead_content::{Course, Diagnostic, Files, Grammars, Memory, ReadError, Severity, read_dir};

use super::Edition;

pub(crate) struct Desk {
    folder: PathBuf,
    /// As they were read last; `None` where they could not be.
    files: Option<Files>,
    memory: Memory,
    /// A change is shown at once: they are not loaded for it.
    _grammars: Grammars,
    number: u64,
}

impl Desk {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            files: None,
            memory: Memory::default(),
            _grammars: Grammars::hold(),
            number: 0,
        }
    }

    /// The course as it stands now; `None` where not a byte of it has changed.
    pub(crate) fn read(&mut self) -> Option<Edition> {
        let files = match read_dir(&self.folder) {
            Ok(files) => files,
            Err(error) => return Some(self.unreadable(&error)),
        };
        if self.files.as_ref() == Some(&files) {
            return None;
        }
        let (course, findings) = Course::survey_again(&files, &mut self.memory);
        let changed = self.files.as_ref().map(|before| differing(before, &files)).unwrap_or_default();
        self.files = Some(files);
        Some(self.edition(course, findings, changed))
    }

    fn unreadable(&mut self, error: &ReadError) -> Edition {
        self.files = None;
        let finding = Diagnostic {
            severity: Severity::Error,
            file: self.folder.display().to_string(),
            line: 0,
            message: error.to_string(),
            fix: "put it right; it is read again when something in the folder changes".to_owned(),
        };
        self.edition(None, vec![finding], Vec::new())
    }

    fn edition(&mut self, course: Option<Course>, findings: Vec<Diagnostic>, changed: Vec<String>) -> Edition {
        self.number += 1;
        Edition { number: self.number, course, findings, changed }
    }
}

/// Files that are in one of the two alone, or have other bytes.
fn differing(before: &Files, after: &Files) -> Vec<String> {
    let gone = before.keys().filter(|file| !after.contains_key(*file));
    let other = after.iter().filter(|(file, bytes)| before.get(*file) != Some(bytes)).map(|(file, _)| file);
    let mut files: Vec<String> = gone.chain(other).cloned().collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::random::Random;

    const OUTLINE: &str = "title = \"t\"\nsummary = \"s\"\n[[module]]\nslug = \"m\"\ntitle = \"M\"\nsummary = \"s\"\n[[module.section]]\nlessons = [{ slug = \"l\", title = \"L\" }]\n";

    #[test]
    fn an_edition_for_each_change_and_none_without_one() {
        let folder = std::env::temp_dir().join(format!("bulkhead-desk-{}", Random::system().hex::<8>()));
        let mut desk = Desk::new(&folder);
        let missing = desk.read().expect("an edition that says so");
        assert!(missing.course.is_none() && missing.findings[0].message.contains("cannot read"));

        fs::create_dir_all(folder.join("m/l")).expect("a folder");
        fs::write(folder.join("course.toml"), OUTLINE).expect("an outline");
        let first = desk.read().expect("an edition");
        assert!(first.number == 2 && first.errors() == 0 && first.changed.is_empty());
        assert!(desk.read().is_none());

        fs::write(folder.join("m/l/lesson.md"), "no front matter\n").expect("a lesson");
        let broken = desk.read().expect("an edition");
        assert_eq!(broken.changed, ["m/l/lesson.md"]);
        let finding = &broken.findings[0];
        assert_eq!((finding.file.as_str(), finding.line, finding.is_error()), ("m/l/lesson.md", 1, true));

        fs::remove_file(folder.join("m/l/lesson.md")).expect("removed");
        let mended = desk.read().expect("an edition");
        assert!(mended.errors() == 0 && mended.changed == ["m/l/lesson.md"]);
        fs::remove_dir_all(folder).expect("removed");
    }
}
