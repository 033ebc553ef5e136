//! Notes where a lesson first uses a term.

use bulkhead_content::{Course, Files};

const OUTLINE: &str = "title=\"t\"\nsummary=\"s\"\n[[module]]\nslug=\"m\"\ntitle=\"t\"\nsummary=\"s\"\n[[module.section]]\nlessons=[{slug=\"l\",title=\"T\"}]\n";
const GLOSSARY: &str = "[[term]]\nterm = \"shim\"\ndefinition = \"Holds `stdio` <b>open</b>.\"\nlesson = \"m/l\"\n[[term]]\nterm = \"user namespace\"\ndefinition = \"Maps ids.\"\n[[term]]\nterm = \"namespace\"\ndefinition = \"A view.\"\n";

fn course(body: &str, glossary: &str) -> Result<Course, Vec<bulkhead_content::Diagnostic>> {
    let lesson = format!(
        "---\nid: l\ntitle: T\nsummary: s\nstatus: draft\nminutes: 1\nobjectives: [x]\nrefs: [{{title: R, date: \"2025\"}}]\nupdated: \"2026-11-24\"\n---\n{body}"
    );
    let files = [("course.toml", OUTLINE), ("m/l/lesson.md", &lesson), ("glossary.toml", glossary)];
    Course::parse(&files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into_iter().collect::<Files>())
}

fn html(body: &str) -> String {
    let course = course(body, GLOSSARY).unwrap_or_else(|findings| panic!("{findings:#?}"));
    course.lesson("m/l").expect("the lesson").lesson.html.clone()
}

#[test]
fn the_first_use_has_a_note_and_no_other() {
    let html = html("The shim, again the *shim*. Shims.\n\nA user namespace is a namespace.\n");
    assert_eq!(html.matches("class=\"gloss\"").count(), 3);
    assert!(html.contains(
        "The <button type=\"button\" class=\"gloss\" popovertarget=\"note-shim\" aria-describedby=\"note-shim\">shim</button><span class=\"gloss-note\" id=\"note-shim\" popover=\"\" role=\"tooltip\"><b>shim</b> Holds <code>stdio</code> &lt;b&gt;open&lt;/b&gt;.</span>, again"
    ), "{html}");
    assert!(html.contains(">user namespace</button>") && html.contains(">namespace</button>"));
}

#[test]
fn no_control_stands_in_another() {
    let html = html(
        "## The shim\n\n[the shim](https://example.org/) `shim` **a namespaces**\n\n| shim |\n|---|\n| a |\n\n<details><summary>shim</summary>\n\ntext\n\n</details>\n\n```text\nshim\n```\n",
    );
    assert_eq!(html.matches("class=\"gloss\"").count(), 1, "{html}");
    assert!(html.contains("<strong>a <button"));
}

#[test]
fn search_and_words_do_not_see_the_notes() {
    let course = course("## Part\n\nThe shim.\n", GLOSSARY).expect("loads");
    assert!(course.search("stdio", 5).is_empty());
    assert_eq!(course.lesson("m/l").expect("the lesson").lesson.words, 2);
    assert_eq!(
        course.glossary.iter().map(|term| term.term.as_str()).collect::<Vec<_>>(),
        ["namespace", "shim", "user namespace"]
    );
}

#[test]
fn a_fault_names_the_glossary() {
    let findings = course("Text.\n", &GLOSSARY.replace("m/l", "m/gone")).expect_err("refused");
    assert!(
        findings[0].to_string().starts_with("glossary.toml:1: error: the outline has no lesson `m/gone`"),
        "{findings:?}"
    );
}
