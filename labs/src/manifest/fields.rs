//! One TOML table being read. Every getter reports what is wrong at its line and goes on with a stand-in, so that one
//! pass finds all errors; what was read is used only if the report holds none.

use std::{cell::RefCell, ops::RangeInclusive};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Diagnostic, Severity, Text};
use crate::grade::{jq::Jq, pattern::Pattern};

/// Findings in one file. Shared by all readers of that file.
pub(crate) struct Report {
    file: String,
    line_starts: Vec<usize>,
    findings: RefCell<Vec<Diagnostic>>,
}

impl Report {
    pub(crate) fn new(file: impl Into<String>, source: &str) -> Self {
        let line_starts = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: file.into(), line_starts, findings: RefCell::default() }
    }

    /// Line and column, both from 1; the column counts bytes.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        (line, offset - self.line_starts[line - 1] + 1)
    }

    pub(crate) fn error(&self, offset: usize, message: impl Into<String>, fix: impl Into<String>) {
        let (line, column) = self.position(offset);
        self.findings.borrow_mut().push(Diagnostic {
            file: self.file.clone(),
            line,
            column,
            severity: Severity::Error,
            message: message.into(),
            fix: fix.into(),
        });
    }

    pub(crate) fn error_on_line(&self, line: usize, message: impl Into<String>, fix: impl Into<String>) {
        self.error(self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0), message, fix);
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.findings.borrow().is_empty()
    }

    pub(crate) fn into_findings(self) -> Vec<Diagnostic> {
        self.findings.into_inner()
    }
}

type Value<'a> = Spanned<DeValue<'a>>;

pub(crate) struct Fields<'a> {
    report: &'a Report,
    /// For messages: `task "rootfs"`, `[time]`.
    what: String,
    offset: usize,
    table: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(report: &'a Report, what: impl Into<String>, offset: usize, table: &'a DeTable<'a>) -> Self {
        Self { report, what: what.into(), offset, table, known: RefCell::default() }
    }

    pub(crate) fn line(&self) -> usize {
        self.report.position(self.offset).0
    }

    /// Reports what is wrong with the table as a whole.
    pub(crate) fn error(&self, message: impl Into<String>, fix: impl Into<String>) {
        self.report.error(self.offset, message, fix);
    }

    /// Reports what is wrong with a key's value (with the table where the key is absent).
    pub(crate) fn error_at(&self, key: &str, message: impl Into<String>, fix: impl Into<String>) {
        let entry = self.table.iter().find(|(name, _)| name.get_ref() == key);
        self.report.error(entry.map_or(self.offset, |(_, value)| value.span().start), message, fix);
    }

    /// Reports every key that no getter asked for.
    pub(crate) fn finish(self) {
        let known = self.known.into_inner();
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let near = known.iter().min_by_key(|k| distance(k, name)).filter(|k| distance(k, name) <= 2);
            let fix = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            self.report.error(key.span().start, format!("{} has an unknown key `{name}`", self.what), fix);
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref() == key)
    }

    fn get(&self, key: &'static str) -> Option<&'a Value<'a>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn missing(&self, key: &str, fix: &str) {
        self.report.error(self.offset, format!("{} lacks `{key}`", self.what), fix);
    }

    fn wrong(&self, key: &str, value: &Value<'_>, wanted: &str) {
        let found = value.get_ref().type_str();
        self.report.error(value.span().start, format!("`{key}` is {}", article(found)), format!("write {wanted}"));
    }

    pub(crate) fn opt_string(&self, key: &'static str) -> Option<String> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(key, value, "a text in quotes");
        }
        text.map(str::to_owned)
    }

    /// A text that must be there and not be empty.
    pub(crate) fn string(&self, key: &'static str) -> String {
        match self.opt_string(key) {
            Some(text) if !text.trim().is_empty() => text,
            Some(_) => {
                self.error_at(key, format!("`{key}` is empty"), "write a text");
                String::new()
            }
            None => {
                if !self.has(key) {
                    self.missing(key, &format!("add {key} = \"…\""));
                }
                String::new()
            }
        }
    }

    pub(crate) fn opt_text(&self, key: &'static str) -> Option<Text> {
        self.opt_parsed(key, Text::parse)
    }

    pub(crate) fn opt_pattern(&self, key: &'static str) -> Option<Pattern> {
        self.opt_parsed(key, Pattern::parse)
    }

    pub(crate) fn opt_jq(&self, key: &'static str) -> Option<Jq> {
        self.opt_parsed(key, Jq::parse)
    }

    /// A text that `parse` turns into something better; its error says what would be right.
    pub(crate) fn opt_parsed<T, E: ToString>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.opt_string(key)?;
        parse(&text).map_err(|why| self.error_at(key, format!("`{key}` does not hold"), why.to_string())).ok()
    }

    pub(crate) fn parsed<T, E: ToString>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.has(key) {
            self.get(key);
            self.missing(key, &format!("add {key} = \"…\""));
        }
        self.opt_parsed(key, parse)
    }

    pub(crate) fn opt_bool(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, value, "true or false");
        }
        flag
    }

    pub(crate) fn opt_integer<N: TryFrom<u64>>(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<N> {
        let value = self.get(key)?;
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        if !value.get_ref().is_integer() {
            self.wrong(key, value, &wanted);
            return None;
        }
        match integer(value) {
            Some(number) if range.contains(&number) => N::try_from(number).ok(),
            _ => {
                self.error_at(key, format!("`{key}` is out of range"), format!("write {wanted}"));
                None
            }
        }
    }

    pub(crate) fn integer<N: TryFrom<u64> + Default>(&self, key: &'static str, range: RangeInclusive<u64>) -> N {
        if !self.has(key) {
            self.missing(key, &format!("add {key} = {}", range.start()));
        }
        self.opt_integer(key, range).unwrap_or_default()
    }

    /// One of the `choices`.
    pub(crate) fn opt_choice<T: Clone>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.opt_string(key)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| value.clone());
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.error_at(key, format!("`{key}` cannot be \"{text}\""), format!("write one of {}", names.join(", ")));
        }
        found
    }

    /// A list; absent is empty. `item` says what belongs in it.
    fn list<T>(&self, key: &'static str, item: &str, read: impl Fn(&'a Value<'a>) -> Option<T>) -> Vec<T> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, &format!("a list of {item}, such as [\"…\"]"));
            return Vec::new();
        };
        let mut list = Vec::new();
        for value in array {
            match read(value) {
                Some(item) => list.push(item),
                None => self.wrong(key, value, &format!("only {item} into the list")),
            }
        }
        list
    }

    pub(crate) fn strings(&self, key: &'static str) -> Vec<String> {
        self.list(key, "texts", |value| value.get_ref().as_str().map(str::to_owned))
    }

    /// A text or a list of texts.
    pub(crate) fn one_or_more(&self, key: &'static str) -> Vec<String> {
        match self.get(key).map(Spanned::get_ref) {
            Some(DeValue::String(text)) => vec![text.clone().into_owned()],
            _ => self.strings(key),
        }
    }

    /// A list of texts, each of which `parse` turns into something better.
    pub(crate) fn parsed_list<T, E: ToString>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let mut list = Vec::new();
        for text in self.strings(key) {
            match parse(&text) {
                Ok(item) => list.push(item),
                Err(why) => self.error_at(key, format!("`{key}` holds \"{text}\""), why.to_string()),
            }
        }
        list
    }

    /// A whole number or a list of them, each within `range`.
    pub(crate) fn integers<N: TryFrom<u64>>(&self, key: &'static str, range: RangeInclusive<u64>) -> Vec<N> {
        let accept = |value: &Value<'_>| integer(value).filter(|n| range.contains(n)).and_then(|n| N::try_from(n).ok());
        match self.get(key) {
            Some(value) if value.get_ref().is_integer() => self.opt_integer(key, range.clone()).into_iter().collect(),
            _ => self.list(key, &format!("whole numbers from {} to {}", range.start(), range.end()), accept),
        }
    }

    pub(crate) fn opt_table(&self, key: &'static str) -> Option<Fields<'a>> {
        let value = self.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(key, value, &format!("a table, such as [{key}] or {key} = {{ … }}"));
        }
        table.map(|table| Fields::new(self.report, format!("`{key}`"), value.span().start, table))
    }

    /// A list of tables; absent is empty.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<Fields<'a>> {
        self.list(key, "tables", |value| {
            let table = value.get_ref().as_table()?;
            let name = table.iter().find(|(k, _)| k.get_ref() == "id" || k.get_ref() == "name");
            let what = match name.and_then(|(_, v)| v.get_ref().as_str()) {
                Some(name) => format!("{key} \"{name}\""),
                None => format!("`{key}`"),
            };
            Some(Fields::new(self.report, what, value.span().start, table))
        })
    }

    /// One table, or a list of them; absent is empty.
    pub(crate) fn one_or_more_tables(&self, key: &'static str) -> Vec<Fields<'a>> {
        match self.get(key).map(Spanned::get_ref) {
            Some(DeValue::Table(_)) => self.opt_table(key).into_iter().collect(),
            _ => self.tables(key),
        }
    }

    /// A table of texts or lists of texts under keys of the author's choice.
    pub(crate) fn lists(&self, key: &'static str) -> Vec<(String, Vec<String>)> {
        let Some(table) = self.opt_table(key) else { return Vec::new() };
        let mut lists = Vec::new();
        for (name, value) in table.table {
            let texts = match value.get_ref() {
                DeValue::String(text) => Some(vec![text.clone().into_owned()]),
                DeValue::Array(array) => {
                    array.iter().map(|value| value.get_ref().as_str().map(str::to_owned)).collect()
                }
                _ => None,
            };
            match texts {
                Some(texts) => lists.push((name.get_ref().clone().into_owned(), texts)),
                None => self.wrong(name.get_ref(), value, "a list of texts, such as [\"…\"]"),
            }
        }
        lists
    }

    /// A table of texts under keys of the author's choice, with the line of each.
    pub(crate) fn map(&self, key: &'static str) -> Vec<(String, String)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, &format!("a table, such as {key} = {{ name = \"…\" }}"));
            return Vec::new();
        };
        let mut map = Vec::new();
        for (name, value) in table {
            match value.get_ref().as_str() {
                Some(text) => map.push((name.get_ref().clone().into_owned(), text.to_owned())),
                None => self.wrong(name.get_ref(), value, "a text in quotes"),
            }
        }
        map
    }
}

/// `None`: no integer, or one that does not fit, negative ones included.
fn integer(value: &Value<'_>) -> Option<u64> {
    let number = value.get_ref().as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn article(found: &str) -> String {
    match found.chars().next() {
        Some('a' | 'e' | 'i' | 'o' | 'u') => format!("an {found}"),
        _ => format!("a {found}"),
    }
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replace = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
