//! The part of a section that shows the most of what was searched for.

use std::{collections::HashSet, ops::Range};

use super::words;
use crate::text::escape;

const WORDS: usize = 32;

pub(super) fn excerpt(text: &str, shown: &HashSet<&str>) -> String {
    let parts: Vec<(bool, Range<usize>)> =
        words::parts(text).map(|(word, place)| (is_shown(&word, shown), place)).collect();
    let window = window(&parts);
    let (Some(first), Some(last)) = (window.first(), window.last()) else {
        return String::new();
    };
    let whole = first.1.start..last.1.end;
    let mut html = String::new();
    if parts.first().is_some_and(|part| part.1.start < whole.start) {
        html.push_str("… ");
    }
    let mut from = whole.start;
    for (_, place) in window.iter().filter(|(hit, _)| *hit) {
        escape(&text[from..place.start], &mut html);
        html.push_str("<mark>");
        escape(&text[place.clone()], &mut html);
        html.push_str("</mark>");
        from = place.end;
    }
    escape(&text[from..whole.end], &mut html);
    html.push_str(if whole.end < text.len() { " …" } else { &text[whole.end..] });
    html
}

fn is_shown(word: &str, shown: &HashSet<&str>) -> bool {
    shown.contains(word) || (word.contains('_') && word.split('_').any(|part| shown.contains(part)))
}

/// The first run of [`WORDS`] words with the most hits, starting a little before its first.
fn window(parts: &[(bool, Range<usize>)]) -> &[(bool, Range<usize>)] {
    let hits = |from: usize| parts[from..].iter().take(WORDS).filter(|(hit, _)| *hit).count();
    let starts = parts.iter().enumerate().filter(|(_, (hit, _))| *hit).map(|(at, _)| at.saturating_sub(6));
    let from = starts.max_by_key(|start| (hits(*start), usize::MAX - start)).unwrap_or(0);
    &parts[from..parts.len().min(from + WORDS)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_marked_and_the_rest_escaped() {
        let html = excerpt("Use <b> with docker & pivot_root.", &HashSet::from(["docker", "root"]));
        assert_eq!(html, "Use &lt;b&gt; with <mark>docker</mark> &amp; <mark>pivot_root</mark> …");
    }

    #[test]
    fn the_window_moves_to_the_hits() {
        let text = format!("{} here is seccomp at last", "filler ".repeat(100));
        let html = excerpt(&text, &HashSet::from(["seccomp"]));
        assert!(html.starts_with("… filler") && html.ends_with("is <mark>seccomp</mark> at last"), "{html}");
        assert_eq!(excerpt("", &HashSet::new()), "");
    }
}
