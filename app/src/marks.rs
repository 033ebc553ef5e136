//! One line of text in which authors mark code with backticks; nothing else of Markdown counts.

/// Pieces, and whether each is code. A backtick without a partner stays what it is.
pub fn parts(text: &str) -> Vec<(bool, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, after)) = after.split_once('`') else { break };
        if !before.is_empty() {
            parts.push((false, before.to_owned()));
        }
        parts.push((true, code.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push((false, rest.to_owned()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn pairs_of_backticks_are_code() {
        let text =
            |text| parts(text).into_iter().map(|(code, part)| format!("{}{part}", u8::from(code))).collect::<Vec<_>>();
        assert_eq!(text("one `docker run` and `x`"), ["0one ", "1docker run", "0 and ", "1x"]);
        assert_eq!(text("a ` alone"), ["0a ` alone"]);
        assert_eq!(text("`a` then ` alone"), ["1a", "0 then ` alone"]);
        assert!(text("").is_empty());
    }
}
