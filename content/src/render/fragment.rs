//! Markdown that is not a lesson: a lab's story, a task, a hint.

use super::{Source, render};
use crate::{Command, Diagnostic, Files, diagnostic::Report, glossary::Finder};

#[derive(Debug)]
pub struct Fragment {
    /// Sanitised.
    pub html: String,
    /// The tasks that the fragment places, in order.
    pub tasks: Vec<String>,
    pub commands: Vec<Command>,
    /// With lines of the fragment.
    pub findings: Vec<Diagnostic>,
}

/// `file` is only a name, for the findings. Images are not available, nor is a quiz.
pub fn render_fragment(file: &str, markdown: &str) -> Fragment {
    let mut report = Report::new(file);
    let (files, glossary) = (Files::new(), Finder::default());
    let source = Source { text: markdown, first_line: 1, folder: "", files: &files, glossary: &glossary };
    let page = render(&source, &mut report);
    if let Some(question) = page.questions.first() {
        report.error(question.line, "a quiz outside a lesson", "put it into a lesson");
    }
    Fragment { html: page.html, tasks: page.tasks, commands: page.commands, findings: report.into_findings() }
}
