//! The figure of a fence.
//!
//! ```html
//! <figure class="code" data-kind="command" data-lang="bash" data-tab="probe" data-source="…">
//!   <figcaption class="code-head"><span class="code-title">…</span><span class="code-lang">Shell</span>
//!     <span class="code-note">Not in the sandbox</span>
//!     <span class="code-actions"><button type="button" data-copy>Copy</button><button type="button" data-run>Run</button></span></figcaption>
//!   <pre tabindex="0"><code><span class="line">…</span>
//!   <span class="line marked">…</span></code></pre>
//! </figure>
//! ```
//! `data-kind` is `command` (a reader may run it), `output` (expected, apart from what is typed) or `file`. What the
//! buttons copy or send is `data-source` where it is there (a session, without prompts and printed lines), else the text
//! of `code`. `data-save-as` names a file the block is meant to become.

use super::{
    console::{self, Part},
    highlight,
    info::{Info, Run},
};
use crate::text::{escape, escaped};

pub(super) fn figure(info: &Info, text: &str) -> String {
    let kind = if info.output {
        "output"
    } else if info.is_command() {
        "command"
    } else {
        "file"
    };
    let mut html = format!("<figure class=\"code\" data-kind=\"{kind}\"");
    if let Some(language) = info.language {
        attribute("data-lang", language.name, &mut html);
    }
    if let Some(tab) = &info.tab {
        attribute("data-tab", tab, &mut html);
    }
    if let Some(path) = &info.save_as {
        attribute("data-save-as", path, &mut html);
    }
    if info.is_console() && !info.output {
        attribute("data-source", &console::typed(text), &mut html);
    }
    html.push('>');
    head(info, &mut html);
    html.push_str("<pre tabindex=\"0\"><code>");
    for (at, line) in lines(info, text).into_iter().enumerate() {
        let number = at + 1;
        let marked = info.marked.iter().any(|(from, to)| (*from..=*to).contains(&number));
        html.push_str(if marked { "<span class=\"line marked\">" } else { "<span class=\"line\">" });
        html.push_str(&line);
        html.push_str("</span>\n");
    }
    html.push_str("</code></pre></figure>");
    html
}

fn head(info: &Info, html: &mut String) {
    html.push_str("<figcaption class=\"code-head\">");
    if let Some(title) = info.title.as_ref().or(info.save_as.as_ref()) {
        html.push_str("<span class=\"code-title\">");
        escape(title, html);
        html.push_str("</span>");
    }
    if let Some(language) = info.language {
        let label = if info.output { "Expected output" } else { language.label };
        html.push_str("<span class=\"code-lang\">");
        html.push_str(label);
        html.push_str("</span>");
    }
    if info.is_command() && info.run == Run::No {
        html.push_str("<span class=\"code-note\">Not in the sandbox</span>");
    }
    html.push_str("<span class=\"code-actions\">");
    if !info.no_copy && !info.output {
        html.push_str("<button type=\"button\" data-copy>Copy</button>");
    }
    if info.is_command() && info.run != Run::No {
        html.push_str("<button type=\"button\" data-run>Run in terminal</button>");
    }
    html.push_str("</span></figcaption>");
}

fn lines(info: &Info, text: &str) -> Vec<String> {
    let syntax = info.language.and_then(|language| language.syntax);
    match syntax {
        Some(syntax) if info.is_console() && !info.output => session(text, syntax),
        Some(syntax) => highlight::lines(text, syntax).unwrap_or_else(|| plain(text)),
        None => plain(text),
    }
}

fn plain(text: &str) -> Vec<String> {
    text.lines().map(escaped).collect()
}

fn session(text: &str, syntax: &str) -> Vec<String> {
    let typed = console::typed(text);
    let mut typed = highlight::lines(&typed, syntax).unwrap_or_else(|| plain(&typed)).into_iter();
    console::parts(text)
        .into_iter()
        .map(|part| match part {
            Part::Typed { prompt, .. } => {
                format!("<span class=\"hl-prompt\">{}</span>{}", escaped(prompt), typed.next().unwrap_or_default())
            }
            Part::Printed(line) => format!("<span class=\"hl-output\">{}</span>", escaped(line)),
        })
        .collect()
}

fn attribute(name: &str, value: &str, html: &mut String) {
    html.push(' ');
    html.push_str(name);
    html.push_str("=\"");
    escape(value, html);
    html.push('"');
}
