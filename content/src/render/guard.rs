//! Refuses sources that could make a later stage slow or a reader see something else than what is written.

use pulldown_cmark::Event;

use super::{Desk, Events, Source};
use crate::diagnostic::Report;

const MAX_SOURCE: usize = 512 << 10;
const MAX_LINE: usize = 8 << 10;
const MAX_DEPTH: usize = 24;
const MAX_RAW_TAGS: usize = 500;

pub(super) fn admit(source: &Source<'_>, report: &mut Report) -> bool {
    if source.text.len() > MAX_SOURCE {
        report.error(
            source.first_line,
            format!("{} bytes are too many for one page", source.text.len()),
            format!("stay under {MAX_SOURCE}"),
        );
        return false;
    }
    let mut fine = true;
    for (at, line) in source.text.lines().enumerate() {
        let number = source.first_line + at;
        if line.len() > MAX_LINE {
            report.error(number, format!("a line of {} bytes", line.len()), format!("break it below {MAX_LINE} bytes"));
            fine = false;
        } else if let Some(character) = line.chars().find(|character| is_refused(*character)) {
            let code = u32::from(character);
            report.error(
                number,
                format!("character U+{code:04X} is not allowed"),
                "remove it, or describe it in words",
            );
            fine = false;
        }
    }
    fine
}

/// Control characters, private use (our slot markers), and the bidirectional controls behind "trojan source" tricks.
fn is_refused(character: char) -> bool {
    (character.is_control() && character != '\t')
        || matches!(character, '\u{E000}'..='\u{F8FF}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Nested elements cost the HTML parser a walk up the stack for each.
pub(super) fn shallow(events: &Events<'_>, desk: &mut Desk<'_>) -> bool {
    let (mut depth, mut raw) = (0_usize, 0_usize);
    for (event, span) in events {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Html(html) | Event::InlineHtml(html) => raw += html.matches('<').count(),
            _ => {}
        }
        if depth > MAX_DEPTH {
            desk.error(span, format!("nested more than {MAX_DEPTH} deep"), "flatten the lists and quotes");
            return false;
        }
        if raw > MAX_RAW_TAGS {
            desk.error(span, format!("more than {MAX_RAW_TAGS} raw HTML tags"), "write Markdown instead");
            return false;
        }
    }
    true
}
