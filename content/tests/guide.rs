//! The author's guide is a gallery of every construct, and this its picture.

use bulkhead_content::{Course, Diagnostic, Files};

const OUTLINE: &str = r#"
title = "t"
summary = "s"
[[module]]
slug = "module"
title = "Module"
summary = "s"
labs = ["read-only-but-alive"]
[[module.section]]
lessons = [{ slug = "guide", title = "Author guide" }, { slug = "other", title = "Other" }]
"#;

const OTHER: &str = "---\nid: other\ntitle: Other\nsummary: s\nstatus: draft\nminutes: 1\nobjectives: [x]\nrefs: [{title: R, date: \"2025\"}]\nupdated: \"2026-11-24\"\n---\n## Part\n";

fn course(change: impl Fn(&str) -> String) -> Result<Course, Vec<Diagnostic>> {
    let guide = change(include_str!("../guide.md"));
    let mut files = Files::new();
    for (path, text) in [
        ("course.toml", OUTLINE),
        ("module/guide/lesson.md", &guide),
        ("module/guide/guide.svg", include_str!("../guide.svg")),
        ("module/other/lesson.md", OTHER),
    ] {
        files.insert(path.to_owned(), text.as_bytes().to_vec());
    }
    Course::parse(&files)
}

fn guide() -> Course {
    course(str::to_owned).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

#[test]
fn the_guide_renders_as_in_the_picture() {
    let course = guide();
    assert_eq!(course.warnings, Vec::new());
    let lesson = course.lesson("module/guide").expect("the guide").lesson;
    insta::assert_snapshot!("guide", lesson.html);
    insta::assert_debug_snapshot!("guide_headings", lesson.headings);
    insta::assert_debug_snapshot!("guide_commands", lesson.commands);
    insta::assert_debug_snapshot!("guide_quiz", lesson.quiz.as_ref().map(bulkhead_content::Quiz::public));
}

#[test]
fn keys_stay_out_of_the_page_and_of_search() {
    let course = guide();
    let html = &course.lesson("module/guide").expect("the guide").lesson.html;
    assert!(
        !html.contains("[[questions]]")
            && !html.contains("own words\", why")
            && !html.contains("the lint compares them")
    );
    assert!(course.search("lint compares contract", 10).iter().all(|hit| !hit.excerpt_html.contains("compares")));
}

#[test]
fn lessons_know_their_neighbours() {
    let course = guide();
    assert_eq!(course.next("module/guide").map(|placed| placed.lesson.path.as_str()), Some("module/other"));
    assert_eq!(course.previous("module/other").map(|placed| placed.lesson.path.as_str()), Some("module/guide"));
    assert!(
        course.next("module/other").is_none()
            && course.previous("module/guide").is_none()
            && course.next("no/where").is_none()
    );
    assert_eq!(course.lesson_by_id("other").map(|placed| placed.module.number), Some(1));
}

#[test]
fn search_finds_sections_in_spite_of_slips() {
    let course = guide();
    let first = |query: &str| {
        course.search(query, 5).into_iter().next().map(|hit| (hit.anchor.unwrap_or_default(), hit.excerpt_html))
    };
    assert_eq!(first("alerts").map(|hit| hit.0).as_deref(), Some("alerts"));
    let (anchor, excerpt) = first("shortcutt").expect("a hit");
    assert_eq!(anchor, "alerts");
    assert!(excerpt.contains("<mark>shortcut</mark>"), "{excerpt}");
    assert!(first("live-restore").is_some_and(|(anchor, _)| anchor == "code"));
    assert!(
        course.search("", 5).is_empty()
            && course.search("zzzzzzzz", 5).is_empty()
            && course.search("alerts", 0).is_empty()
    );
    assert!(course.search(&"docker ".repeat(1 << 20), 5).len() <= 5);
}

#[test]
fn every_fault_names_file_line_and_fix() {
    let line = |needle: &str| {
        let text = include_str!("../guide.md");
        let at = text.find(needle).expect("in the guide");
        1 + text[..at].matches('\n').count()
    };
    for (from, to, expected) in [
        ("title: Author guide", "title: Author Guide", "the outline's own words are \"Author guide\""),
        ("(#own-anchor)", "(#nowhere)", "no heading here has the anchor `nowhere`"),
        ("lesson.md#part", "lesson.md#gone", "`module/other` has no heading `gone`"),
        ("../../module/other/lesson.md", "../../module/gone/lesson.md", "there is no lesson `module/gone` yet"),
        ("lab:read-only-but-alive", "lab:gone", "no module lists the lab `gone`"),
        ("https://docs.kernel.org/", "javascript:alert(1)", "`javascript:alert(1)` leads nowhere"),
        ("https://docs.kernel.org/", "http://docs.kernel.org/", "leads nowhere"),
        ("## Text", "# Text", "a heading of level 1"),
        ("```bash testable", "```bash testabel", "unknown attribute `testabel`"),
        ("```toml", "```tmol", "unknown language `tmol`"),
        ("echo \"$HOME\"", "echo \u{201C}$HOME\u{201D}", "(U+201C) in code looks like ASCII"),
        ("![Two boxes, joined by an arrow from left to right](", "![](", "has no alternative text"),
        ("guide.svg", "gone.svg", "`module/guide/gone.svg` does not exist"),
        ("guide.svg", "../guide.svg", "is not an SVG file beside the page"),
        ("<kbd>Ctrl</kbd>", "<blink>Ctrl</blink>", "raw HTML `<blink>` is not allowed"),
        ("    date: \"2023-06-14\"\n", "", "has no date"),
    ] {
        let findings = course(|text| text.replacen(from, to, 1)).expect_err(expected);
        let found = findings.iter().find(|finding| finding.to_string().contains(expected));
        let found = found.unwrap_or_else(|| panic!("{expected}: {findings:#?}"));
        assert_eq!(found.file, "module/guide/lesson.md");
        assert!(!found.fix.is_empty(), "{found}");
        let around = line(from).abs_diff(found.line);
        assert!(around <= 2, "{found} should be at line {}", line(from));
    }
}
