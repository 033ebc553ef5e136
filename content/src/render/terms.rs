//! Where a lesson first uses a term of the glossary, the word opens a note: by pointer, by keyboard, by touch, without a
//! script.
//!
//! ```html
//! <button type="button" class="gloss" popovertarget="note-seccomp" aria-describedby="note-seccomp">seccomp</button>
//! <span class="gloss-note" id="note-seccomp" popover="" role="tooltip">…</span>
//! ```

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::{Desk, Events};
use crate::{
    glossary::{Finder, Term},
    text::{escaped, slug},
};

pub(super) fn note<'a>(events: Events<'a>, desk: &mut Desk<'_>) -> Events<'a> {
    let finder = desk.source.glossary;
    if finder.is_empty() {
        return events;
    }
    let mut out = Events::with_capacity(events.len());
    let mut noted = Vec::new();
    let mut shut = 0_usize;
    let mut summary = false;
    for (event, span) in events {
        match &event {
            Event::Start(tag) if closed(tag) => shut += 1,
            Event::End(tag) if closed_end(*tag) => shut = shut.saturating_sub(1),
            Event::Html(html) | Event::InlineHtml(html) => {
                let last = |name: &str| html.rfind(name);
                summary =
                    if last("<summary") == last("</summary") { summary } else { last("<summary") > last("</summary") };
            }
            Event::Text(text) if shut == 0 && !summary => {
                for piece in pieces(text, finder, &mut noted, desk) {
                    out.push((piece, span.clone()));
                }
                continue;
            }
            _ => {}
        }
        out.push((event, span));
    }
    out
}

/// A button in a link or a heading would be one control in another.
fn closed(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::Heading { .. } | Tag::Link { .. } | Tag::Image { .. } | Tag::TableHead)
}

fn closed_end(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::Heading(_) | TagEnd::Link | TagEnd::Image | TagEnd::TableHead)
}

fn pieces<'a>(text: &str, finder: &Finder, noted: &mut Vec<usize>, desk: &mut Desk<'_>) -> Vec<Event<'a>> {
    let mut pieces = Vec::new();
    let mut rest = 0;
    for found in finder.find(text) {
        let Some(term) = finder.term(found.term).filter(|_| !noted.contains(&found.term)) else { continue };
        noted.push(found.term);
        pieces.push(Event::Text(CowStr::from(text[rest..found.start].to_owned())));
        let marker = desk.slots.put_inline(control(&text[found.start..found.end], term));
        pieces.push(Event::InlineHtml(marker.into()));
        rest = found.end;
    }
    pieces.push(Event::Text(CowStr::from(text[rest..].to_owned())));
    pieces
}

fn control(word: &str, term: &Term) -> String {
    let id = format!("note-{}", slug(&term.term));
    let (word, name, definition) = (escaped(word), escaped(&term.term), term.definition_html());
    format!(
        "<button type=\"button\" class=\"gloss\" popovertarget=\"{id}\" aria-describedby=\"{id}\">{word}</button>\
         <span class=\"gloss-note\" id=\"{id}\" popover=\"\" role=\"tooltip\"><b>{name}</b> {definition}</span>"
    )
}
