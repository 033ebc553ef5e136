//! Alerts get a text label, tables a frame that scrolls on narrow screens.

use pulldown_cmark::{BlockQuoteKind, Event, Tag, TagEnd};

use super::Events;

pub(super) fn frame(events: Events<'_>) -> Events<'_> {
    let mut out = Events::with_capacity(events.len());
    // An alert ends like any quotation does, so the open ones are kept.
    let mut quotes = Vec::new();
    for (event, span) in events {
        match event {
            Event::Start(Tag::BlockQuote(kind)) => {
                quotes.push(kind.is_some());
                let event = kind.map_or(Event::Start(Tag::BlockQuote(None)), |kind| Event::Html(opening(kind).into()));
                out.push((event, span));
            }
            Event::End(TagEnd::BlockQuote(_)) => {
                let alert = quotes.pop().unwrap_or(false);
                let event = if alert { Event::Html("</div>\n".into()) } else { Event::End(TagEnd::BlockQuote(None)) };
                out.push((event, span));
            }
            Event::Start(Tag::Table(alignment)) => {
                out.push((Event::Html("<div class=\"table-scroll\" tabindex=\"0\">".into()), span.clone()));
                out.push((Event::Start(Tag::Table(alignment)), span));
            }
            Event::End(TagEnd::Table) => {
                out.push((Event::End(TagEnd::Table), span.clone()));
                out.push((Event::Html("</div>\n".into()), span));
            }
            event => out.push((event, span)),
        }
    }
    out
}

fn opening(kind: BlockQuoteKind) -> String {
    let (class, label) = match kind {
        BlockQuoteKind::Note => ("note", "Note"),
        BlockQuoteKind::Tip => ("tip", "Tip"),
        BlockQuoteKind::Important => ("important", "Important"),
        BlockQuoteKind::Warning => ("warning", "Warning"),
        BlockQuoteKind::Caution => ("caution", "Caution"),
    };
    format!("<div role=\"note\" class=\"alert alert-{class}\"><p class=\"alert-label\">{label}</p>\n")
}
