//! A course that is loaded again with a memory is the course that would have been loaded without one.

use bulkhead_content::{Course, Files, Memory};

const OUTLINE: &str = "title = \"t\"\nsummary = \"s\"\n[[module]]\nslug = \"m\"\ntitle = \"M\"\nsummary = \"s\"\n[[module.section]]\nlessons = [{ slug = \"a\", title = \"A\" }, { slug = \"b\", title = \"B\" }]\n";
const GLOSSARY: &str = "[[term]]\nterm = \"shim\"\ndefinition = \"d\"\nlesson = \"m/a\"\n";
const SVG: &str =
    "<svg viewBox=\"0 0 10 10\"><rect x=\"1\" y=\"1\" width=\"8\" height=\"8\" fill=\"none\" class=\"dg-box\"/></svg>";

fn lesson(id: &str, text: &str) -> String {
    format!(
        "---\nid: {id}\ntitle: {}\nsummary: s\nstatus: draft\nminutes: 1\nobjectives: [x]\nrefs: [{{title: R, date: \"2025\"}}]\nupdated: \"2026-11-24\"\n---\n{text}\n",
        id.to_uppercase()
    )
}

#[test]
fn every_edit_comes_to_what_a_fresh_load_comes_to() {
    let mut files = Files::new();
    let mut memory = Memory::default();
    let start = [
        ("course.toml", OUTLINE.to_owned()),
        ("glossary.toml", GLOSSARY.to_owned()),
        ("m/a/lesson.md", lesson("a", "The shim. ![box](d.svg)")),
        ("m/a/d.svg", SVG.to_owned()),
        ("m/b/lesson.md", lesson("b", "See [there](../a/lesson.md#part), by the shim.")),
    ];
    let edits = [
        ("m/a/lesson.md", lesson("a", "The shim.\n\n![box](d.svg)\n\n## Part")),
        ("m/a/d.svg", SVG.replace('8', "7")),
        ("glossary.toml", GLOSSARY.replace("\"d\"", "\"another\"")),
        ("m/a/lesson.md", "no front matter".to_owned()),
        ("course.toml", "title = ".to_owned()),
        ("course.toml", OUTLINE.replace("\"B\"", "\"C\"")),
        ("m/a/lesson.md", lesson("a", "## Part")),
        ("m/b/lesson.md", String::new()),
    ];
    for (file, text) in start.into_iter().chain(edits) {
        if text.is_empty() {
            files.remove(file);
        } else {
            files.insert(file.to_owned(), text.into_bytes());
        }
        let (again, findings) = Course::survey_again(&files, &mut memory);
        let (fresh, expected) = Course::survey(&files);
        assert_eq!(findings, expected, "after {file}");
        assert_eq!(
            format!("{:?}", again.map(|c| c.modules)),
            format!("{:?}", fresh.map(|c| c.modules)),
            "after {file}"
        );
    }
}
