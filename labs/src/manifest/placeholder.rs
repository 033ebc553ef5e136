//! `{{name}}` in a manifest's texts: a variable of the attempt, `{{nonce}}`, `{{before}}` (the nonce of the grading before a
//! restart, in the one that comes after it; else empty), or what an earlier step captured.

use std::collections::BTreeMap;

/// Names that every grading has a value for.
pub(crate) const RESERVED: [&str; 2] = ["nonce", "before"];

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Plain(String),
    Name(String),
}

impl Text {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let end = rest[start..].find("}}").ok_or("a `{{` is never closed; write {{name}}")? + start;
            let name = rest[start + 2..end].trim();
            let fits =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !fits {
                return Err(format!("`{{{{{name}}}}}` names nothing; a name is of a-z, 0-9 and `_`"));
            }
            if start > 0 {
                parts.push(Part::Plain(rest[..start].to_owned()));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = &rest[end + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Plain(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The names that it holds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Plain(_) => None,
        })
    }

    /// Puts in the values, each through `quote`. An unknown name (which lint refuses) stays as it is.
    pub fn fill_quoted(&self, values: &BTreeMap<String, String>, quote: impl Fn(&str) -> String) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Plain(text) => text.clone(),
                Part::Name(name) => values.get(name).map_or_else(|| format!("{{{{{name}}}}}"), |value| quote(value)),
            })
            .collect()
    }

    pub fn fill(&self, values: &BTreeMap<String, String>) -> String {
        self.fill_quoted(values, str::to_owned)
    }

    /// As the author wrote it, for people.
    pub fn source(&self) -> String {
        self.fill(&BTreeMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_names_and_keeps_the_rest() {
        let text = Text::parse("/up?n={{nonce}}&f={{ flag }}!").unwrap();
        assert_eq!(text.names().collect::<Vec<_>>(), ["nonce", "flag"]);
        let values = BTreeMap::from([("nonce".to_owned(), "1.2".to_owned())]);
        assert_eq!(text.fill(&values), "/up?n=1.2&f={{flag}}!");
        assert_eq!(text.fill_quoted(&values, regex::escape), "/up?n=1\\.2&f={{flag}}!");
    }

    #[test]
    fn refuses_what_is_not_closed_or_names_nothing() {
        for bad in ["{{", "{{a", "{{}}", "{{A}}", "{{a b}}"] {
            assert!(Text::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Text::parse("{a} }} ").unwrap().source(), "{a} }} ");
    }
}
