//! Words as readers type them: lower case, letters, digits and underscores.

use std::ops::Range;

/// Each word with its place in the text.
pub(super) fn parts(text: &str) -> impl Iterator<Item = (String, Range<usize>)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let from = rest + text[rest..].find(is_part)?;
        let to = text[from..].find(|character| !is_part(character)).map_or(text.len(), |length| from + length);
        rest = to;
        Some((text[from..to].to_lowercase(), from..to))
    })
}

/// What is indexed: the words, and the parts of a compound such as `pivot_root`.
pub(super) fn all(text: &str) -> impl Iterator<Item = String> {
    parts(text).flat_map(|(word, _)| {
        let inner: Vec<String> = if word.contains('_') {
            word.split('_').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        } else {
            Vec::new()
        };
        std::iter::once(word).chain(inner)
    })
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
