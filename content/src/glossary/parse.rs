//! `glossary.toml`:
//!
//! ```toml
//! [[term]]
//! term = "bounding set"
//! aliases = ["capability bounding set"]
//! definition = "The capabilities that a process can ever get back, whatever file it executes."
//! lesson = "container-security/minimizing-container-privileges"
//! ```

use serde::Deserialize;
use toml::Spanned;

use super::Term;
use crate::{diagnostic::Report, text::Lines};

pub(crate) const FILE: &str = "glossary.toml";

const LONGEST: usize = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    term: Vec<Spanned<RawTerm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerm {
    term: String,
    #[serde(default)]
    aliases: Vec<String>,
    definition: String,
    lesson: Option<String>,
}

/// In alphabetical order. `known`: whether the outline has such a lesson.
pub(crate) fn parse(text: &str, known: impl Fn(&str) -> bool, report: &mut Report) -> Vec<Term> {
    let lines = Lines::new(text, 1);
    let raw: Raw = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let line = error.span().map_or(0, |span| lines.of(&span));
            report.error(line, error.message(), "keys of a [[term]]: term, aliases, definition, lesson");
            return Vec::new();
        }
    };
    let mut terms: Vec<Term> = Vec::with_capacity(raw.term.len());
    for raw in raw.term {
        let line = lines.of(&raw.span());
        let RawTerm { term, aliases, definition, lesson } = raw.into_inner();
        let term = Term { term, aliases, definition: definition.trim().to_owned(), lesson, line };
        check(&term, &terms, &known, report);
        terms.push(term);
    }
    terms.sort_by_key(|term| term.term.to_lowercase());
    terms
}

fn check(term: &Term, earlier: &[Term], known: impl Fn(&str) -> bool, report: &mut Report) {
    let length = term.definition.chars().count();
    if length == 0 || length > LONGEST {
        report.error(
            term.line,
            format!("the definition of `{}` has {length} characters", term.term),
            format!("say it in 1 to {LONGEST}"),
        );
    }
    if term.definition.matches('`').count() % 2 == 1 {
        report.error(term.line, "a back quote without a partner", "put code between two of them");
    }
    for form in forms(term) {
        if form.trim() != form || !form.contains(char::is_alphanumeric) {
            report.error(term.line, format!("`{form}` is not a term"), "write a word or a few, without blanks around");
        }
        if let Some(other) = earlier.iter().find(|other| forms(other).any(|theirs| theirs.eq_ignore_ascii_case(form))) {
            report.error(
                term.line,
                format!("`{form}` is also in the entry of line {}", other.line),
                "say each term once; join the entries, or drop the alias",
            );
        }
    }
    if let Some(lesson) = term.lesson.as_deref().filter(|lesson| !known(lesson)) {
        report.error(term.line, format!("the outline has no lesson `{lesson}`"), "write module-slug/lesson-slug");
    }
}

fn forms(term: &Term) -> impl Iterator<Item = &str> {
    std::iter::once(term.term.as_str()).chain(term.aliases.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[term]]\nterm = \"seccomp\"\ndefinition = \"A filter.\"\nlesson = \"m/l\"\n\n[[term]]\nterm = \"EROFS\"\naliases = [\"read-only error\"]\ndefinition = \"What `open` gives.\"\n";

    fn read(text: &str) -> (Vec<Term>, Vec<String>) {
        let mut report = Report::new(FILE);
        let terms = parse(text, |lesson| lesson == "m/l", &mut report);
        (terms, report.into_findings().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn terms_come_in_order_with_code_in_them() {
        let (terms, findings) = read(GOOD);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(terms.iter().map(|term| term.term.as_str()).collect::<Vec<_>>(), ["EROFS", "seccomp"]);
        assert_eq!(terms[0].definition_html(), "What <code>open</code> gives.");
        assert_eq!(terms[0].anchor(), "term-erofs");
    }

    #[test]
    fn faults_name_their_line() {
        for (from, to, expected) in [
            ("A filter.", "", "glossary.toml:1: error: the definition of `seccomp` has 0 characters"),
            ("A filter.", &"x".repeat(301), "glossary.toml:1: error: the definition of `seccomp` has 301"),
            ("`open` gives", "`open gives", "glossary.toml:6: error: a back quote"),
            ("read-only error", "Seccomp", "glossary.toml:6: error: `Seccomp` is also in the entry of line 1"),
            ("m/l", "m/x", "glossary.toml:1: error: the outline has no lesson `m/x`"),
            ("read-only error", " x", "glossary.toml:6: error: ` x` is not a term"),
            ("aliases", "alias", "glossary.toml:8: error: unknown field `alias`"),
        ] {
            let (_, findings) = read(&GOOD.replacen(from, to, 1));
            assert!(findings.iter().any(|found| found.starts_with(expected)), "{expected}: {findings:?}");
        }
    }
}
