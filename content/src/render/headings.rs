//! Heading levels and anchors. Level 1 is the page's title and comes from the front matter.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Tag, TagEnd};

use super::{Desk, Events};
use crate::{
    Heading,
    text::{escaped, slug},
};

pub(super) fn anchor<'a>(events: Events<'a>, desk: &mut Desk<'_>) -> Events<'a> {
    let texts = texts(&events);
    let mut texts = texts.into_iter();
    let mut out = Events::with_capacity(events.len());
    let mut anchors = Anchors::default();
    let mut previous = 1;
    for (event, span) in events {
        match event {
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                let text = texts.next().unwrap_or_default();
                if !classes.is_empty() || !attrs.is_empty() {
                    desk.error(&span, "a heading takes an anchor only", "write `## Title {#anchor}`");
                }
                let number = level as u8;
                if number == 1 {
                    desk.error(&span, "a heading of level 1", "the title stands in the front matter; begin with `##`");
                } else if number > previous + 1 || number > 4 {
                    desk.warning(
                        &span,
                        format!("a heading of level {number} below one of level {previous}"),
                        "go one level down at a time, to 4 at most",
                    );
                }
                previous = number;
                let anchor = anchors.unique(id.map_or_else(|| slug(&text), |id| slug(&id)));
                desk.page.headings.push(Heading { level: number, text, anchor: anchor.clone() });
                let tag =
                    Tag::Heading { level, id: Some(CowStr::from(anchor)), classes: Vec::new(), attrs: Vec::new() };
                out.push((Event::Start(tag), span));
            }
            Event::End(TagEnd::Heading(level)) => {
                if level <= HeadingLevel::H4
                    && let Some(Heading { anchor, text, .. }) = desk.page.headings.last()
                {
                    let link = format!(
                        "<a class=\"anchor\" href=\"#{anchor}\" aria-label=\"Link to: {}\">#</a>",
                        escaped(text),
                        anchor = escaped(anchor),
                    );
                    out.push((Event::InlineHtml(link.into()), span.clone()));
                }
                out.push((Event::End(TagEnd::Heading(level)), span));
            }
            event => out.push((event, span)),
        }
    }
    out
}

/// The plain text of each heading, in order.
fn texts(events: &Events<'_>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut inside = false;
    for (event, _) in events {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                inside = true;
                texts.push(String::new());
            }
            Event::End(TagEnd::Heading(_)) => inside = false,
            Event::Text(text) | Event::Code(text) if inside => {
                if let Some(last) = texts.last_mut() {
                    last.push_str(text);
                }
            }
            _ => {}
        }
    }
    texts
}

/// Anchors given so far, with how often each was asked for.
#[derive(Default)]
struct Anchors(HashMap<String, usize>);

impl Anchors {
    fn unique(&mut self, wanted: String) -> String {
        let wanted = if wanted.is_empty() { "section".to_owned() } else { wanted };
        let asked = self.0.entry(wanted.clone()).or_default();
        *asked += 1;
        if *asked == 1 {
            return wanted;
        }
        // The number may have been somebody's own words: `a`, `a-2`, `a`.
        let numbered = format!("{wanted}-{asked}");
        self.unique(numbered)
    }
}

#[cfg(test)]
mod tests {
    use super::Anchors;

    #[test]
    fn anchors_are_unique() {
        let mut anchors = Anchors::default();
        let given = ["a", "a-2", "a", "a", "", ""].map(|wanted| anchors.unique(wanted.to_owned()));
        assert_eq!(given, ["a", "a-2", "a-2-2", "a-3", "section", "section-2"]);
    }
}
