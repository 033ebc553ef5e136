//! The YAML block at the top of a lesson.

use serde::Deserialize;

use super::{Reference, Status};
use crate::{
    diagnostic::Report,
    text::{is_date, is_slug},
};

const MAX_SUMMARY: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Front {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) status: Status,
    pub(crate) minutes: u16,
    pub(crate) objectives: Vec<String>,
    #[serde(default)]
    pub(crate) prerequisites: Vec<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    pub(crate) refs: Vec<Reference>,
    pub(crate) updated: String,
    #[serde(default)]
    pub(crate) labs: Vec<String>,
    pub(crate) sandbox: Option<String>,
}

/// A lesson's file in its two parts.
pub(crate) struct Parts<'a> {
    pub(crate) front: &'a str,
    pub(crate) body: &'a str,
    /// The number of the body's first line in the file.
    pub(crate) body_line: usize,
}

/// The block stands between two lines of `---`, the first of them the first line of the file.
pub(crate) fn split(text: &str) -> Option<Parts<'_>> {
    let rest = text.strip_prefix("---\n")?;
    let end = if rest.starts_with("---\n") { 0 } else { rest.find("\n---\n")? + 1 };
    let (front, body) = rest.split_at(end);
    Some(Parts { front, body: &body[4..], body_line: front.matches('\n').count() + 3 })
}

pub(crate) fn parse(front: &str, report: &mut Report) -> Option<Front> {
    let parsed: Front = match serde_saphyr::from_str(front) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = error.location().map_or(0, |location| usize::try_from(location.line()).unwrap_or(0));
            let message = error.without_snippet().to_string();
            // What the parser says of its place counts from the block's first line, which is the file's second.
            let message = message.lines().next().and_then(|line| line.split(" at line ").next()).unwrap_or_default();
            let line = if is_missing(message, front) { 1 } else { line + 1 };
            report.error(line, format!("front matter: {message}"), KEYS);
            return None;
        }
    };
    check(&parsed, front, report);
    Some(parsed)
}

const KEYS: &str = "keys: id, title, summary, status (draft, beta, active, deprecated), minutes, objectives, refs (title, url, date), updated; may be left out: prerequisites, tags, labs, sandbox (the lab whose sandbox runs the commands)";

/// A key that the block has nowhere: the parser misses it at the block's end, an author looks at its beginning.
fn is_missing(message: &str, front: &str) -> bool {
    let key = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    key.is_some_and(|key| line(front, &format!("{key}:")) == 1)
}

/// Where a key stands in the file; its first line for one that is not there.
pub(crate) fn line(front: &str, key: &str) -> usize {
    front.lines().position(|line| line.starts_with(key)).map_or(1, |at| at + 2)
}

fn check(parsed: &Front, front: &str, report: &mut Report) {
    let line = |key: &str| line(front, key);
    if !is_slug(&parsed.id) {
        report.error(
            line("id:"),
            format!("`{}` is not an id", parsed.id),
            "use lower-case letters, digits and hyphens; never change it later",
        );
    }
    if parsed.summary.trim().is_empty() || parsed.summary.chars().count() > MAX_SUMMARY {
        report.error(
            line("summary:"),
            "the summary is empty or too long",
            format!("say it in 1 to {MAX_SUMMARY} characters"),
        );
    }
    if !(1..=240).contains(&parsed.minutes) {
        report.error(line("minutes:"), format!("{} minutes", parsed.minutes), "estimate between 1 and 240");
    }
    if !is_date(&parsed.updated) || parsed.updated.len() != 10 {
        report.error(line("updated:"), format!("`{}` is not a day", parsed.updated), "write it as YYYY-MM-DD");
    }
    if parsed.objectives.is_empty() {
        report.error(line("objectives:"), "no objectives", "name what the reader can do afterwards");
    }
    for lab in parsed.labs.iter().filter(|lab| !is_slug(lab)) {
        report.error(line("labs:"), format!("`{lab}` is not a lab id"), "use the id of a lab's lab.toml");
    }
    if let Some(lab) = parsed.sandbox.as_ref().filter(|lab| !is_slug(lab)) {
        report.error(line("sandbox:"), format!("`{lab}` is not a lab id"), "use the id of a lab's lab.toml");
    }
    let mut from = 0;
    for reference in &parsed.refs {
        let found = front.lines().skip(from).position(|line| line.contains(&reference.title));
        from += found.unwrap_or(0);
        check_reference(reference, from + 2, report);
    }
    if parsed.refs.is_empty() {
        report.error(line("refs:"), "no references", "name at least one source with its date");
    }
}

fn check_reference(reference: &Reference, line: usize, report: &mut Report) {
    match &reference.date {
        None => report.error(
            line,
            format!("reference \"{}\" has no date", reference.title),
            "add `date:` with the year, month or day of the source",
        ),
        Some(date) if !is_date(date) => {
            report.error(line, format!("`{date}` is not a date"), "write YYYY, YYYY-MM or YYYY-MM-DD, in quotes");
        }
        Some(_) => {}
    }
    if let Some(url) = reference.url.as_deref().filter(|url| !url.starts_with("https://")) {
        report.error(line, format!("`{url}` is not an https address"), "use the https address, or leave `url` out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id: x\ntitle: T\nsummary: S\nstatus: active\nminutes: 20\nobjectives: [one]\nrefs:\n  - title: R\n    date: \"2025-11-05\"\nupdated: \"2026-11-24\"\n";

    fn findings(front: &str) -> Vec<String> {
        let mut report = Report::new("l.md");
        parse(front, &mut report);
        report.into_findings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_block_passes() {
        assert_eq!(findings(GOOD), Vec::<String>::new());
    }

    #[test]
    fn the_body_knows_its_first_line() {
        let parts = split("---\nid: x\ntitle: y\n---\nbody\n").expect("two parts");
        assert_eq!((parts.front, parts.body, parts.body_line), ("id: x\ntitle: y\n", "body\n", 5));
        assert!(split("# no block\n").is_none() && split("---\nopen\n").is_none());
        assert_eq!(split("---\n---\nbody").expect("an empty block").body_line, 3);
    }

    #[test]
    fn an_unknown_key_names_file_line_and_keys() {
        let found = findings(&GOOD.replace("tags", "").replace("minutes: 20", "minutes: 20\nlevel: 3"));
        assert!(found[0].starts_with("l.md:7: error: front matter: unknown field `level`"), "{found:?}");
        assert!(found[0].contains("keys: id, title"));
    }

    #[test]
    fn a_reference_without_a_date_is_an_error() {
        let found = findings(&GOOD.replace("    date: \"2025-11-05\"\n", ""));
        assert!(found[0].starts_with("l.md:9: error: reference \"R\" has no date"), "{found:?}");
    }

    #[test]
    fn all_faults_are_collected() {
        let bad = GOOD.replace("id: x", "id: X y").replace("minutes: 20", "minutes: 0").replace("2026-11-24", "today");
        assert_eq!(findings(&bad).len(), 3);
    }
}
