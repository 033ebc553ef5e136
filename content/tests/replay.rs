//! What of a lesson is run and written again, and in which order.

use bulkhead_content::{Course, Files, Span, Step};

const OUTLINE: &str = "title = \"t\"\nsummary = \"s\"\n[[module]]\nslug = \"m\"\ntitle = \"M\"\nsummary = \"s\"\n[[module.section]]\nlessons = [{ slug = \"l\", title = \"L\" }]\n";
const FRONT: &str = "---\nid: l\ntitle: L\nsummary: s\nstatus: draft\nminutes: 1\nobjectives: [x]\nrefs: [{title: R, date: \"2025\"}]\nupdated: \"2026-11-24\"\n---\n";
const BODY: &str = "
```bash
mkdir /srv/app
```

```json save-as=/srv/app/a.json
{}
```

```bash save-as=/srv/app/run.sh
echo not run by itself
```

```bash no-run
cannot
```

```json save-as=/srv/app/no.json no-run
{}
```

```bash testable
sh /srv/app/run.sh
```

```output
not run by itself
```

```toml save-as=late.toml
a = 1
```

```bash
cat late.toml
```
";

fn steps(span: Span) -> Vec<String> {
    let mut files = Files::new();
    files.insert("course.toml".to_owned(), OUTLINE.into());
    files.insert("m/l/lesson.md".to_owned(), format!("{FRONT}{BODY}").into());
    let course = Course::parse(&files).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let lesson = course.lesson("m/l").expect("the lesson").lesson;
    let told = |step: Step<'_>| match step {
        Step::Run(command) => format!("run {}", command.input.trim()),
        Step::Save(saved) => format!("save {}: {}", saved.path, saved.text.trim()),
    };
    lesson.replay(span).into_iter().map(told).collect()
}

#[test]
fn files_are_written_where_they_stand_among_the_commands() {
    let first = [
        "run mkdir /srv/app",
        "save /srv/app/a.json: {}",
        "save /srv/app/run.sh: echo not run by itself",
        "run sh /srv/app/run.sh",
    ];
    assert_eq!(steps(Span::ToFirstTestable), first);
    let rest = ["save late.toml: a = 1", "run cat late.toml"];
    assert_eq!(steps(Span::Whole), [&first[..], &rest[..]].concat());
}
