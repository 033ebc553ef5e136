//! `bulkhead lab lint`

use std::path::Path;

use bulkhead_content as content;
use bulkhead_labs::manifest::{Diagnostic, Files, Severity, lint::lint};
use clap::Args;

use crate::cli::{
    exit::{CliError, CliResult, Outcome, machine},
    images::LabsOption,
    out,
};

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// All labs, if none is named.
    ids: Vec<String>,
    #[command(flatten)]
    labs: LabsOption,
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> CliResult {
    let files = options.labs.installed().files().map_err(machine)?;
    for id in &options.ids {
        if !files.keys().any(|path| path.starts_with(&format!("{id}/"))) {
            return Err(CliError::Usage(format!("there is no lab `{id}`")));
        }
    }
    let mut findings = lint(&files);
    findings.extend(texts(&files));
    findings.sort();
    findings.retain(|finding| {
        options.ids.is_empty() || options.ids.iter().any(|id| finding.file.starts_with(&format!("{id}/")))
    });
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    if options.json {
        out::json(&findings);
    } else {
        for finding in &findings {
            out::say(&finding.to_string());
        }
        out::say(&format!("{errors} errors, {} warnings", findings.len() - errors));
    }
    Ok(Outcome::from_yes(errors == 0))
}

/// What of the labs' Markdown would not be on their pages as it was written. What a fixture is made of is its own.
fn texts(files: &Files) -> Vec<Diagnostic> {
    let written = files.iter().filter(|(path, _)| {
        Path::new(path).extension().is_some_and(|found| found == "md") && !path.contains("/fixtures/")
    });
    // What is not UTF-8 the manifest's own findings name.
    let texts = written.filter_map(|(path, bytes)| Some((path, str::from_utf8(bytes).ok()?)));
    let finding = |found: content::Diagnostic| Diagnostic {
        severity: if found.is_error() { Severity::Error } else { Severity::Warning },
        file: found.file,
        line: found.line,
        column: usize::from(found.line > 0),
        message: found.message,
        fix: found.fix,
    };
    texts.flat_map(|(path, text)| content::render_fragment(path, text).findings).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::installed::Installed;

    #[test]
    fn what_a_page_would_not_show_is_named_with_its_place_and_what_to_do() {
        let files = Files::from([
            ("one/story.md".to_owned(), b"Fine.\n\n<script>alert(1)</script>\n".to_vec()),
            ("one/fixtures/web/README.md".to_owned(), b"<b>of its own</b>".to_vec()),
            ("one/tasks/odd.md".to_owned(), vec![0xff]),
        ]);
        let found = texts(&files);
        assert!(found.iter().all(|found| found.file == "one/story.md"), "{found:?}");
        let found = found.first().expect("a finding");
        assert_eq!((found.line, found.is_error(), found.fix.is_empty()), (3, true, false), "{found}");
    }

    #[test]
    fn the_labs_that_we_bring_have_none() {
        let found = texts(&Installed::default().files().expect("labs"));
        assert!(found.is_empty(), "{found:?}");
    }
}
