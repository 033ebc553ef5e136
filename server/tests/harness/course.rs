//! A course of two modules: a lesson with a quiz, one without, a draft, and one that is announced.

use bulkhead_content::{Course, Files};

const OUTLINE: &str = r#"
title = "A test course"
summary = "For tests."

[[module]]
slug = "start"
title = "Start here"
summary = "The first module."

[[module.section]]
title = "Basics"
lessons = [
  { slug = "namespaces", title = "Namespaces" },
  { slug = "capabilities", title = "Capabilities" },
  { slug = "secret-draft", title = "A draft" },
  { slug = "announced", title = "Announced" },
]

[[module]]
slug = "practice"
title = "Practice"
summary = "The second module."
labs = ["read-only-but-alive"]

[[module.section]]
title = "More"
lessons = [{ slug = "seccomp", title = "Seccomp" }]
"#;

const QUIZ: &str = r#"
## Check yourself

```quiz
[[questions]]
id = "kernel"
type = "MultipleChoice"
prompt.prompt = "What do two containers on one host share?"
prompt.distractors = [
  { text = "Nothing", why = "They share the kernel." },
  { text = "The disk only", why = "The kernel as well." },
]
answer.answer = { text = "The kernel", why = "One kernel serves both." }

[[questions]]
id = "error"
type = "ShortAnswer"
prompt.prompt = "Which error does a read-only file system give?"
answer.answer = "EROFS"
context = "The kernel answers with EROFS."
```
"#;

pub(crate) fn course() -> Course {
    let mut files = Files::new();
    files.insert("course.toml".to_owned(), OUTLINE.as_bytes().to_vec());
    let mut lesson = |path: &str, status: &str, text: &str| {
        let (_, slug) = path.split_once('/').expect("module/lesson");
        let title = match slug {
            "secret-draft" => "A draft".to_owned(),
            other => format!("{}{}", other[..1].to_uppercase(), &other[1..]),
        };
        let front = format!(
            "---\nid: {slug}\ntitle: {title}\nsummary: About {slug}.\nstatus: {status}\nminutes: 5\nobjectives: [Know {slug}]\n\
             refs: [{{title: Manual page, date: \"2025\"}}]\nupdated: \"2026-11-24\"\n---\n"
        );
        files.insert(format!("{path}/lesson.md"), format!("{front}{text}").into_bytes());
    };
    lesson("start/namespaces", "active", &format!("A namespace narrows the view.\n{QUIZ}"));
    lesson("start/capabilities", "active", "Capabilities split what root may do.\n");
    lesson("start/secret-draft", "draft", "Nobody shall find the word xylophone.\n");
    lesson("practice/seccomp", "active", "Seccomp filters system calls.\n");
    match Course::parse(&files) {
        Ok(course) => course,
        Err(findings) => {
            panic!("the test course has faults: {:#?}", findings.iter().filter(|f| f.is_error()).collect::<Vec<_>>())
        }
    }
}
