//! `lab new`: a lab to start from, which lints without errors before anything is changed.

use super::{Files, LabId};

/// The files of a new lab, by path within the catalogue. Pure.
pub fn scaffold(id: &LabId, title: &str, module: u8) -> Files {
    let manifest = include_str!("scaffold/lab.toml")
        .replace("ID", id.as_str())
        .replace("TITLE", &title.replace(['"', '\\'], "'"))
        .replace("MODULE", &module.to_string());
    let files = [
        ("lab.toml", manifest.as_str()),
        ("story.md", include_str!("scaffold/story.md")),
        ("tasks/rootfs.md", include_str!("scaffold/rootfs.md")),
        ("tasks/attack.md", include_str!("scaffold/attack.md")),
        ("solution.md", include_str!("scaffold/solution.md")),
        ("setup.sh", include_str!("scaffold/setup.sh")),
        ("solution.sh", include_str!("scaffold/solution.sh")),
        ("wrong/restart-only.sh", include_str!("scaffold/wrong.sh")),
    ];
    files.into_iter().map(|(path, text)| (format!("{id}/{path}"), text.as_bytes().to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, lint};
    use super::*;

    #[test]
    fn a_new_lab_lints_clean() {
        let id = LabId::parse("my-lab").unwrap();
        let files = scaffold(&id, "A \"lab\" of \\mine", 2);
        assert_eq!(lint::lint(&files), []);
        assert_eq!(Catalog::parse(&files).lab("my-lab").unwrap().title, "A 'lab' of 'mine");
    }
}
