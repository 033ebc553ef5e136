//! Takes fences out of the stream: code becomes a figure in a slot, a quiz becomes questions and leaves the page.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::{
    Desk, Events, code,
    console::{self, Part},
    info::{self, Info, Run},
};
use crate::{Command, SavedFile, quiz};

pub(super) fn lift<'a>(events: Events<'a>, desk: &mut Desk<'_>) -> Events<'a> {
    let mut out = Events::with_capacity(events.len());
    let mut open: Option<(String, String)> = None;
    for (event, span) in events {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(kind)), _) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => {
                        closed(&span, desk);
                        info.into_string()
                    }
                    CodeBlockKind::Indented => {
                        desk.warning(&span, "an indented code block", "put it between fences and name its language");
                        "text".to_owned()
                    }
                };
                open = Some((info, String::new()));
            }
            (Event::End(TagEnd::CodeBlock), _) => {
                if let Some((info, text)) = open.take()
                    && let Some(html) = close(&info, &text, &span, desk)
                {
                    out.push((Event::Html(desk.slots.put(html).into()), span));
                }
            }
            (Event::Text(piece), Some((_, text))) => text.push_str(&piece),
            (_, Some(_)) => {}
            (event, None) => out.push((event, span)),
        }
    }
    out
}

/// A fence that is left open takes in what follows: a reader would be shown prose as code, and be sent output to run.
fn closed(span: &std::ops::Range<usize>, desk: &mut Desk<'_>) {
    let block = &desk.source.text[span.clone()];
    let Some(mark) = block.chars().find(|character| matches!(character, '`' | '~')) else { return };
    let after = |line: &'_ str| {
        let line = line.trim_start_matches([' ', '\t', '>']);
        let info = line.trim_start_matches(mark);
        (line.len() - info.len(), !info.trim().is_empty())
    };
    let mut lines = block.lines().map(after);
    let Some((width, _)) = lines.next() else { return };
    let marks: Vec<(usize, bool)> = lines.collect();
    let next = marks.iter().position(|(marks, info)| *marks >= width && *info);
    let message = match (next, marks.last()) {
        (Some(at), _) => {
            format!("the fence is still open on line {}, where another begins", desk.lines.of(span) + 1 + at)
        }
        (None, Some((marks, _))) if *marks >= width => return,
        (None, _) => "the fence is not closed".to_owned(),
    };
    let fence = mark.to_string().repeat(width);
    desk.error(
        span,
        message,
        format!("close it with {fence} on a line of its own; a fence that shows fences has more marks"),
    );
}

/// What takes the fence's place in the page, if anything does.
fn close(info: &str, text: &str, span: &std::ops::Range<usize>, desk: &mut Desk<'_>) -> Option<String> {
    let line = desk.lines.of(span);
    if info.trim() == "quiz" {
        let questions = quiz::parse(text, line + 1, desk.report);
        desk.page.questions.extend(questions);
        return None;
    }
    let (info, faults) = info::parse(info);
    for fault in faults {
        desk.report.error(line, fault, info::advice());
    }
    look_alikes(&info, text, line, desk);
    record(&info, text, line, desk);
    Some(code::figure(&info, text))
}

/// Keeps what a reader may run, with the output that follows it, and what becomes a file.
fn record(info: &Info, text: &str, line: usize, desk: &mut Desk<'_>) {
    if info.is_command() {
        desk.page.commands.push(Command {
            line,
            input: if info.is_console() { console::typed(text) } else { text.to_owned() },
            output: info.is_console().then(|| printed(text)).filter(|output| !output.is_empty()),
            output_line: None,
            tab: info.tab.clone(),
            testable: info.run == Run::Testable,
            runnable: info.run != Run::No,
        });
    } else if let (Some(path), false) = (&info.save_as, info.run == Run::No) {
        desk.page.saved.push(SavedFile { line, path: path.clone(), text: text.to_owned() });
    } else if info.output {
        match desk.page.commands.last_mut() {
            Some(command) if command.output.is_none() => {
                command.output = Some(text.to_owned());
                command.output_line = Some(line);
            }
            _ => desk.report.error(
                line,
                "an output without a command before it",
                "put it after the `bash` fence that prints it",
            ),
        }
    }
}

fn printed(text: &str) -> String {
    let mut printed = String::new();
    for part in console::parts(text) {
        if let Part::Printed(line) = part {
            printed.push_str(line);
            printed.push('\n');
        }
    }
    printed
}

/// Characters that look like ASCII break a command that was copied. What a program printed may hold anything.
fn look_alikes(info: &Info, text: &str, line: usize, desk: &mut Desk<'_>) {
    let shows_text = info.language.is_none_or(|language| matches!(language.name, "text" | "output"));
    if info.output || shows_text {
        return;
    }
    for (at, content) in text.lines().enumerate() {
        let typed = !info.is_console() || matches!(console::parts(content)[..], [Part::Typed { .. }]);
        if typed && let Some(found) = content.chars().find(|character| is_look_alike(*character)) {
            desk.report.error(
                line + 1 + at,
                format!("`{found}` (U+{:04X}) in code looks like ASCII and is not", u32::from(found)),
                "type the plain character",
            );
        }
    }
}

fn is_look_alike(character: char) -> bool {
    matches!(
        character,
        '\u{00A0}' | '\u{00AD}' | '\u{00B4}' | '\u{0131}' | '\u{01C0}' | '\u{0237}' | '\u{0251}' | '\u{0261}'
            | '\u{02DC}' | '\u{02B9}'..='\u{02C8}' | '\u{0370}'..='\u{058F}' | '\u{13A0}'..='\u{13FF}'
            | '\u{2000}'..='\u{200D}' | '\u{2010}'..='\u{2015}' | '\u{2018}'..='\u{201F}' | '\u{2024}' | '\u{2026}' | '\u{202F}'
            | '\u{2032}'..='\u{2037}' | '\u{2039}' | '\u{203A}' | '\u{2044}' | '\u{2060}' | '\u{2212}' | '\u{2215}'
            | '\u{2223}' | '\u{223C}' | '\u{2C80}'..='\u{2CFF}' | '\u{A4D0}'..='\u{A4FF}' | '\u{FEFF}'
            | '\u{FF01}'..='\u{FF5E}' | '\u{1D400}'..='\u{1D7FF}'
    )
}
