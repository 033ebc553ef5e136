//! Regular expressions with placeholders. The engine behind them runs in time linear in the text.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::manifest::Text;

const SIZE_LIMIT: usize = 1 << 20;

/// A regular expression, in which `{{name}}` stands for a value taken literally.
#[derive(Clone, Debug)]
pub struct Pattern(Text);

impl Pattern {
    pub fn parse(source: &str) -> Result<Self, String> {
        let text = Text::parse(source)?;
        // Names stand for literals, so any stand-in shows whether the rest compiles.
        compile(&text.fill_quoted(&text.names().map(|n| (n.to_owned(), "x".to_owned())).collect(), regex::escape))?;
        Ok(Self(text))
    }

    /// With the values put in. An error here is a value that blew the size limit.
    pub fn with(&self, values: &BTreeMap<String, String>) -> Result<Regex, String> {
        compile(&self.0.fill_quoted(values, regex::escape))
    }

    /// The same, but for the whole of a text.
    pub fn whole(&self, values: &BTreeMap<String, String>) -> Result<Regex, String> {
        compile(&format!(r"\A(?:{})\z", self.0.fill_quoted(values, regex::escape)))
    }

    pub fn text(&self) -> &Text {
        &self.0
    }

    pub fn source(&self) -> String {
        self.0.source()
    }
}

fn compile(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source).size_limit(SIZE_LIMIT).build().map_err(|why| {
        // The library draws where, over several lines; its last one says what.
        let why = why.to_string();
        let what = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("the regular expression does not compile: {what}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_literally() {
        let pattern = Pattern::parse("^id={{nonce}}$").unwrap();
        let regex = pattern.with(&BTreeMap::from([("nonce".to_owned(), "a.c".to_owned())])).unwrap();
        assert!(regex.is_match("id=a.c"));
        assert!(!regex.is_match("id=abc"));
    }

    #[test]
    fn refuses_what_does_not_compile() {
        for bad in ["(", "[a-", "a{1000000}", "{{"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
