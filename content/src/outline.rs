//! `course.toml`: the table of contents.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::{
    diagnostic::Report,
    text::{Lines, is_slug},
};

pub(crate) const FILE: &str = "course.toml";

/// What stands in a lesson's place in an address below its module.
const RESERVED: [&str; 2] = ["summary", "test"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outline {
    pub(crate) title: String,
    pub(crate) summary: String,
    #[serde(rename = "module")]
    pub(crate) modules: Vec<OutlineModule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutlineModule {
    pub(crate) slug: Spanned<String>,
    pub(crate) title: String,
    pub(crate) summary: String,
    #[serde(default)]
    pub(crate) labs: Vec<Spanned<String>>,
    #[serde(rename = "section")]
    pub(crate) sections: Vec<OutlineSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutlineSection {
    pub(crate) title: Option<String>,
    pub(crate) lessons: Vec<OutlineLesson>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutlineLesson {
    pub(crate) slug: Spanned<String>,
    pub(crate) title: String,
}

/// `None` when nothing below it can be trusted; the report says why.
pub(crate) fn parse(text: &str, report: &mut Report) -> Option<Outline> {
    let lines = Lines::new(text, 1);
    let outline: Outline = match toml::from_str(text) {
        Ok(outline) => outline,
        Err(error) => {
            let line = error.span().map_or(0, |span| lines.of(&span));
            report.error(line, error.message(), "see the other entries of course.toml for the keys and their form");
            return None;
        }
    };
    check(&outline, &lines, report);
    Some(outline)
}

fn check(outline: &Outline, lines: &Lines, report: &mut Report) {
    let mut modules = Vec::new();
    for module in &outline.modules {
        check_slug(&module.slug, &mut modules, lines, report);
        for lab in &module.labs {
            check_slug(lab, &mut Vec::new(), lines, report);
        }
        let mut lessons = Vec::new();
        for lesson in module.sections.iter().flat_map(|section| &section.lessons) {
            check_slug(&lesson.slug, &mut lessons, lines, report);
            if RESERVED.contains(&lesson.slug.get_ref().as_str()) {
                let message = format!("`{}` is the address of another page of the module", lesson.slug.get_ref());
                report.error(line(lesson.slug.span(), lines), message, "choose another slug");
            }
        }
    }
    if outline.modules.is_empty() {
        report.error(0, "the course has no module", "add a [[module]]");
    }
    if outline.modules.len() > 99 {
        report.error(0, "the course has more than 99 modules", "split the course");
    }
}

fn check_slug<'a>(slug: &'a Spanned<String>, seen: &mut Vec<&'a str>, lines: &Lines, report: &mut Report) {
    let line = line(slug.span(), lines);
    let slug = slug.get_ref().as_str();
    if !is_slug(slug) {
        report.error(line, format!("`{slug}` is not a slug"), "use lower-case letters, digits and single hyphens");
    }
    if seen.contains(&slug) {
        report.error(line, format!("`{slug}` occurs twice"), "give each its own slug");
    }
    seen.push(slug);
}

fn line(span: Range<usize>, lines: &Lines) -> usize {
    lines.of(&span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let mut report = Report::new(FILE);
        parse(text, &mut report);
        report.into_findings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unknown_key_names_its_line() {
        let found = findings("title = \"x\"\nsummary = \"y\"\nmodul = 3\n");
        assert!(found[0].starts_with("course.toml:3: error: unknown field `modul`"), "{found:?}");
    }

    #[test]
    fn every_bad_slug_is_reported() {
        let lesson = |slug: &str| format!("{{ slug = \"{slug}\", title = \"t\" }}");
        let text = format!(
            "title = \"x\"\nsummary = \"y\"\n[[module]]\nslug = \"A b\"\ntitle = \"t\"\nsummary = \"s\"\n[[module.section]]\nlessons = [\n{},\n{},\n{}]\n",
            lesson("one"),
            lesson("one"),
            lesson("../up"),
        );
        let found = findings(&text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with("course.toml:4:")
                && found[1].starts_with("course.toml:10:")
                && found[2].starts_with("course.toml:11:")
        );
    }
}
