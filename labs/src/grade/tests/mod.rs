//! Whole gradings over a recorded sandbox.

use crate::manifest::{Catalog, Files, Lab};

/// Task one: `a` (weight 1), `b` (weight 3), 60 points. Task two: `c` (after the gate), `gate`, 40 points.
pub(crate) const MANIFEST: &str = include_str!("lab.toml");

pub(crate) fn lab() -> Lab {
    lab_from(MANIFEST)
}

pub(crate) fn lab_from(manifest: &str) -> Lab {
    let script = "#!/bin/sh\nset -eu\n";
    let files: Files = [
        ("small/lab.toml", manifest),
        ("small/story.md", "A story."),
        ("small/solution.md", "The solution."),
        ("small/solution.sh", script),
        ("small/wrong/nothing.sh", script),
        ("small/tasks/one.md", "One."),
        ("small/tasks/two.md", "Two."),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect();
    let catalog = Catalog::parse(&files);
    assert_eq!(catalog.diagnostics(), [], "the test's lab holds");
    catalog.lab("small").expect("the test's lab is there").clone()
}
