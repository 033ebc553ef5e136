//! `<!-- task: ID -->` on a line of its own places a lab's task card. Other comments do not reach the page.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::{Desk, Events};
use crate::text::is_slug;

pub(super) fn place<'a>(events: Events<'a>, desk: &mut Desk<'_>) -> Events<'a> {
    let mut out = Events::with_capacity(events.len());
    for (event, span) in events {
        let task = match &event {
            Event::Html(html) | Event::InlineHtml(html) => task(html).map(str::to_owned),
            _ => None,
        };
        let Some(task) = task else {
            out.push((event, span));
            continue;
        };
        if matches!(event, Event::InlineHtml(_)) {
            desk.error(
                &span,
                format!("task `{task}` stands inside a paragraph"),
                "put the comment on a line of its own",
            );
        } else if !is_slug(&task) {
            desk.error(&span, format!("`{task}` is not a task id"), "use lower-case letters, digits and hyphens");
        } else if desk.page.tasks.contains(&task) {
            desk.error(&span, format!("task `{task}` is placed twice"), "place each task once");
        } else {
            let slot = desk.slots.put(format!("<div class=\"task-slot\" data-task=\"{task}\"></div>"));
            desk.page.first_task.get_or_insert(desk.lines.of(&span));
            desk.page.tasks.push(task);
            out.push((Event::Html(slot.into()), span));
        }
    }
    // A block of raw HTML that held nothing but the comment is not one any more.
    out.retain(|(event, _)| !matches!(event, Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock)));
    out
}

fn task(html: &str) -> Option<&str> {
    html.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim().strip_prefix("task:").map(str::trim)
}
