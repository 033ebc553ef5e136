//! Terms in running text.

use super::Term;

/// Which terms a text names, longest forms first.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    terms: Vec<Term>,
    /// A form and the term that it belongs to.
    forms: Vec<(String, usize)>,
}

/// Byte range and the number of the term.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) term: usize,
}

impl Finder {
    pub(crate) fn new(terms: Vec<Term>) -> Self {
        let mut forms: Vec<(String, usize)> = Vec::new();
        for (at, term) in terms.iter().enumerate() {
            for form in std::iter::once(&term.term).chain(&term.aliases) {
                forms.push((form.clone(), at));
            }
        }
        forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        Self { terms, forms }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub(crate) fn term(&self, number: usize) -> Option<&Term> {
        self.terms.get(number)
    }

    pub(crate) fn into_terms(self) -> Vec<Term> {
        self.terms
    }

    /// Every term in `text`, from left to right; of overlapping ones the longest.
    pub(crate) fn find(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        let mut free = 0;
        for (start, _) in text.char_indices() {
            if start < free || !begins(text, start) {
                continue;
            }
            let fits = self.forms.iter().find_map(|(form, term)| Some((fits(&text[start..], form)?, *term)));
            if let Some((length, term)) = fits {
                free = start + length;
                found.push(Found { start, end: free, term });
            }
        }
        found
    }
}

/// What joins a word to the next: `docker-init` is not `docker`, and a path is no prose.
fn joins(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '/' | '\u{2011}')
}

fn begins(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|before: char| joins(before) || before == '.')
}

/// How long the form is here, a plural's `s` included.
fn fits(text: &str, form: &str) -> Option<usize> {
    let here = text.get(..form.len())?;
    // Capitals mean something: `CVE` is one, `cve` is a file's name. At the start of a sentence any word may have one.
    let plain = !form.contains(char::is_uppercase);
    let same = here == form || (plain && lower_first(here).as_deref() == Some(form));
    if !same {
        return None;
    }
    [form.len(), form.len() + 1].into_iter().find(|length| {
        let plural = *length == form.len() || text[form.len()..].starts_with('s');
        plural && text.get(*length..).is_some_and(|after| !after.starts_with(joins))
    })
}

fn lower_first(text: &str) -> Option<String> {
    let mut rest = text.chars();
    let first = rest.next()?;
    Some(first.to_lowercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let term = |term: &str, aliases: &[&str]| Term {
            term: term.into(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            definition: "d".into(),
            lesson: None,
            line: 1,
        };
        let finder = Finder::new(vec![
            term("namespace", &[]),
            term("user namespace", &[]),
            term("CVE", &["advisory", "advisories"]),
        ]);
        finder.find(text).into_iter().map(|found| &text[found.start..found.end]).collect()
    }

    #[test]
    fn whole_words_and_their_plurals() {
        assert_eq!(found("A namespace, two namespaces; Namespaces."), ["namespace", "namespaces", "Namespaces"]);
        assert_eq!(found("namespaced x-namespace namespace-x /namespace a.namespace"), Vec::<&str>::new());
        assert_eq!(found("every CVE and all CVEs, no cve"), ["CVE", "CVEs"]);
        assert_eq!(found("Advisories"), ["Advisories"]);
    }

    #[test]
    fn the_longest_wins_and_text_may_hold_anything() {
        assert_eq!(found("a user namespace"), ["user namespace"]);
        assert_eq!(found("übername\u{301}space – namespace…"), ["namespace"]);
    }
}
