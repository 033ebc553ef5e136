//! Lessons on paper: several in one document, and what is kept of one on a summary sheet.

use std::borrow::Cow;

use crate::Lesson;

/// The heading that ends a lesson's text.
pub(crate) const TAKEAWAYS: &str = "Takeaways";

impl Lesson {
    /// Its anchor in a document of several lessons.
    pub fn print_anchor(&self) -> String {
        anchor(&self.path)
    }

    /// The text for a document of several lessons: anchors are its own, links to other lessons stay in the document, and
    /// nothing is there to be clicked. Its headings stand below the lesson's own, which is of level 3.
    pub fn print_html(&self) -> String {
        embedded(&self.html, Some(&anchor(&self.path)), 2)
    }

    /// What stands below the heading "Takeaways".
    pub fn takeaways_html(&self) -> Option<String> {
        let heading = self.headings.iter().find(|heading| heading.text == TAKEAWAYS)?;
        let level = heading.level;
        let opening = format!("<h{level} id=\"{}\"", heading.anchor);
        let (_, rest) = self.html.split_once(&opening)?;
        let (_, rest) = rest.split_once(&format!("</h{level}>"))?;
        let end = (2..=level).filter_map(|level| rest.find(&format!("<h{level}"))).min().unwrap_or(rest.len());
        // What comes next is for who goes on reading, not for the sheet.
        let end = rest[..end].find("<p><strong>Next").unwrap_or(end);
        let html = embedded(rest[..end].trim(), None, 0);
        (!html.is_empty()).then_some(html)
    }

    /// The commands to remember: the first line of each block, those that are tested before the others.
    pub fn key_commands(&self, most: usize) -> Vec<String> {
        const LONGEST: usize = 100;
        let mut lines: Vec<String> = Vec::new();
        let (tested, others): (Vec<_>, Vec<_>) = self.commands.iter().partition(|command| command.testable);
        for command in tested.into_iter().chain(others) {
            let joined = command.input.replace("\\\n", " ");
            let said = joined.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            let mut whole = said.filter(|line| is_whole(line) && line.chars().count() <= LONGEST);
            if let Some(line) = whole.next().filter(|line| !lines.contains(line)) {
                lines.push(line);
            }
        }
        lines.truncate(most);
        lines
    }
}

/// A line of a script that says something by itself.
fn is_whole(line: &str) -> bool {
    let open = ["|", "{", "(", "&&", "||", "do", "then", "else", "\\"];
    let part = ["done", "fi", "}", "for ", "while ", "if ", "#", "cat >", "cd ", "printf ", "echo "];
    let quotes = |quote: char| line.matches(quote).count() % 2;
    let closed = quotes('\'') == 0 && quotes('"') == 0 && !line.contains("<<");
    line.contains(' ')
        && closed
        && !open.iter().any(|end| line.ends_with(end))
        && !part.iter().any(|start| line.starts_with(start))
}

fn anchor(path: &str) -> String {
    path.replace('/', "--")
}

/// Elements of ours that only a screen needs, by how their tag begins.
const DROPPED: [(&str, &str); 3] = [
    ("<span class=\"gloss-note\"", "</span>"),
    ("<span class=\"code-actions\"", "</span>"),
    ("<a class=\"anchor\"", "</a>"),
];
const UNWRAPPED: (&str, &str) = ("<button type=\"button\" class=\"gloss\"", "</button>");

/// `html` is a page of ours: sanitised, attributes in double quotes. With a prefix, names become the lesson's own. `deeper`
/// is added to the level of headings.
fn embedded(html: &str, prefix: Option<&str>, deeper: u8) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, from) = rest.split_at(at);
        out.push_str(text);
        if let Some((_, end)) = DROPPED.iter().find(|(begin, _)| from.starts_with(begin)) {
            rest = from.split_once(end).map_or("", |(_, after)| after);
            continue;
        }
        let (tag, after) = from.split_at(tag_end(from));
        rest = after;
        if tag.starts_with(UNWRAPPED.0) {
            if let Some((word, after)) = after.split_once(UNWRAPPED.1) {
                out.push_str(word);
                rest = after;
            }
            continue;
        }
        let tag = lowered(tag, deeper);
        match prefix {
            Some(prefix) => retag(&tag, prefix, &mut out),
            None => out.push_str(&tag),
        }
    }
    out.push_str(rest);
    out
}

/// A heading's tag so many levels deeper.
fn lowered(tag: &str, deeper: u8) -> Cow<'_, str> {
    let begin = if tag.starts_with("</h") { 3 } else { 2 };
    let level = tag.as_bytes().get(begin).filter(|level| tag[..begin].ends_with('h') && (b'2'..=b'4').contains(level));
    let ends = tag.as_bytes().get(begin + 1).is_some_and(|next| matches!(next, b' ' | b'>'));
    match level {
        Some(level) if ends => {
            Cow::Owned(format!("{}{}{}", &tag[..begin], char::from(level + deeper), &tag[begin + 1..]))
        }
        _ => Cow::Borrowed(tag),
    }
}

/// Where the tag ends that `html` begins with: a `>` in a quoted value is none.
fn tag_end(html: &str) -> usize {
    let mut quoted = false;
    for (at, character) in html.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '>' if !quoted => return at + 1,
            _ => {}
        }
    }
    html.len()
}

/// The tag with names that are this lesson's own.
fn retag(tag: &str, prefix: &str, out: &mut String) {
    for (at, piece) in tag.split('"').enumerate() {
        if at > 0 {
            out.push('"');
        }
        let name = if at % 2 == 1 { attribute(tag, at) } else { "" };
        match name {
            "id" | "aria-labelledby" | "aria-describedby" => {
                out.push_str(prefix);
                out.push_str("--");
                out.push_str(piece);
            }
            "href" => out.push_str(&target(piece, prefix)),
            "data-source" => {}
            _ => out.push_str(&piece.replace("url(#", &format!("url(#{prefix}--"))),
        }
    }
}

/// The name of the attribute whose value is the piece at `at`.
fn attribute(tag: &str, at: usize) -> &str {
    let before = tag.split('"').nth(at - 1).unwrap_or_default();
    before.trim_end_matches('=').rsplit(char::is_whitespace).next().unwrap_or_default()
}

fn target(href: &str, prefix: &str) -> String {
    if let Some(own) = href.strip_prefix('#') {
        return format!("#{prefix}--{own}");
    }
    match href.strip_prefix("/learn/") {
        Some(lesson) => match lesson.split_once('#') {
            Some((path, heading)) => format!("#{}--{heading}", anchor(path)),
            None => format!("#{}", anchor(lesson)),
        },
        None => href.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{embedded, is_whole};

    #[test]
    fn lines_that_say_something_by_themselves() {
        for line in ["docker run --read-only web", "grep -E '^Seccomp' /proc/1/status", "ip addr | cut -d' ' -f2"] {
            assert!(is_whole(line), "{line}");
        }
        for line in ["for n in 1 2; do", "done", "cat > x <<'END'", "printf 'FROM box", "docker ps |", "# why", "}", ""]
        {
            assert!(!is_whole(line), "{line}");
        }
    }

    #[test]
    fn names_are_the_lessons_own_and_links_stay_in_the_document() {
        for (html, expected) in [
            ("<h2 id=\"a\">A<a class=\"anchor\" href=\"#a\">#</a></h2>", "<h4 id=\"m--l--a\">A</h4>"),
            ("<hr><h4>x</h4><header>", "<hr><h6>x</h6><header>"),
            ("<a href=\"#a\">x</a>", "<a href=\"#m--l--a\">x</a>"),
            ("<a href=\"/learn/m/k#b\">x</a>", "<a href=\"#m--k--b\">x</a>"),
            ("<a href=\"/learn/m/k\">x</a>", "<a href=\"#m--k\">x</a>"),
            ("<a href=\"https://e.example/#a\">x</a>", "<a href=\"https://e.example/#a\">x</a>"),
            ("<path marker-end=\"url(#d0-arrow)\"></path>", "<path marker-end=\"url(#m--l--d0-arrow)\"></path>"),
            ("a id=\"x\" b &lt;p id=\"y\"", "a id=\"x\" b &lt;p id=\"y\""),
            ("<p title=\"a > id=b\">x</p>", "<p title=\"a > id=b\">x</p>"),
            ("<figure data-source=\"docker &lt;x\">y</figure>", "<figure data-source=\"\">y</figure>"),
        ] {
            assert_eq!(embedded(html, Some("m--l"), 2), expected);
        }
    }

    #[test]
    fn what_only_a_screen_needs_is_gone() {
        let html = "The <button type=\"button\" class=\"gloss\" popovertarget=\"n\">shim</button><span class=\"gloss-note\" id=\"n\"><b>shim</b> d</span>.<span class=\"code-actions\"><button>Copy</button></span>";
        assert_eq!(embedded(html, None, 0), "The shim.");
        assert_eq!(embedded("a < b <", Some("x"), 0), "a < b <");
    }
}
