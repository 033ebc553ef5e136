//! Terms of the trade, each said in a sentence or two: a page of its own, and a note where a lesson first uses one.
//!
//! ```text
//! parse  glossary.toml
//! find   which terms stand in a text
//! ```

mod find;
mod parse;

pub(crate) use find::Finder;
pub(crate) use parse::{FILE, parse};
use serde::Serialize;

use crate::text::{escape, slug};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    pub term: String,
    /// Other forms that mean the same, plurals that are not made with an `s` among them.
    pub aliases: Vec<String>,
    /// Plain text; code stands between back quotes.
    pub definition: String,
    /// The lesson that explains it: `module-slug/lesson-slug`, which may not be written yet.
    pub lesson: Option<String>,
    /// Where it stands in its file.
    #[serde(skip)]
    pub line: usize,
}

impl Term {
    /// Its place on the glossary's page.
    pub fn anchor(&self) -> String {
        format!("term-{}", slug(&self.term))
    }

    pub fn definition_html(&self) -> String {
        let mut html = String::with_capacity(self.definition.len() + 16);
        for (at, part) in self.definition.split('`').enumerate() {
            let code = at % 2 == 1;
            html.push_str(if code { "<code>" } else { "" });
            escape(part, &mut html);
            html.push_str(if code { "</code>" } else { "" });
        }
        html
    }
}
