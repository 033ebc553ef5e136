//! `bulkhead lab new`: the frame of a lab that holds, as a place to start from.

use bulkhead_labs::manifest::{Files, LabId};
use clap::Args;

use crate::cli::{
    content::write_new,
    exit::{CliError, CliResult, Outcome},
    images::LabsOption,
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// Its id: lower case with dashes, never changed afterwards.
    id: String,
    /// Its title; without it, made from the id.
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    labs: LabsOption,
}

pub(super) fn run(options: &Options) -> CliResult {
    let id = LabId::parse(&options.id).map_err(|error| CliError::Usage(error.to_string()))?;
    let title = options.title.clone().unwrap_or_else(|| title_of(&options.id));
    let installed = options.labs.installed();
    let folder = installed.folder().join(id.as_str());
    if folder.exists() {
        return Err(CliError::Usage(format!("{} is there already", folder.display())));
    }
    for (path, bytes) in frame(&id, &title) {
        write_new(&folder.join(&path), &String::from_utf8_lossy(&bytes))?;
        out::say(&format!("wrote {}", folder.join(path).display()));
    }
    let labs = installed.folder();
    out::say(&format!(
        "Next: bulkhead lab lint {id} --labs {0}, then bulkhead lab test {id} --labs {0}",
        labs.display()
    ));
    Ok(Outcome::Fine)
}

/// Relative to the lab's folder.
fn frame(id: &LabId, title: &str) -> Files {
    let quoted = title.replace('\\', "\\\\").replace('"', "\\\"");
    let manifest = include_str!("scaffold/lab.toml").replace("@ID@", id.as_str()).replace("@TITLE@", &quoted);
    [
        ("lab.toml", manifest.as_str()),
        ("story.md", include_str!("scaffold/story.md")),
        ("tasks/keep.md", include_str!("scaffold/tasks/keep.md")),
        ("setup.sh", include_str!("scaffold/setup.sh")),
        ("solution.sh", include_str!("scaffold/solution.sh")),
        ("solution.md", include_str!("scaffold/solution.md")),
        ("wrong/remove.sh", include_str!("scaffold/wrong/remove.sh")),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect()
}

fn title_of(id: &str) -> String {
    let mut title = id.replace('-', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

#[cfg(test)]
mod tests {
    use bulkhead_labs::manifest::lint::lint;

    use super::*;

    #[test]
    fn a_new_lab_holds_from_the_start() {
        let id = LabId::parse("my-lab").expect("an id");
        let files: Files =
            frame(&id, "My \"own\" lab").into_iter().map(|(path, bytes)| (format!("my-lab/{path}"), bytes)).collect();
        let errors: Vec<String> =
            lint(&files).iter().filter(|finding| finding.is_error()).map(ToString::to_string).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}
