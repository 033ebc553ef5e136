//! Files to a course. Everything wrong in any file is collected before anything is refused.

use std::{collections::HashMap, path::Path};

use crate::{
    Course, Diagnostic, Entry, Files, Lesson, Module, Question, Quiz, ReadError, Section, Status,
    diagnostic::{Report, Severity},
    files,
    glossary::{self, Finder},
    lesson::front::{self, Front},
    outline::{self, Outline, OutlineLesson},
    render::{self, Place, Target},
    search::Index,
};

const WORDS: std::ops::RangeInclusive<usize> = 900..=2_200;
const QUESTIONS: std::ops::RangeInclusive<usize> = 4..=8;

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
        let (course, findings) = load(files);
        match course {
            Some(course) if !findings.iter().any(Diagnostic::is_error) => Ok(Self { warnings: findings, ..course }),
            _ => Err(findings),
        }
    }

    /// What can be read of a course that is being written, and everything that is wrong with it. A lesson that cannot be
    /// read is still to come; `None` without an outline.
    pub fn survey(files: &Files) -> (Option<Self>, Vec<Diagnostic>) {
        load(files)
    }

    /// Reads the folder that holds `course.toml`.
    pub fn read(folder: &Path) -> Result<Self, LoadError> {
        Self::parse(&files::read_dir(folder)?).map_err(LoadError::Invalid)
    }
}

/// Every finding, by file and line, errors and warnings.
pub fn lint(files: &Files) -> Vec<Diagnostic> {
    load(files).1
}

fn load(files: &Files) -> (Option<Course>, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let course = assemble(files, &mut findings);
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    (course, findings)
}

fn assemble(files: &Files, findings: &mut Vec<Diagnostic>) -> Option<Course> {
    let mut report = Report::new(outline::FILE);
    let text = text(files.get(outline::FILE).map(Vec::as_slice), &mut report);
    let outline = text.and_then(|text| outline::parse(&text, &mut report));
    findings.extend(report.into_findings());
    let outline = outline?;

    let glossary = glossary(files, &outline, findings);
    let mut pages = Pages { files, glossary: &glossary, findings, seen: Vec::new(), targets: Vec::new() };
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
    let Pages { seen, targets, .. } = pages;
    let mut course = Course {
        glossary: glossary.into_terms(),
        title: outline.title,
        summary: outline.summary,
        modules,
        warnings: Vec::new(),
        index: Index::default(),
    };
    check_strays(files, &seen, findings);
    check_ids(&course, findings);
    check_targets(&course, &targets, findings);
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
        let mut report = Report::new(file.clone());
        let written = text(Some(bytes), &mut report).and_then(|text| {
            let (lesson, targets) = self.page(&path, &slug, &lesson.title, &text, &mut report)?;
            self.targets.push((file, targets));
            Some(lesson)
        });
        self.findings.extend(report.into_findings());
        written.map_or(Entry::ToCome { slug, title: lesson.title }, Entry::Written)
    }

    fn page(
        &self,
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
        let source = render::Source {
            text: parts.body,
            first_line: parts.body_line,
            folder: path,
            files: self.files,
            glossary: self.glossary,
        };
        let page = render::render(&source, report);
        let front = front::parse(parts.front, report)?;
        check_page(&front, title, &page, report);
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
            diagrams: page.diagrams,
            quiz,
            sections: page.sections,
        };
        Some((lesson, page.targets))
    }
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

fn check_page(front: &Front, title: &str, page: &render::Page, report: &mut Report) {
    if front.title != title {
        report.error(
            2,
            format!("the title is \"{}\"", front.title),
            format!("the outline's own words are \"{title}\""),
        );
    }
    if !page.tasks.is_empty() {
        report.error(0, "a lesson places a lab's task", "tasks belong to the lab's own text");
    }
    if front.status == Status::Draft {
        return;
    }
    if !WORDS.contains(&page.words) {
        report.warning(
            0,
            format!("{} words of prose", page.words),
            format!("aim for {} to {}", WORDS.start(), WORDS.end()),
        );
    }
    if !QUESTIONS.contains(&page.questions.len()) {
        report.warning(
            0,
            format!("{} quiz questions", page.questions.len()),
            format!("ask {} to {}", QUESTIONS.start(), QUESTIONS.end()),
        );
    }
    if page.diagrams == 0 {
        report.warning(0, "no diagram", "draw what the prose describes");
    }
    if !page.commands.is_empty() && !page.commands.iter().any(|command| command.testable) {
        report.warning(0, "no command is marked `testable`", "mark at least one block that can be re-run");
    }
}

/// A lesson that nobody lists would silently not exist.
fn check_strays(files: &Files, seen: &[String], findings: &mut Vec<Diagnostic>) {
    for file in files.keys().filter(|file| extension(file) == Some("md") && !seen.contains(file)) {
        let mut report = Report::new(file.clone());
        report.error(
            0,
            "the outline does not list this page",
            "add its folder's name to `course.toml`, and name the file `lesson.md`",
        );
        findings.extend(report.into_findings());
    }
}

fn extension(file: &str) -> Option<&str> {
    Path::new(file).extension().and_then(|extension| extension.to_str())
}

fn check_ids(course: &Course, findings: &mut Vec<Diagnostic>) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for placed in course.lessons() {
        let lesson = placed.lesson;
        if let Some(other) = owners.insert(&lesson.id, &lesson.file) {
            findings.push(error(
                &lesson.file,
                2,
                format!("the id `{}` is also in {other}", lesson.id),
                "give each lesson its own id",
            ));
        }
        for lab in lesson.labs.iter().filter(|lab| !knows_lab(course, lab)) {
            findings.push(error(
                &lesson.file,
                2,
                format!("no module lists the lab `{lab}`"),
                "add it to `labs` of the module in course.toml",
            ));
        }
    }
}

fn check_targets(course: &Course, targets: &[(String, Vec<Target>)], findings: &mut Vec<Diagnostic>) {
    for (file, targets) in targets {
        for target in targets {
            if let Some((message, fix)) = fault(course, &target.place) {
                findings.push(error(file, target.line, message, fix));
            }
        }
    }
}

fn fault(course: &Course, place: &Place) -> Option<(String, &'static str)> {
    match place {
        Place::Lab(lab) if !knows_lab(course, lab) => Some((
            format!("no module lists the lab `{lab}`"),
            "correct the id, or add it to `labs` of the module in course.toml",
        )),
        Place::Lab(_) => None,
        Place::Lesson { path, anchor } => {
            let Some(placed) = course.lesson(path) else {
                return Some((
                    format!("there is no lesson `{path}` yet"),
                    "correct the path, or name the lesson without a link",
                ));
            };
            let missing = anchor
                .as_ref()
                .filter(|anchor| !placed.lesson.headings.iter().any(|heading| heading.anchor == **anchor));
            missing.map(|anchor| (format!("`{path}` has no heading `{anchor}`"), "link to one of its anchors"))
        }
    }
}

fn knows_lab(course: &Course, lab: &str) -> bool {
    course.modules.iter().any(|module| module.labs.iter().any(|known| known == lab))
}

fn error(file: &str, line: usize, message: String, fix: &str) -> Diagnostic {
    Diagnostic { severity: Severity::Error, file: file.to_owned(), line, message, fix: fix.to_owned() }
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
