//! Reading a page without a browser: enough to see that it is whole.

use std::collections::BTreeSet;

pub(crate) fn assert_whole(name: &str, html: &str) {
    assert!(html.starts_with("<!DOCTYPE html>"), "{name}: no doctype");
    let title = between(html, "<title>", "</title>").unwrap_or_default();
    assert!(title.contains("Bulkhead"), "{name}: title `{title}`");
    assert_eq!(tags(html, "h1").len(), 1, "{name}: one h1 a page");
    assert_eq!(tags(html, "main").len(), 1, "{name}: one main a page");
    links(name, html);
    ids(name, html);
    labels(name, html);
    assert!(!html.contains(" hidden=\"false\""), "{name}: hidden is a boolean attribute");
}

/// Every link leads somewhere and says where.
fn links(name: &str, html: &str) {
    for (at, _) in html.match_indices("<a ") {
        let end = html[at..].find("</a>").map_or(html.len(), |end| at + end);
        let link = &html[at..end];
        let tag = &link[..=link.find('>').unwrap_or(link.len() - 1)];
        let href = between(tag, "href=\"", "\"").unwrap_or_default();
        assert!(!href.is_empty(), "{name}: {tag}");
        assert!(!text(link).trim().is_empty() || tag.contains("aria-label="), "{name}: nothing to read in {link}");
    }
}

fn ids(name: &str, html: &str) {
    let mut seen = BTreeSet::new();
    for tag in all_tags(html) {
        if let Some(id) = between(tag, " id=\"", "\"") {
            assert!(!id.contains(' ') && seen.insert(id), "{name}: id `{id}` twice");
        }
    }
    for tag in all_tags(html) {
        for attribute in ["aria-labelledby", "aria-describedby", "for"] {
            if let Some(to) = between(tag, &format!(" {attribute}=\""), "\"") {
                assert!(seen.contains(to), "{name}: {attribute} to `{to}`, which is not there");
            }
        }
    }
}

/// Every field that a person fills in has a name for it.
fn labels(name: &str, html: &str) {
    for tag in tags(html, "input").into_iter().chain(tags(html, "textarea")) {
        let kind = between(tag, "type=\"", "\"").unwrap_or_default();
        if matches!(kind, "hidden" | "checkbox" | "radio") {
            continue;
        }
        let labelled = between(tag, " id=\"", "\"").is_some_and(|id| html.contains(&format!("for=\"{id}\"")));
        assert!(labelled || tag.contains("aria-label="), "{name}: {tag}");
    }
}

pub(crate) fn all_tags(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let end = end_of(tag);
        if tag.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) {
            found.push(&tag[..end]);
        }
        rest = &tag[end..];
    }
    found
}

/// A `>` inside quotes does not end a tag.
fn end_of(tag: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

pub(crate) fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let (plain, more) = (format!("<{name}>"), format!("<{name} "));
    all_tags(html).into_iter().filter(|tag| **tag == plain || tag.starts_with(&more)).collect()
}

pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest
            [if rest.starts_with("<!") { rest.find('>').map_or(rest.len(), |end| end + 1) } else { end_of(rest) }..];
    }
    text + rest
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let start = text.find(from)? + from.len();
    let end = text[start..].find(to)? + start;
    Some(&text[start..end])
}
