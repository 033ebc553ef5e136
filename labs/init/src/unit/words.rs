//! Command lines of unit files: quotes, `$WORDS`, `${ONE_WORD}`, and the prefixes before a program.

use std::collections::BTreeMap;

pub(crate) type Environment = BTreeMap<String, String>;

/// One command ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) words: Vec<String>,
    /// A leading `-`: its failure does not count.
    pub(crate) may_fail: bool,
}

/// Splits and expands; `None` for an empty line.
pub(crate) fn expand(line: &str, environment: &Environment) -> Option<CommandLine> {
    let bare = line.trim_start_matches(['-', '@', '+', '!', ':']);
    let may_fail = line[..line.len() - bare.len()].contains('-');
    let mut words = Vec::new();
    for word in split(bare) {
        match word {
            Word::Quoted(text) => words.push(braces(&text, environment)),
            Word::Plain(text) => match text.strip_prefix('$') {
                // `$NAME` as a whole word becomes as many words as its value has, none included.
                Some(name)
                    if !name.starts_with('{')
                        && !name.is_empty()
                        && name.chars().all(|c| c.is_alphanumeric() || c == '_') =>
                {
                    words.extend(
                        split(environment.get(name).map_or("", String::as_str)).into_iter().map(Word::into_text),
                    );
                }
                _ => words.push(braces(&text, environment)),
            },
        }
    }
    (!words.is_empty()).then_some(CommandLine { words, may_fail })
}

enum Word {
    Plain(String),
    Quoted(String),
}

impl Word {
    fn into_text(self) -> String {
        let (Self::Plain(text) | Self::Quoted(text)) = self;
        text
    }
}

fn split(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let end;
        if first == '"' || first == '\'' {
            let inner = &rest[1..];
            end = inner.find(first).unwrap_or(inner.len());
            words.push(Word::Quoted(inner[..end].to_owned()));
            rest = inner.get(end + 1..).unwrap_or("").trim_start();
        } else {
            end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(Word::Plain(rest[..end].to_owned()));
            rest = rest[end..].trim_start();
        }
    }
    words
}

fn braces(text: &str, environment: &Environment) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        out.push_str(environment.get(&rest[start + 2..start + length]).map_or("", String::as_str));
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_quotes_and_variables_as_systemd_does() {
        let environment =
            Environment::from([("OPTS".into(), "--icc=false --debug".into()), ("ONE".into(), "a b".into())]);
        let words = |line: &str| expand(line, &environment).map(|c| c.words);
        assert_eq!(words("/bin/d $OPTS ${ONE} 'x y'").unwrap(), ["/bin/d", "--icc=false", "--debug", "a b", "x y"]);
        assert_eq!(words("/bin/d $NOTHING").unwrap(), ["/bin/d"]);
        assert_eq!(words("  "), None);
        assert!(expand("-/sbin/modprobe overlay", &environment).unwrap().may_fail);
    }

    #[test]
    fn survives_open_quotes_and_braces() {
        let none = Environment::new();
        assert_eq!(expand("/bin/d 'open ${x", &none).unwrap().words, ["/bin/d", "open ${x"]);
    }
}
