//! The last stage: HTML by an allow-list, then our own markup into its slots.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::Builder;
use pulldown_cmark::{Event, html};

use super::{Desk, Events, Page};

const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// Markup of ours that waits outside the page while the page is sanitised.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<String>);

impl Slots {
    /// Keeps `html` and returns the marker that holds its place.
    pub(super) fn put(&mut self, html: String) -> String {
        self.0.push(html);
        format!("{OPEN}{}{CLOSE}\n", self.0.len() - 1)
    }

    /// As [`Slots::put`], within a line.
    pub(super) fn put_inline(&mut self, html: String) -> String {
        self.0.push(html);
        format!("{OPEN}{}{CLOSE}", self.0.len() - 1)
    }

    fn fill(&self, page: &str) -> String {
        let mut html = String::with_capacity(page.len() + self.0.iter().map(String::len).sum::<usize>());
        let mut rest = page;
        while let Some((before, marked)) = rest.split_once(OPEN) {
            html.push_str(before);
            let Some((number, after)) = marked.split_once(CLOSE) else {
                rest = marked;
                continue;
            };
            if let Some(slot) = number.parse::<usize>().ok().and_then(|number| self.0.get(number)) {
                html.push_str(slot);
            }
            rest = after;
        }
        html.push_str(rest);
        html
    }
}

/// What authors may write as raw HTML; the rest of the list is what Markdown makes.
const RAW: &[&str] = &["abbr", "br", "dd", "details", "dl", "dt", "kbd", "mark", "sub", "summary", "sup", "wbr"];
const MADE: &[&str] = &[
    "a",
    "blockquote",
    "code",
    "del",
    "div",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "input",
    "li",
    "ol",
    "p",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let mut attributes: HashMap<&str, HashSet<&str>> = HashMap::new();
    attributes.insert("a", set(&["href", "title", "aria-label"]));
    attributes.insert("abbr", set(&["title"]));
    attributes.insert("details", set(&["open"]));
    attributes.insert("div", set(&["role", "tabindex", "id"]));
    attributes.insert("input", set(&["type", "checked", "disabled"]));
    attributes.insert("ol", set(&["start"]));
    for heading in ["h2", "h3", "h4", "h5", "h6"] {
        attributes.insert(heading, set(&["id"]));
    }
    let mut classes: HashMap<&str, HashSet<&str>> = HashMap::new();
    classes.insert("a", set(&["anchor"]));
    classes.insert("p", set(&["alert-label"]));
    classes.insert("sup", set(&["footnote-reference", "footnote-definition-label"]));
    classes.insert(
        "div",
        set(&[
            "alert",
            "alert-note",
            "alert-tip",
            "alert-important",
            "alert-warning",
            "alert-caution",
            "table-scroll",
            "footnote-definition",
        ]),
    );
    let mut builder = Builder::empty();
    builder
        .tags(set(&[RAW, MADE].concat()))
        .clean_content_tags(set(&["script", "style", "iframe", "object", "template", "noscript"]))
        .tag_attributes(attributes)
        .allowed_classes(classes)
        .url_schemes(set(&["https"]))
        .url_relative(ammonia::UrlRelative::PassThrough)
        .link_rel(Some("noopener"))
        .strip_comments(true);
    // Alignment of table cells is `style="text-align: …"` in pulldown-cmark, which the CSP would refuse; `align` is not.
    builder.add_tag_attributes("td", ["align"]).add_tag_attributes("th", ["align"]);
    builder
});

pub(super) fn finish(mut events: Events<'_>, mut desk: Desk<'_>) -> Page {
    complain(&events, &mut desk);
    let mut raw = String::new();
    html::push_html(&mut raw, events.drain(..).map(|(event, _)| event));
    let aligned = raw
        .replace("style=\"text-align: left\"", "align=\"left\"")
        .replace("style=\"text-align: right\"", "align=\"right\"")
        .replace("style=\"text-align: center\"", "align=\"center\"");
    let clean = CLEANER.clean(&aligned).to_string();
    desk.page.html = desk.slots.fill(&clean);
    desk.page
}

/// Sanitising is silent; authors should hear what will not be shown.
fn complain(events: &Events<'_>, desk: &mut Desk<'_>) {
    for (event, span) in events {
        // Our own blocks carry a class or a marker and only tags of the list, so they pass as well.
        let (Event::Html(html) | Event::InlineHtml(html)) = event else { continue };
        for name in tags(html) {
            if !RAW.contains(&name.as_str()) && !MADE.contains(&name.as_str()) {
                desk.error(
                    span,
                    format!("raw HTML `<{name}>` is not allowed"),
                    format!("write Markdown, or one of: {}", RAW.join(", ")),
                );
            }
        }
    }
}

fn tags(html: &str) -> Vec<String> {
    html.split('<')
        .skip(1)
        .filter_map(|rest| {
            let rest = rest.strip_prefix('/').unwrap_or(rest);
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            (!name.is_empty()).then(|| name.to_ascii_lowercase())
        })
        .collect()
}
