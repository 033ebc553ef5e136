//! Syntax colours by class, from a short list of roles, so that one stylesheet serves both themes and no inline style is
//! needed. The scopes of the grammars are mapped to these classes; whatever has no role stays plain text.
//!
//! ```text
//! hl-comment   comments                       hl-type      types, tags, sections of a file
//! hl-string    strings, quoted text           hl-property  keys and field names
//! hl-number    numbers                        hl-operator  operators, redirections
//! hl-constant  true, null, escapes            hl-inserted  added line of a diff
//! hl-keyword   keywords, Dockerfile verbs     hl-deleted   removed line of a diff
//! hl-function  commands, functions            hl-meta      diff headers, directives
//! hl-variable  variables, options             hl-prompt    prompt of a session (not copied)
//!                                             hl-output    printed lines of a session
//! ```

use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use super::grammars::Grammars;
use crate::text::escape;

/// Longer lines are shown plainly: a grammar may need time that grows faster than the line.
const MAX_LINE: usize = 1_000;

/// Scope prefix and class. The innermost scope that has an entry decides; among entries of one scope the longest.
const ROLES: &[(&str, &str)] = &[
    ("comment", "comment"),
    ("constant.character.escape", "constant"),
    ("constant.language", "constant"),
    ("constant.numeric", "number"),
    ("constant.other", "constant"),
    ("entity.name.function", "function"),
    ("entity.name.section", "type"),
    ("entity.name.table", "type"),
    ("entity.name.tag", "property"),
    ("entity.name.type", "type"),
    ("entity.other.attribute-name", "property"),
    ("keyword", "keyword"),
    ("keyword.operator", "operator"),
    ("markup.deleted", "deleted"),
    ("markup.inserted", "inserted"),
    ("meta.annotation", "meta"),
    ("meta.diff.header", "meta"),
    ("meta.diff.range", "meta"),
    ("meta.preprocessor", "meta"),
    ("storage", "keyword"),
    ("storage.type.function", "keyword"),
    ("string", "string"),
    ("support.function", "function"),
    ("support.type.property-name", "property"),
    ("support.type", "type"),
    ("variable.function", "function"),
    ("variable.language", "variable"),
    ("variable.other.readwrite", "variable"),
    ("variable.parameter", "variable"),
];

static SCOPES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    let mut scopes: Vec<_> =
        ROLES.iter().filter_map(|(scope, class)| Some((Scope::new(scope).ok()?, *class))).collect();
    scopes.sort_by_key(|(scope, _)| std::cmp::Reverse(scope.len()));
    scopes
});

static KEYS: LazyLock<Vec<Scope>> = LazyLock::new(|| {
    ["meta.mapping.key", "meta.structure.dictionary.key"].iter().filter_map(|scope| Scope::new(scope).ok()).collect()
});

/// One string of HTML for each line. `None` when the language has no grammar or the grammar gave up.
pub(super) fn lines(text: &str, syntax: &str) -> Option<Vec<String>> {
    Grammars::hold().lines(text, syntax)
}

/// The same, where the grammars are.
pub(super) fn lines_by(syntaxes: &SyntaxSet, text: &str, syntax: &str) -> Option<Vec<String>> {
    let syntax = syntaxes.find_syntax_by_token(syntax)?;
    if text.lines().any(|line| line.len() > MAX_LINE) {
        return None;
    }
    let mut parser = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    text.lines().map(|line| highlight(line, syntaxes, &mut parser, &mut stack)).collect()
}

fn highlight(line: &str, syntaxes: &SyntaxSet, parser: &mut ParseState, stack: &mut ScopeStack) -> Option<String> {
    let ended = format!("{line}\n");
    let changes = parser.parse_line(&ended, syntaxes).ok()?;
    let mut html = Colours::default();
    let mut from = 0;
    for (at, change) in changes {
        html.push(line.get(from..at.min(line.len())).unwrap_or_default(), role(stack));
        from = at.min(line.len());
        stack.apply(&change).ok()?;
    }
    html.push(line.get(from..).unwrap_or_default(), role(stack));
    Some(html.finish())
}

fn role(stack: &ScopeStack) -> Option<&'static str> {
    // A JSON key is a string inside the scope of a key.
    if stack.scopes.iter().any(|scope| KEYS.iter().any(|key| key.is_prefix_of(*scope))) {
        return Some("property");
    }
    stack
        .scopes
        .iter()
        .rev()
        .find_map(|scope| SCOPES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, class)| *class))
}

/// Joins neighbours of the same role, and leaves blanks without one.
#[derive(Default)]
struct Colours {
    html: String,
    open: Option<&'static str>,
}

impl Colours {
    fn push(&mut self, text: &str, class: Option<&'static str>) {
        if text.is_empty() {
            return;
        }
        if class != self.open && !(text.trim().is_empty() && self.open.is_some()) {
            self.close();
            if let Some(class) = class {
                self.html.push_str("<span class=\"hl-");
                self.html.push_str(class);
                self.html.push_str("\">");
            }
            self.open = class;
        }
        escape(text, &mut self.html);
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.html.push_str("</span>");
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.html
    }
}

#[cfg(test)]
mod tests {
    use super::super::info::LANGUAGES;
    use super::*;

    #[test]
    fn every_language_that_names_a_grammar_has_one() {
        let syntaxes = two_face::syntax::extra_newlines();
        for language in LANGUAGES {
            if let Some(syntax) = language.syntax {
                assert!(syntaxes.find_syntax_by_token(syntax).is_some(), "{}", language.name);
            }
        }
    }

    #[test]
    fn a_command_is_coloured_by_class() {
        let html = lines("docker run --rm 'a<b' # now\n", "bash").expect("bash");
        assert_eq!(html.len(), 1);
        assert!(html[0].contains("<span class=\"hl-function\">docker</span>"), "{}", html[0]);
        assert!(html[0].contains("<span class=\"hl-comment\"># now</span>"), "{}", html[0]);
        assert!(html[0].contains("a&lt;b"), "{}", html[0]);
        assert!(!html[0].contains("style="));
    }

    #[test]
    fn a_state_runs_over_lines() {
        let html = lines("/* a\nb */ int x;\n", "c").expect("c");
        assert!(html[0].starts_with("<span class=\"hl-comment\">") && html[0].ends_with("</span>"), "{}", html[0]);
        assert!(html[1].starts_with("<span class=\"hl-comment\">b */"), "{}", html[1]);
    }
}
