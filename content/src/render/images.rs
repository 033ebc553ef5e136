//! Images are diagrams of ours: an SVG file beside the lesson, alone in its paragraph, inlined so that it follows the theme.

use std::path::Path;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::{Desk, Events, svg};
use crate::text::escaped;

pub(super) fn lift<'a>(events: Events<'a>, desk: &mut Desk<'_>) -> Events<'a> {
    let mut out = Events::with_capacity(events.len());
    let mut events = events.into_iter().peekable();
    while let Some((event, span)) = events.next() {
        let Event::Start(Tag::Image { dest_url, title, .. }) = event else {
            out.push((event, span));
            continue;
        };
        let mut alt = String::new();
        for (event, _) in events.by_ref() {
            match event {
                Event::End(TagEnd::Image) => break,
                Event::Text(text) | Event::Code(text) => alt.push_str(&text),
                Event::SoftBreak => alt.push(' '),
                _ => {}
            }
        }
        let opens = matches!(out.last(), Some((Event::Start(Tag::Paragraph), _)));
        let closes = matches!(events.peek(), Some((Event::End(TagEnd::Paragraph), _)));
        if !(opens && closes) {
            desk.error(&span, "an image inside a line of text", "give it a paragraph of its own");
            continue;
        }
        out.pop();
        events.next();
        if alt.trim().is_empty() {
            desk.error(
                &span,
                format!("`{dest_url}` has no alternative text"),
                "write `![what it shows](file.svg \"caption\")`",
            );
        }
        if let Some(figure) = figure(&dest_url, &alt, &title, &span, desk) {
            desk.page.diagrams += 1;
            out.push((Event::Html(desk.slots.put(figure).into()), span));
        }
    }
    out
}

fn figure(url: &str, alt: &str, caption: &str, span: &std::ops::Range<usize>, desk: &mut Desk<'_>) -> Option<String> {
    if url.contains(['/', ':', '\\']) || Path::new(url).extension().is_none_or(|extension| extension != "svg") {
        desk.error(
            span,
            format!("`{url}` is not an SVG file beside the page"),
            "draw it as SVG and put it into the page's own folder",
        );
        return None;
    }
    let path = format!("{}/{url}", desk.source.folder);
    let Some(bytes) = desk.source.files.get(&path) else {
        desk.error(span, format!("`{path}` does not exist"), "add the file, or correct the name");
        return None;
    };
    match svg::inline(bytes, alt, desk.page.diagrams) {
        Ok(svg) => {
            let caption = if caption.is_empty() {
                String::new()
            } else {
                format!("<figcaption>{}</figcaption>", escaped(caption))
            };
            Some(format!("<figure class=\"diagram\" tabindex=\"0\">{svg}{caption}</figure>"))
        }
        Err(fault) => {
            desk.error(span, format!("{path}:{}: {}", fault.line, fault.message), fault.fix);
            None
        }
    }
}
