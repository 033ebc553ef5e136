//! The info string of a fence: a language and attributes.

/// What a fence is, apart from its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) language: Option<&'static Language>,
    pub(super) title: Option<String>,
    pub(super) tab: Option<String>,
    pub(super) save_as: Option<String>,
    /// Lines to mark, from 1.
    pub(super) marked: Vec<(usize, usize)>,
    pub(super) no_copy: bool,
    /// What the commands before it print.
    pub(super) output: bool,
    pub(super) run: Run,
}

/// What may be done with a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Run {
    #[default]
    Button,
    /// Cannot run in a sandbox.
    No,
    /// Runs by a button, and is run again by the tests.
    Testable,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Language {
    /// As authors write it.
    pub(super) name: &'static str,
    /// As readers see it.
    pub(super) label: &'static str,
    /// A token that the highlighter knows; `None`: shown plainly.
    pub(super) syntax: Option<&'static str>,
}

const fn language(name: &'static str, label: &'static str, syntax: &'static str) -> Language {
    Language { name, label, syntax: Some(syntax) }
}

pub(super) const LANGUAGES: &[Language] = &[
    language("bash", "Shell", "bash"),
    language("console", "Terminal", "bash"),
    Language { name: "text", label: "Text", syntax: None },
    Language { name: "output", label: "Output", syntax: None },
    language("json", "JSON", "json"),
    language("toml", "TOML", "toml"),
    language("yaml", "YAML", "yaml"),
    language("dockerfile", "Dockerfile", "dockerfile"),
    language("rust", "Rust", "rs"),
    language("c", "C", "c"),
    Language { name: "http", label: "HTTP", syntax: Some("http") },
    language("diff", "Diff", "diff"),
    language("ini", "INI", "ini"),
    language("python", "Python", "py"),
];

impl Info {
    /// A script that becomes a file is none.
    pub(super) fn is_command(&self) -> bool {
        !self.output
            && self.save_as.is_none()
            && self.language.is_some_and(|language| matches!(language.name, "bash" | "console"))
    }

    pub(super) fn is_console(&self) -> bool {
        self.language.is_some_and(|language| language.name == "console")
    }
}

/// The info as far as it could be read, and what is wrong with it.
pub(super) fn parse(text: &str) -> (Info, Vec<String>) {
    let mut info = Info::default();
    let mut faults = Vec::new();
    let mut runs = Vec::new();
    for (at, word) in words(text).into_iter().enumerate() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Some(value.trim_matches('"'))),
            None => (word.as_str(), None),
        };
        match (key, value) {
            ("run", None) => runs.push(Run::Button),
            ("no-run", None) => runs.push(Run::No),
            ("no-copy", None) => info.no_copy = true,
            ("testable", None) => runs.push(Run::Testable),
            ("output", None) => {
                info.output = true;
                info.language = info.language.or_else(|| LANGUAGES.iter().find(|language| language.name == "output"));
            }
            ("title", Some(title)) => info.title = Some(title.to_owned()),
            ("tab", Some(tab)) => info.tab = Some(tab.to_owned()),
            ("save-as", Some(path)) => info.save_as = Some(path.to_owned()),
            ("hl", Some(ranges)) => match marked(ranges) {
                Some(marked) => info.marked = marked,
                None => faults.push(format!("`hl={ranges}` is not a list of lines such as `hl=2,4-6`")),
            },
            (name, None) if at == 0 => match LANGUAGES.iter().find(|language| language.name == name) {
                Some(language) => info.language = Some(language),
                None => faults.push(format!("unknown language `{name}`")),
            },
            _ => faults.push(format!("unknown attribute `{word}`")),
        }
    }
    if info.language.is_none() && faults.is_empty() {
        faults.push("the fence names no language".to_owned());
    }
    if runs.len() > 1 {
        faults.push("`run`, `no-run` and `testable` exclude each other".to_owned());
    }
    info.run = runs.pop().unwrap_or_default();
    if info.save_as.as_ref().is_some_and(String::is_empty) {
        faults.push("`save-as` names no file".to_owned());
    }
    if info.save_as.is_some() && (info.output || info.run == Run::Testable || info.tab.is_some()) {
        faults.push(
            "a block with `save-as` is written, not run: `output`, `testable` and `tab` do not go with it".to_owned(),
        );
    } else if (info.run == Run::Testable || info.tab.is_some()) && !info.is_command() {
        faults.push("`testable` and `tab` belong to `bash` and `console` fences".to_owned());
    }
    (info, faults)
}

/// What to tell an author whose fence is wrong.
pub(super) fn advice() -> String {
    let names: Vec<_> = LANGUAGES.iter().map(|language| language.name).collect();
    format!(
        "languages: {}, quiz; attributes: run, no-run, no-copy, testable, output, title=\"…\", tab=NAME, save-as=PATH, hl=2,4-6",
        names.join(", ")
    )
}

/// Splits at blanks outside double quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        quoted ^= character == '"';
        match words.last_mut() {
            Some(_) if character.is_whitespace() && !quoted => words.push(String::new()),
            Some(word) => word.push(character),
            None => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn marked(ranges: &str) -> Option<Vec<(usize, usize)>> {
    ranges
        .split(',')
        .map(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            (1 <= from && from <= to && to <= 10_000).then_some((from, to))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute() {
        let (info, faults) = parse("bash no-run no-copy tab=probe title=\"On the \\ probe\" hl=2,4-6");
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(info.tab.as_deref(), Some("probe"));
        assert_eq!(info.title.as_deref(), Some("On the \\ probe"));
        assert_eq!(info.marked, [(2, 2), (4, 6)]);
        assert!(info.run == Run::No && info.no_copy && info.is_command());
        let (info, faults) = parse("bash save-as=/root/x.sh");
        assert!(faults.is_empty() && info.save_as.as_deref() == Some("/root/x.sh") && !info.is_command());
    }

    #[test]
    fn faults_are_named() {
        for (text, fault) in [
            ("brainfuck", "unknown language `brainfuck`"),
            ("bash runs", "unknown attribute `runs`"),
            ("json testable", "`testable` and `tab` belong"),
            ("bash testable no-run", "exclude each other"),
            ("bash save-as=x testable", "is written, not run"),
            ("output save-as=x", "is written, not run"),
            ("json save-as=", "names no file"),
            ("bash hl=6-4", "`hl=6-4` is not"),
            ("", "names no language"),
        ] {
            let (_, faults) = parse(text);
            assert!(faults.iter().any(|found| found.contains(fault)), "{text}: {faults:?}");
        }
    }

    #[test]
    fn output_needs_no_language() {
        let (info, faults) = parse("output");
        assert!(faults.is_empty() && info.output && !info.is_command());
        assert!(parse("json output").0.output);
    }
}
