//! Markdown that wants to hurt: nothing panics, nothing takes long, nothing active reaches a page.

use bulkhead_content::{Course, Files, render_fragment};

/// Attributes and elements that a page of ours never holds, whoever wrote the Markdown.
fn assert_inert(html: &str) {
    let lower = html.to_lowercase();
    for active in [
        "<script",
        "<iframe",
        "<object",
        "<style",
        "<form",
        "<img",
        "javascript:",
        " onerror=",
        " onload=",
        " onclick=",
        " style=",
    ] {
        let active_tag = lower.match_indices(active).any(|(at, _)| is_in_tag(&lower, at));
        assert!(!active_tag, "{active} in {html}");
    }
}

/// Escaped text may say anything; only inside a tag does it mean something.
fn is_in_tag(html: &str, at: usize) -> bool {
    html.as_bytes()[at] == b'<' || html[..at].rfind('<') > html[..at].rfind('>')
}

#[test]
fn nothing_active_passes() {
    for markdown in [
        "<script>alert(1)</script>",
        "text <script src=//evil.example></script> text",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<details open ontoggle=alert(1)><summary>x</summary></details>",
        "<p style=\"position:fixed\">x</p>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<form action=/sign-out method=post><button>x</button></form>",
        "<button data-run>x</button>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        "[x][y]\n\n[y]: javascript:alert(1)",
        "![x](javascript:alert(1))",
        "![x\" onerror=\"alert(1)](../../secret.svg)",
        "[x](https://e.example/\"onclick=\"alert(1))",
        "```bash title=\"<script>alert(1)</script>\"\nx\n```",
        "```\"><script>alert(1)</script>\nx\n```",
        "```console\n$ <script>alert(1)</script>\n\"><img src=x onerror=alert(1)>\n```",
        "```bash save-as=\"x\"onmouseover=alert(1)\nx\n```",
        "## <img src=x onerror=alert(1)> {#x onclick=alert(1)}",
        "## x {#\"><script>alert(1)</script>}",
        "<!-- task: \"><script>alert(1)</script> -->",
        "<!-- --><script>alert(1)</script><!-- -->",
        "[^1]\n\n[^1]: <script>alert(1)</script>",
        "|<script>alert(1)</script>|\n|---|\n|<img src=x onerror=alert(1)>|",
        "> [!NOTE]\n> <script>alert(1)</script>",
        "\u{E000}0\u{E001}",
        "x\u{202E}gnp.exe",
        "\0<script>alert(1)</script>",
    ] {
        let fragment = render_fragment("hostile.md", markdown);
        assert_inert(&fragment.html);
        assert!(!fragment.html.contains('\u{E000}'), "{markdown}");
    }
}

#[test]
fn a_button_can_only_be_ours() {
    let html = render_fragment(
        "x.md",
        "<button data-run data-source='rm -rf /'>x</button>\n\n<figure class=code data-source=x>y</figure>",
    )
    .html;
    assert!(!html.contains("data-") && !html.contains("<button"), "{html}");
}

#[test]
fn size_and_depth_are_bounded() {
    let began = std::time::Instant::now();
    for markdown in [
        "x".repeat(10 << 20),
        "x\n".repeat(5 << 20),
        format!("```bash\n{}\n```", "x".repeat(10 << 20)),
        "> ".repeat(4_000),
        "> x\n".repeat(100_000),
        format!("{}x", "> ".repeat(3_000)),
        "- ".repeat(4_000),
        (0..400).flat_map(|depth| ["  ".repeat(depth), "- x\n".to_owned()]).collect(),
        "*a **b ".repeat(1_000),
        "<div>".repeat(1_500),
        format!("{}\n", "<div>".repeat(100)).repeat(1_000),
        "[".repeat(8_000),
        "![".repeat(4_000),
        "`".repeat(8_000),
        "[a](".repeat(2_000),
        "\\".repeat(8_000),
        format!("|{}\n|{}\n", "a|".repeat(2_000), "-|".repeat(2_000)),
        "&#x0;&#xD800;&#x110000;".repeat(300),
        "<!-- task: a -->\n\n".repeat(10_000),
        "[^a]: [^a]\n".repeat(10_000),
        "## a\n".repeat(10_000),
        "```bash\nx\n```\n".repeat(3_000),
    ] {
        let fragment = render_fragment("long.md", &markdown);
        assert_inert(&fragment.html);
    }
    assert!(began.elapsed().as_secs() < 60, "took {:?}", began.elapsed());
}

#[test]
fn a_long_line_is_refused_with_its_number() {
    let fragment = render_fragment("long.md", &format!("fine\n\n{}\n", "x".repeat(9_000)));
    assert_eq!(
        fragment.findings[0].to_string(),
        "long.md:3: error: a line of 9000 bytes\n    fix: break it below 8192 bytes"
    );
    assert!(fragment.html.is_empty());
}

#[test]
fn any_bytes_as_a_course_give_findings_not_panics() {
    for bytes in [&b""[..], b"\xff\xfe\x00", b"[[module]]", b"title = 1", "[".repeat(100_000).as_bytes()] {
        let files = Files::from([("course.toml".to_owned(), bytes.to_vec())]);
        assert!(!Course::parse(&files).expect_err("refused").is_empty());
    }
    assert_eq!(Course::parse(&Files::new()).expect_err("refused")[0].file, "course.toml");
}

#[test]
fn any_bytes_as_a_lesson_give_findings_not_panics() {
    let outline = "title=\"t\"\nsummary=\"s\"\n[[module]]\nslug=\"m\"\ntitle=\"t\"\nsummary=\"s\"\n[[module.section]]\nlessons=[{slug=\"l\",title=\"t\"}]\n";
    let levels: Vec<String> = (1..60).map(|at| format!("a{at}: &a{at} [*a{0}, *a{0}, *a{0}]\n", at - 1)).collect();
    let bomb = format!("---\na0: &a0 [x]\n{}---\n", levels.concat());
    for bytes in
        [&b""[..], b"\xff", b"---\n", b"---\n---\n", b"---\nid: [\n---\nx", b"---\r\nid: x\r\n---\r\n", bomb.as_bytes()]
    {
        let files = Files::from([
            ("course.toml".to_owned(), outline.as_bytes().to_vec()),
            ("m/l/lesson.md".to_owned(), bytes.to_vec()),
        ]);
        let findings = Course::parse(&files).expect_err("refused");
        assert!(findings.iter().all(|finding| finding.file == "m/l/lesson.md"), "{findings:?}");
    }
}
