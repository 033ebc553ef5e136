//! From Markdown to the HTML of a page.
//!
//! Each stage takes the parser's events (with their place in the source) and hands them on; what it finds wrong goes into
//! the report, with its line, and the page is rendered as well as it can be, so that an author sees all faults at once.
//!
//! ```text
//! guard     size, line length, control and bidirectional characters, depth   (a page that fails is not rendered)
//! parse     pulldown-cmark: CommonMark, tables, footnotes, strikethrough, task lists, alerts
//! headings  levels, anchors
//! plain     words and text by section, for search
//! fences    code -> figure (info, highlight by grammars, console), quiz -> questions     ┐ trusted markup goes into slots,
//! images    SVG of the lesson's folder -> inline figure (svg)                │ the event stream keeps only a marker
//! tasks     <!-- task: ID -->                                                ┘
//! links     internal, lab, external
//! terms     a note where a term of the glossary is first used (into slots as well)
//! blocks    alerts, tables
//! sanitise  push_html, then ammonia over the whole page by an allow-list; only then are the slots filled
//! ```
//!
//! Markup that authors cannot write (buttons, `data-` attributes, SVG) is made by us and never passes through Markdown:
//! a marker of private-use characters, which the guard refuses in sources, holds its place.

mod blocks;
mod code;
mod console;
mod fences;
mod fragment;
mod grammars;
mod guard;
mod headings;
mod highlight;
mod images;
mod info;
mod links;
mod plain;
mod sanitise;
mod svg;
mod tasks;
mod terms;

use std::ops::Range;

use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser};

pub use fragment::{Fragment, render_fragment};
pub use grammars::Grammars;
pub(crate) use links::{Place, Target};

use crate::{
    Command, Files, Heading, Question, SavedFile, TextSection, diagnostic::Report, glossary::Finder, text::Lines,
};

pub(crate) type Events<'a> = Vec<(Event<'a>, Range<usize>)>;

/// What a page is made from.
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    /// The number of the text's first line in its file.
    pub(crate) first_line: usize,
    /// Where relative links and images start: `module-slug/lesson-slug`, or empty for a fragment.
    pub(crate) folder: &'a str,
    pub(crate) files: &'a Files,
    /// Terms that get a note; none in a fragment.
    pub(crate) glossary: &'a Finder,
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) headings: Vec<Heading>,
    pub(crate) words: usize,
    pub(crate) sections: Vec<TextSection>,
    pub(crate) commands: Vec<Command>,
    pub(crate) saved: Vec<SavedFile>,
    pub(crate) questions: Vec<Question>,
    pub(crate) diagrams: usize,
    pub(crate) tasks: Vec<String>,
    /// The line of the first of them.
    pub(crate) first_task: Option<usize>,
    /// Links to other lessons and labs, to be looked up once all are known.
    pub(crate) targets: Vec<Target>,
}

/// What the stages share while one page is rendered.
struct Desk<'a> {
    source: &'a Source<'a>,
    lines: Lines,
    report: &'a mut Report,
    slots: sanitise::Slots,
    page: Page,
}

impl Desk<'_> {
    fn error(&mut self, span: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.report.error(self.lines.of(span), message, fix);
    }

    fn warning(&mut self, span: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.report.warning(self.lines.of(span), message, fix);
    }
}

pub(crate) fn render(source: &Source<'_>, report: &mut Report) -> Page {
    if !guard::admit(source, report) {
        return Page::default();
    }
    let _grammars = Grammars::hold();
    let lines = Lines::new(source.text, source.first_line);
    let mut desk = Desk { source, lines, report, slots: sanitise::Slots::default(), page: Page::default() };
    let mut nameless = Vec::new();
    let events: Events<'_> = {
        let note = |link: BrokenLink<'_>| {
            // `[word]` alone is text more often than a link.
            if link.link_type == LinkType::Reference {
                nameless.push((link.span, link.reference.to_string()));
            }
            None
        };
        Parser::new_with_broken_link_callback(source.text, options(), Some(note)).into_offset_iter().collect()
    };
    for (span, name) in nameless {
        desk.error(
            &span,
            format!("no link is named `{name}`"),
            format!("write `[words](address)`, or add `[{name}]: address`"),
        );
    }
    if !guard::shallow(&events, &mut desk) {
        return Page::default();
    }
    let events = headings::anchor(events, &mut desk);
    plain::read(&events, &mut desk);
    let events = fences::lift(events, &mut desk);
    let events = images::lift(events, &mut desk);
    let events = tasks::place(events, &mut desk);
    let events = links::resolve(events, &mut desk);
    let events = terms::note(events, &mut desk);
    let events = blocks::frame(events);
    sanitise::finish(events, desk)
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_HEADING_ATTRIBUTES
}
