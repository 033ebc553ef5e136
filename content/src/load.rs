//! Files to a course. Everything wrong in any file is collected before anything is refused.

use std::path::Path;

use crate::{
    Course, Diagnostic, Entry, Files, Grammars, Lesson, Module, Question, Quiz, ReadError, Section, check,
    diagnostic::Report,
    files,
    glossary::{self, Finder},
    lesson::front,
    memory::{Memory, Rendered},
    outline::{self, Outline, OutlineLesson},
    render::{self, Target},
    search::Index,
};

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    /// At least one of them is an error.
    #[error("the course has faults:\n{}", display(.0))]
    Invalid(Vec<Diagnostic>),
}

fn display(findings: &[Diagnostic]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Course {
    /// Warnings are kept in the course; one error refuses it.
    pub fn parse(files: &Files) -> Result<Self, Vec<Diagnostic>> {
        let (course, findings) = load(files, &mut Memory::default());
        match course {
            Some(course) if !findings.iter().any(Diagnostic::is_error) => Ok(Self { warnings: findings, ..course }),
            _ => Err(findings),
        }
    }

    /// What can be read of a course that is being written, and everything that is wrong with it. A lesson that cannot be
    /// read is still to come; `None` without an outline.
    pub fn survey(files: &Files) -> (Option<Self>, Vec<Diagnostic>) {
        load(files, &mut Memory::default())
    }

    /// The same, but what did not change since the memory's last load is not rendered again.
    pub fn survey_again(files: &Files, memory: &mut Memory) -> (Option<Self>, Vec<Diagnostic>) {
        load(files, memory)
    }

    /// Reads the folder that holds `course.toml`.
    pub fn read(folder: &Path) -> Result<Self, LoadError> {
        Self::parse(&files::read_dir(folder)?).map_err(LoadError::Invalid)
    }
}

/// Every finding, by file and line, errors and warnings.
pub fn lint(files: &Files) -> Vec<Diagnostic> {
    load(files, &mut Memory::default()).1
}

fn load(files: &Files, memory: &mut Memory) -> (Option<Course>, Vec<Diagnostic>) {
    let _grammars = Grammars::hold();
    let mut findings = Vec::new();
    let course = assemble(files, memory, &mut findings);
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    findings.dedup();
    (course, findings)
}

fn assemble(files: &Files, memory: &mut Memory, findings: &mut Vec<Diagnostic>) -> Option<Course> {
    let mut report = Report::new(outline::FILE);
    let text = text(files.get(outline::FILE).map(Vec::as_slice), &mut report);
    let outline = text.and_then(|text| outline::parse(&text, &mut report));
    findings.extend(report.into_findings());
    let outline = outline?;

    let glossary = glossary(files, &outline, findings);
    let common = [outline::FILE, glossary::FILE].iter().filter_map(|file| files.get_key_value(*file));
    memory.depend(common.map(|(file, bytes)| (file.clone(), bytes.clone())).collect());
    let mut pages = Pages { files, glossary: &glossary, memory, findings, seen: Vec::new(), targets: Vec::new() };
    let mut modules = Vec::new();
    for (at, module) in outline.modules.into_iter().enumerate() {
        let slug = module.slug.into_inner();
        let sections = module.sections.into_iter().map(|section| Section {
            entries: section.lessons.into_iter().map(|lesson| pages.entry(&slug, lesson)).collect(),
            title: section.title,
        });
        let sections = sections.collect();
        modules.push(Module {
            test: pages.test(&slug),
            number: u8::try_from(at + 1).unwrap_or(u8::MAX),
            title: module.title,
            summary: module.summary,
            sections,
            labs: module.labs.into_iter().map(toml::Spanned::into_inner).collect(),
            slug,
        });
    }
    let Pages { seen, targets, memory, .. } = pages;
    memory.keep(&seen);
    let mut course = Course {
        glossary: glossary.into_terms(),
        title: outline.title,
        summary: outline.summary,
        modules,
        warnings: Vec::new(),
        index: Index::default(),
    };
    check::strays(files, &seen, findings);
    check::ids(files, &course, findings);
    check::targets(&course, &seen, &targets, findings);
    course.index = Index::new(&course);
    Some(course)
}

fn glossary(files: &Files, outline: &Outline, findings: &mut Vec<Diagnostic>) -> Finder {
    let Some(bytes) = files.get(glossary::FILE) else { return Finder::default() };
    let mut report = Report::new(glossary::FILE);
    let known = |path: &str| {
        let Some((module, lesson)) = path.split_once('/') else { return false };
        let module = outline.modules.iter().find(|known| known.slug.get_ref() == module);
        let mut lessons = module.into_iter().flat_map(|module| &module.sections).flat_map(|section| &section.lessons);
        lessons.any(|known| known.slug.get_ref() == lesson)
    };
    let terms = text(Some(bytes), &mut report).map(|text| glossary::parse(&text, known, &mut report));
    findings.extend(report.into_findings());
    Finder::new(terms.unwrap_or_default())
}

struct Pages<'a> {
    files: &'a Files,
    glossary: &'a Finder,
    memory: &'a mut Memory,
    findings: &'a mut Vec<Diagnostic>,
    /// Lesson files that the outline knows.
    seen: Vec<String>,
    targets: Vec<(String, Vec<Target>)>,
}

impl Pages<'_> {
    fn test(&mut self, module: &str) -> Vec<Question> {
        let file = format!("{module}/test.md");
        let Some(bytes) = self.files.get(&file) else { return Vec::new() };
        self.seen.push(file.clone());
        let mut report = Report::new(file);
        let questions = text(Some(bytes), &mut report).map(|text| test(&text, &mut report)).unwrap_or_default();
        self.findings.extend(report.into_findings());
        questions
    }

    fn entry(&mut self, module: &str, lesson: OutlineLesson) -> Entry {
        let slug = lesson.slug.into_inner();
        let path = format!("{module}/{slug}");
        let file = format!("{path}/lesson.md");
        let Some(bytes) = self.files.get(&file) else {
            return Entry::ToCome { slug, title: lesson.title };
        };
        self.seen.push(file.clone());
        let (files, glossary) = (self.files, self.glossary);
        let Rendered { page, findings } = self.memory.page(&file, below(files, &path), || {
            let mut report = Report::new(file.clone());
            let page = text(Some(bytes), &mut report)
                .and_then(|text| page(files, glossary, &path, &slug, &lesson.title, &text, &mut report));
            Rendered { page, findings: report.into_findings() }
        });
        self.findings.extend(findings);
        let written = page.map(|(lesson, targets)| {
            self.targets.push((file, targets));
            lesson
        });
        written.map_or(Entry::ToCome { slug, title: lesson.title }, Entry::Written)
    }
}

fn page(
    files: &Files,
    glossary: &Finder,
    path: &str,
    slug: &str,
    title: &str,
    text: &str,
    report: &mut Report,
) -> Option<(Lesson, Vec<Target>)> {
    let Some(parts) = front::split(text) else {
        report.error(1, "no front matter", "begin the file with a YAML block between two lines of `---`");
        return None;
    };
    let source = render::Source { text: parts.body, first_line: parts.body_line, folder: path, files, glossary };
    let page = render::render(&source, report);
    let front = front::parse(parts.front, report)?;
    check::page(&front, parts.front, title, &page, parts.body_line, report);
    let quiz = (!page.questions.is_empty()).then_some(Quiz { questions: page.questions });
    let lesson = Lesson {
        id: front.id,
        slug: slug.to_owned(),
        path: path.to_owned(),
        file: report.file().to_owned(),
        title: front.title,
        summary: front.summary,
        status: front.status,
        minutes: front.minutes,
        objectives: front.objectives,
        prerequisites: front.prerequisites,
        tags: front.tags,
        references: front.refs,
        updated: front.updated,
        labs: front.labs,
        sandbox: front.sandbox,
        html: page.html,
        headings: page.headings,
        words: page.words,
        commands: page.commands,
        saved: page.saved,
        diagrams: page.diagrams,
        quiz,
        sections: page.sections,
    };
    Some((lesson, page.targets))
}

/// All files of a page's folder.
fn below(files: &Files, folder: &str) -> Files {
    let prefix = format!("{folder}/");
    let inside = files.range(prefix.clone()..).take_while(|(file, _)| file.starts_with(&prefix));
    inside.map(|(file, bytes)| (file.clone(), bytes.clone())).collect()
}

/// `<module>/test.md`: quiz fences and nothing else.
fn test(text: &str, report: &mut Report) -> Vec<Question> {
    let page = render::render(
        &render::Source { text, first_line: 1, folder: "", files: &Files::new(), glossary: &Finder::default() },
        report,
    );
    if page.words > 0 || !page.commands.is_empty() {
        report.error(1, "a test holds more than questions", "leave only `quiz` fences");
    } else if page.questions.is_empty() {
        report.error(0, "a test without questions", "add a `quiz` fence, or remove the file");
    }
    page.questions
}

/// Line ends are made `\n`, so that no stage need know of others.
fn text(bytes: Option<&[u8]>, report: &mut Report) -> Option<String> {
    let Some(bytes) = bytes else {
        report.error(0, "the file does not exist", "add it");
        return None;
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{FEFF}').unwrap_or(text).replace("\r\n", "\n")),
        Err(error) => {
            let line = 1 + String::from_utf8_lossy(&bytes[..error.valid_up_to()]).matches('\n').count();
            report.error(line, "not UTF-8", "save the file as UTF-8");
            None
        }
    }
}
