//! What the lint says of a lesson that is whole but not good, each with file and line.

use std::fmt::Write as _;

use bulkhead_content::{Diagnostic, Files, lint};

const OUTLINE: &str = "title=\"t\"\nsummary=\"s\"\n[[module]]\nslug=\"m\"\ntitle=\"t\"\nsummary=\"s\"\n[[module.section]]\nlessons=[{slug=\"l\",title=\"T\"}]\n";
const SVG: &str =
    "<svg viewBox=\"0 0 10 10\"><rect x=\"1\" y=\"1\" width=\"8\" height=\"8\" fill=\"none\" class=\"dg-box\"/></svg>";

/// A lesson without a fault: its text begins on line 12.
fn lesson() -> String {
    let mut text = String::from(
        "---\nid: l\ntitle: T\nsummary: s\nstatus: active\nminutes: 1\nobjectives: [x]\nrefs: [{title: R, date: \"2025\"}]\nupdated: \"2026-11-24\"\n---\n\n",
    );
    text.push_str(&"word ".repeat(950));
    text.push_str("\n\n![a box](d.svg)\n\n```bash testable\ntrue\n```\n\n```bash\nfalse\n```\n\n## Takeaways\n\n- one\n\n```quiz\n");
    for at in 0..4 {
        let _ = write!(
            text,
            "[[questions]]\nid = \"q{at}\"\ntype = \"MultipleChoice\"\nprompt.prompt = \"?\"\nprompt.distractors = [{{ text = \"wrong {at}\", why = \"w\" }}, {{ text = \"other {at}\", why = \"w\" }}]\nanswer.answer = {{ text = \"right\", why = \"w\" }}\n"
        );
    }
    text + "```\n"
}

fn findings(text: &str) -> Vec<Diagnostic> {
    let files = [("course.toml", OUTLINE), ("m/l/lesson.md", text), ("m/l/d.svg", SVG)];
    lint(&files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into_iter().collect::<Files>())
}

#[test]
fn a_good_lesson_has_no_finding() {
    assert_eq!(findings(&lesson()), Vec::new());
}

#[test]
fn every_fault_has_its_line() {
    let line = |needle: &str| 1 + lesson()[..lesson().find(needle).expect("in the lesson")].matches('\n').count();
    let question = line("[[questions]]");
    for (from, to, at, expected) in [
        ("word word ", "", 11, "948 words of prose"),
        ("![a box](d.svg)", "a box", 11, "no diagram"),
        ("```bash testable", "```bash", line("```bash testable"), "no command is marked `testable`"),
        ("## Takeaways", "## The end", 11, "no takeaways"),
        ("id = \"q3\"", "id = \"q2\"", question + 18, "question `q2` occurs twice"),
        ("\"right\"", "\"right, because nothing else is\"", question, "the right answer to `q0` shows by its length"),
        ("why = \"w\" }, ", "}, ", question + 4, "missing field `why`"),
        ("minutes: 1", "minuets: 1", 6, "unknown field `minuets`"),
        ("title: T", "title: U", 3, "the title is \"U\""),
        ("minutes: 1\n", "", 1, "front matter: missing field `minutes`"),
        ("objectives: [x]", "objectives: [x]\nlabs: [gone]", 8, "no module lists the lab `gone`"),
        (
            "```bash\nfalse\n```",
            "```bash\nfalse",
            line("```bash\nfalse"),
            "still open on line 27, where another begins",
        ),
        ("\nfalse\n", "\nf\u{251}lse\n", line("\nfalse") + 1, "(U+0251) in code looks like ASCII"),
        ("\"other 0\"", "\"All of the above\"", question, "speaks of those above"),
        ("- one", "- [one][gone]", line("- one"), "no link is named `gone`"),
        ("- one", "- one\n\n<!-- task: x -->", line("- one") + 2, "places a lab's task"),
        ("![a box]", "![]", line("![a box]"), "has no alternative text"),
        ("```bash\nfalse", "```bsah\nfalse", line("```bash\nfalse"), "unknown language `bsah`"),
        ("\nfalse\n", "\n\u{2014}false\n", line("\nfalse") + 1, "(U+2014) in code looks like ASCII"),
        ("- one", "- [one](../gone/lesson.md)", line("- one"), "there is no lesson `m/gone`"),
    ] {
        let text = if expected.contains("words") {
            lesson().replacen(&"word ".repeat(60), "", 1)
        } else {
            lesson().replacen(from, to, 1)
        };
        let found = findings(&text);
        let expected = expected.trim_start_matches("948 ");
        let finding = found.iter().find(|finding| finding.message.contains(expected));
        let finding = finding.unwrap_or_else(|| panic!("{expected}: {found:#?}"));
        assert_eq!((finding.file.as_str(), finding.line), ("m/l/lesson.md", at), "{finding}");
        assert!(!finding.fix.is_empty());
    }
}

#[test]
fn a_fence_that_nobody_closes() {
    let text = lesson();
    let open = text.strip_suffix("```\n").expect("a last fence");
    let at = 1 + text[..text.find("```quiz").expect("a quiz")].matches('\n').count();
    let found = findings(open);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].line, found[0].message.as_str()), (at, "the fence is not closed"));
    let shown = text.replace("- one", "````text\n```bash\ntrue\n```\n````");
    assert_eq!(findings(&shown), Vec::new(), "a longer fence may show others");
}

#[test]
fn a_lesson_that_cannot_be_read_is_no_dead_link_too() {
    let outline = OUTLINE.replace("[{slug=\"l\",title=\"T\"}]", "[{slug=\"l\",title=\"T\"},{slug=\"k\",title=\"K\"}]");
    let text = lesson().replace("- one", "- [one](../k/lesson.md)");
    let files =
        [("course.toml", outline.as_str()), ("m/l/lesson.md", &text), ("m/l/d.svg", SVG), ("m/k/lesson.md", "x")];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into_iter().collect::<Files>();
    let found = lint(&files);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].file.as_str(), found[0].message.as_str()), ("m/k/lesson.md", "no front matter"));
}

#[test]
fn two_lessons_with_one_id_and_where() {
    let outline = OUTLINE.replace("[{slug=\"l\",title=\"T\"}]", "[{slug=\"l\",title=\"T\"},{slug=\"k\",title=\"T\"}]");
    let other = lesson().replace("id: l\ntitle: T\n", "title: T\nid: l\n");
    let files = [
        ("course.toml", outline),
        ("m/l/lesson.md", lesson()),
        ("m/l/d.svg", SVG.to_owned()),
        ("m/k/lesson.md", other),
        ("m/k/d.svg", SVG.to_owned()),
    ];
    let found = lint(&files.map(|(path, text)| (path.to_owned(), text.into_bytes())).into_iter().collect::<Files>());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].file.as_str(), found[0].line), ("m/k/lesson.md", 3));
}

#[test]
fn too_few_and_too_many_questions() {
    let text = lesson();
    let at = text.rfind("[[questions]]").expect("a last question");
    let few = format!("{}```\n", &text[..at]);
    let found = findings(&few);
    assert!(found.iter().any(|finding| finding.message == "3 quiz questions"), "{found:#?}");
    let many: String = (4..9).map(|n| text[at..].replace("q3", &format!("q{n}")).replace("```\n", "")).collect();
    let found = findings(&text.replacen("```quiz\n", &format!("```quiz\n{many}"), 1));
    assert!(found.iter().any(|finding| finding.message == "9 quiz questions"), "{found:#?}");
}
