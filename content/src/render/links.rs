//! Links: to other lessons (`../other-lesson/lesson.md`, or `/learn/module/lesson`), to labs (`lab:ID`), to a heading
//! (`#anchor`), to the world (`https://…`). Lessons and labs are looked up when the whole course is known.

use pulldown_cmark::{Event, LinkType, Tag};

use super::{Desk, Events};

/// A link that only the course as a whole can check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) line: usize,
    pub(crate) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Lesson { path: String, anchor: Option<String> },
    Lab(String),
}

pub(super) fn resolve<'a>(events: Events<'a>, desk: &mut Desk<'_>) -> Events<'a> {
    let mut out = Events::with_capacity(events.len());
    for (event, span) in events {
        let Event::Start(Tag::Link { link_type, dest_url, title, id }) = event else {
            out.push((event, span));
            continue;
        };
        let line = desk.lines.of(&span);
        let href = match href(&dest_url, link_type, line, desk) {
            Ok(href) => href,
            Err((message, fix)) => {
                desk.report.error(line, message, fix);
                String::new()
            }
        };
        out.push((Event::Start(Tag::Link { link_type, dest_url: href.into(), title, id }), span));
    }
    out
}

type Fault = (String, &'static str);

fn href(url: &str, kind: LinkType, line: usize, desk: &mut Desk<'_>) -> Result<String, Fault> {
    if kind == LinkType::Email {
        return Err((format!("`{url}` is a mail address"), "link to a page instead"));
    }
    if url.starts_with("https://") {
        return Ok(url.to_owned());
    }
    if let Some(anchor) = url.strip_prefix('#') {
        let known = desk.page.headings.iter().any(|heading| heading.anchor == anchor);
        return known.then(|| url.to_owned()).ok_or_else(|| {
            (
                format!("no heading here has the anchor `{anchor}`"),
                "use the heading's words in lower case with hyphens, or give it `{#anchor}`",
            )
        });
    }
    if let Some(lab) = url.strip_prefix("lab:") {
        desk.page.targets.push(Target { line, place: Place::Lab(lab.to_owned()) });
        return Ok(format!("/labs/{lab}"));
    }
    let (file, anchor) = url.split_once('#').map_or((url, None), |(file, anchor)| (file, Some(anchor.to_owned())));
    let path = match file.strip_prefix("/learn/") {
        Some(path) => Some(path.to_owned()),
        None => file.strip_suffix("/lesson.md").and_then(|folder| join(desk.source.folder, folder)),
    };
    let Some(path) = path else {
        return Err((
            format!("`{url}` leads nowhere"),
            "link to https://…, #anchor, ../lesson-slug/lesson.md or lab:ID",
        ));
    };
    let href = format!("/learn/{path}{}", anchor.as_ref().map(|anchor| format!("#{anchor}")).unwrap_or_default());
    desk.page.targets.push(Target { line, place: Place::Lesson { path, anchor } });
    Ok(href)
}

/// `None` for a path that leaves the course.
fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn relative_links_stay_inside() {
        assert_eq!(join("introduction/a", "../b").as_deref(), Some("introduction/b"));
        assert_eq!(join("introduction/a", "../../host-security/c").as_deref(), Some("host-security/c"));
        assert_eq!(join("introduction/a", "../../../etc"), None);
    }
}
