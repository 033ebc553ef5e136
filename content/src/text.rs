//! Small things about text that several stages need.

use std::ops::Range;

/// Turns byte offsets into line numbers.
#[derive(Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
    first: usize,
}

impl Lines {
    /// `first` is the number of the text's first line in its file.
    pub(crate) fn new(text: &str, first: usize) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { starts, first }
    }

    pub(crate) fn at(&self, offset: usize) -> usize {
        self.first + self.starts.partition_point(|start| *start <= offset) - 1
    }

    pub(crate) fn of(&self, span: &Range<usize>) -> usize {
        self.at(span.start)
    }
}

/// Lower-case letters and digits with single hyphens between: what an anchor or an id is made of.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Ids and slugs as authors may write them.
pub(crate) fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.len() <= 80 && text.is_ascii() && slug(text) == text
}

pub(crate) fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 8);
    escape(text, &mut html);
    html
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
pub(crate) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, len: usize, max: u16| {
        part.len() == len && part.parse::<u16>().is_ok_and(|number| (1..=max).contains(&number))
    };
    match parts[..] {
        [year] => number(year, 4, 2100),
        [year, month] => number(year, 4, 2100) && number(month, 2, 12),
        [year, month, day] => number(year, 4, 2100) && number(month, 2, 12) && number(day, 2, 31),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines_of_the_file() {
        let lines = Lines::new("a\nbc\n\nd", 10);
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|offset| lines.at(offset)), [10, 10, 11, 11, 11, 12, 13]);
    }

    #[test]
    fn slugs() {
        assert_eq!(slug("What `runc` really does!"), "what-runc-really-does");
        assert_eq!(slug("  -- "), "");
        assert!(is_slug("read-only-but-alive") && !is_slug("Read") && !is_slug("a--b") && !is_slug("../x"));
    }

    #[test]
    fn dates() {
        assert!(["2025", "2025-11", "2025-11-05"].into_iter().all(is_date));
        assert!(
            ["", "5 Nov 2025", "2025-13", "2025-00", "2025-1-1", "2025-11-05-01"]
                .into_iter()
                .all(|date| !is_date(date))
        );
    }
}
