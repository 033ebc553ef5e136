//! Pages as they were rendered last time, for whoever loads a course again and again while it is written.

use std::collections::HashMap;

use crate::{Diagnostic, Files, Lesson, render::Target};

/// A page as it came out: what could be read of it, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) page: Option<(Lesson, Vec<Target>)>,
    pub(crate) findings: Vec<Diagnostic>,
}

/// Starts empty, and holds the pages of the last load. A page is taken from it only where everything that it was made of
/// is byte for byte the same, so a load with a memory comes to what a load without one would.
#[derive(Debug, Default)]
pub struct Memory {
    /// Every page depends on these.
    common: Files,
    pages: HashMap<String, (Files, Rendered)>,
}

impl Memory {
    /// Forgets everything where a file has changed that every page depends on.
    pub(crate) fn depend(&mut self, common: Files) {
        if self.common != common {
            self.pages.clear();
            self.common = common;
        }
    }

    /// `folder` is all that lies beside the page, itself included.
    pub(crate) fn page(&mut self, file: &str, folder: Files, render: impl FnOnce() -> Rendered) -> Rendered {
        match self.pages.get(file) {
            Some((known, rendered)) if *known == folder => rendered.clone(),
            _ => {
                let rendered = render();
                self.pages.insert(file.to_owned(), (folder, rendered.clone()));
                rendered
            }
        }
    }

    /// Lets go of pages that are no longer in the course.
    pub(crate) fn keep(&mut self, files: &[String]) {
        self.pages.retain(|file, _| files.contains(file));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        Files::from([("a/lesson.md".to_owned(), text.as_bytes().to_vec())])
    }

    #[test]
    fn a_page_is_rendered_again_when_something_that_it_is_made_of_changed() {
        let mut memory = Memory::default();
        let mut count = 0;
        let mut ask = |memory: &mut Memory, folder: &str| {
            memory.page("a/lesson.md", files(folder), || {
                count += 1;
                Rendered { page: None, findings: Vec::new() }
            });
            count
        };
        memory.depend(files("outline"));
        assert_eq!((ask(&mut memory, "one"), ask(&mut memory, "one")), (1, 1));
        assert_eq!((ask(&mut memory, "two"), ask(&mut memory, "one")), (2, 3));
        memory.depend(files("outline"));
        assert_eq!(ask(&mut memory, "one"), 3);
        memory.depend(files("another outline"));
        assert_eq!(ask(&mut memory, "one"), 4);
        memory.keep(&[]);
        assert_eq!(ask(&mut memory, "one"), 5);
    }
}
