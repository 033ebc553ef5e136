//! The page without markup: how many words of prose, and the text below each heading for search.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::{Desk, Events};
use crate::TextSection;

#[derive(Clone, Copy, PartialEq)]
enum Where {
    Prose,
    /// Its text is the section's heading already.
    Heading,
    /// Found by search, not counted as prose.
    Code,
    /// Keys must not be found by search.
    Quiz,
}

pub(super) fn read(events: &Events<'_>, desk: &mut Desk<'_>) {
    let mut headings = desk.page.headings.iter();
    let mut sections = vec![TextSection { heading: None, text: String::new() }];
    let mut place = Where::Prose;
    let mut prose = String::new();
    for (event, _) in events {
        let mut said = "";
        match event {
            Event::Start(Tag::Heading { .. }) => {
                place = Where::Heading;
                sections.push(TextSection { heading: headings.next().cloned(), text: String::new() });
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let quiz =
                    matches!(kind, CodeBlockKind::Fenced(info) if info.split_whitespace().next() == Some("quiz"));
                place = if quiz { Where::Quiz } else { Where::Code };
            }
            Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock) => place = Where::Prose,
            Event::Text(text) | Event::Code(text) => said = text,
            Event::SoftBreak | Event::HardBreak | Event::End(_) => said = " ",
            _ => {}
        }
        if let Where::Prose | Where::Code = place
            && let Some(section) = sections.last_mut()
        {
            section.text.push_str(said);
        }
        if place == Where::Prose {
            prose.push_str(said);
        }
    }
    for section in &mut sections {
        section.text = section.text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    sections.retain(|section| section.heading.is_some() || !section.text.is_empty());
    desk.page.words = prose.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
    desk.page.sections = sections;
}
