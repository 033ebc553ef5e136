//! A `console` fence shows a session: prompts, what was typed, what came back.

/// One line of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Typed { prompt: &'a str, text: &'a str },
    Printed(&'a str),
}

/// A prompt is `$ ` or `# `, or `name# `/`name$ ` with a word before it; `> ` goes on with a command that ends in `\`.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut open = false;
    text.lines()
        .map(|line| {
            let typed = if open {
                line.split_at_checked(2).filter(|(prompt, _)| *prompt == "> ").or(Some(("", line)))
            } else {
                prompt(line)
            };
            open = typed.is_some_and(|(_, text)| text.ends_with('\\'));
            typed.map_or(Part::Printed(line), |(prompt, text)| Part::Typed { prompt, text })
        })
        .collect()
}

/// What a reader would type to get the same.
pub(super) fn typed(text: &str) -> String {
    let mut typed = String::new();
    for part in parts(text) {
        if let Part::Typed { text, .. } = part {
            typed.push_str(text);
            typed.push('\n');
        }
    }
    typed
}

fn prompt(line: &str) -> Option<(&str, &str)> {
    let end = line.find(['$', '#'])?;
    let (prompt, rest) = line.split_at(end + 1);
    let word = &prompt[..end];
    let named = word
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || matches!(character, '@' | '-' | ':' | '~' | '/'));
    (named && rest.starts_with(' ')).then(|| line.split_at(end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_and_output_are_told_apart() {
        let session = "root@host:~# docker ps\nCONTAINER ID\n$ echo a \\\n> b\na b\n# whoami\nprice: 5 $ each\n";
        assert_eq!(typed(session), "docker ps\necho a \\\nb\nwhoami\n");
        assert_eq!(parts(session)[1], Part::Printed("CONTAINER ID"));
        assert_eq!(parts(session)[6], Part::Printed("price: 5 $ each"));
    }
}
