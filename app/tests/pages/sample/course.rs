use bulkhead_app::api::course::{
    Answer, GlossaryTerm, Heading, LabLink, LessonEntry, LessonPage, LessonState, Link, Mark, ModuleEntry, OptionMark,
    Outline, Printed, Question, QuestionKind, Quiz, QuizResult, Reference, SearchHit, SectionEntry,
};
use bulkhead_app::api::print::{LessonSummary, PrintedLesson, PrintedModule, SummarySheet, WholeCourse};

fn lesson_entry(id: &str, title: &str, minutes: u16, state: LessonState) -> LessonEntry {
    let href = (state != LessonState::ToCome).then(|| format!("/learn/module/{id}"));
    LessonEntry { id: id.into(), title: title.into(), href, minutes, state }
}

fn section(title: &str, lessons: Vec<LessonEntry>) -> SectionEntry {
    SectionEntry { title: title.into(), lessons }
}

fn module(number: u8, title: &str, summary: &str, sections: Vec<SectionEntry>, labs: Vec<LabLink>) -> ModuleEntry {
    ModuleEntry {
        number,
        slug: format!("module-{number}"),
        title: title.into(),
        summary: summary.into(),
        sections,
        labs,
        test: (number == 2).then(|| super::test::link(Some(number))),
    }
}

fn lab_link(best_score: Option<u8>) -> LabLink {
    LabLink {
        id: "read-only-but-alive".into(),
        title: "Read-only, but alive".into(),
        href: "/labs/read-only-but-alive".into(),
        minutes: 30,
        best_score,
    }
}

pub(crate) fn empty() -> Outline {
    Outline { title: "Docker Security - Internals".into(), modules: vec![], resume: None, final_test: None }
}

pub(crate) fn outline() -> Outline {
    use LessonState::{Done, Read, ToCome, Unread};
    let to_come = |id: &str, title: &str| lesson_entry(id, title, 0, ToCome);
    Outline {
        title: "Docker Security - Internals".into(),
        resume: Some("/learn/module/overlay".into()),
        final_test: Some(super::test::link(None)),
        modules: vec![
            module(
                1,
                "Introduction to Docker Security",
                "What a container is made of, what the engine is trusted with, and what goes wrong first.",
                vec![
                    section(
                        "Overview of Docker",
                        vec![
                            lesson_entry("containerization", "Understanding Docker and Containerization", 25, Done),
                            lesson_entry(
                                "components",
                                "Key Components: Images, Containers, Registries, Daemon",
                                30,
                                Read,
                            ),
                        ],
                    ),
                    section(
                        "Docker Security Fundamentals",
                        vec![
                            lesson_entry("importance", "Importance of Docker Security", 20, Unread),
                            lesson_entry("risks", "Common Security Risks and Challenges", 25, Unread),
                        ],
                    ),
                ],
                vec![],
            ),
            module(
                2,
                "Docker Container Security",
                "Images that carry little, containers that may do little, file systems that keep nothing.",
                vec![
                    section(
                        "Secure Container Images",
                        vec![
                            to_come("images", "Building Secure Images"),
                            to_come("scan", "Scanning Images for Vulnerabilities"),
                        ],
                    ),
                    section(
                        "Container Runtime Security",
                        vec![
                            lesson_entry("overlay", "Read-only root file systems", 30, Unread),
                            to_come("caps", "Capabilities and Seccomp"),
                        ],
                    ),
                ],
                vec![lab_link(Some(60))],
            ),
            module(
                3,
                "Docker Host Security",
                "The engine runs as root on a host; so does whoever reaches it.",
                vec![section("Hardening the Host", vec![to_come("host", "Securing the Docker Host")])],
                vec![],
            ),
        ],
    }
}

const HTML: &str = r##"<p>A container’s root file system is a stack of read-only layers with one writable layer on top. Whoever takes over a process in it writes there first: a web shell into the document root, a miner into <code>/tmp</code>, a key into <code>~/.ssh</code>.</p>
<h2 id="what-overlay-does">What overlay does<a class="anchor" href="#what-overlay-does" aria-label="Link to: What overlay does">#</a></h2>
<p>The mount says it plainly. <em>lowerdir</em> holds the image, <em>upperdir</em> takes what changes. With <code>--read-only</code> the engine asks the kernel for the same mount, <strong>without</strong> the right to write:</p>
<figure class="code" data-kind="command" data-lang="bash"><figcaption class="code-head"><span class="code-title">on the host</span><span class="code-lang">Shell</span><span class="code-actions"><button type="button" data-copy>Copy</button><button type="button" data-run>Run in terminal</button></span></figcaption><pre tabindex="0"><code><span class="line"><span class="hl-comment"># what the kernel sees, not what was asked for</span></span>
<span class="line"><span class="hl-variable">pid</span><span class="hl-operator">=</span>$(<span class="hl-function">docker</span> inspect <span class="hl-variable">-f</span> <span class="hl-string">'{{.State.Pid}}'</span> web)</span>
<span class="line marked"><span class="hl-function">grep</span> <span class="hl-string">' / / '</span> /proc/<span class="hl-variable">$pid</span>/mountinfo</span>
</code></pre></figure>
<figure class="code" data-kind="output"><figcaption class="code-head"><span class="code-lang">Expected output</span><span class="code-actions"></span></figcaption><pre tabindex="0"><code><span class="line">812 640 0:57 / / <b>ro</b>,relatime master:251 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/5QX…</span>
</code></pre></figure>
<div role="note" class="alert alert-note"><p class="alert-label">Note</p>
<p>The first <code>ro</code> is the mount’s flag. The second <code>rw</code> belongs to the superblock and is shared by every mount of it.</p></div>
<h2 id="what-still-writes">What still has to write</h2>
<p>Most services write something: a pid file, a cache, uploads. Give each its own place, as small as it may be.</p>
<div class="table-scroll" tabindex="0"><table><thead><tr><th>Path</th><th>Kind</th><th>Options</th><th align="right">Size</th></tr></thead><tbody><tr><td><code>/run</code></td><td>tmpfs</td><td><code>noexec,nosuid,nodev</code></td><td align="right">4 MiB</td></tr><tr><td><code>/tmp</code></td><td>tmpfs</td><td><code>noexec,nosuid,nodev</code></td><td align="right">16 MiB</td></tr><tr><td><code>/srv/uploads</code></td><td>volume</td><td><code>nosuid,nodev</code></td><td align="right">-</td></tr></tbody></table></div>
<h3 id="not-a-bind-mount">Not a bind mount of the host</h3>
<ul><li>A bind mount is as writable as the host’s directory under it.</li><li>It survives the container, and so does what was dropped there.</li></ul>
<div role="note" class="alert alert-warning"><p class="alert-label">Warning</p>
<p>A read-only root does not stop code that never touches the disk.</p></div>
<figure class="diagram"><svg role="img" aria-label="Two layers below, one above" viewBox="0 0 420 150" width="420" fill="none"><rect class="dg-box" x="20" y="90" width="380" height="40" rx="4"/><text class="dg-text" x="40" y="115">image layers</text><text class="dg-mono" x="290" y="115">lowerdir</text><rect class="dg-box dg-danger" x="20" y="30" width="380" height="40" rx="4"/><text class="dg-text" x="40" y="55">writable layer</text><text class="dg-mono" x="290" y="55">upperdir</text><line class="dg-dashed" x1="20" y1="80" x2="400" y2="80"/></svg><figcaption>With --read-only the upper layer is there, but nothing may write through the mount.</figcaption></figure>"##;

pub(crate) fn questions() -> Vec<Question> {
    vec![
        Question {
            id: "mount".into(),
            prompt_html: "A container runs with <code>--read-only</code>. What does its process get when it opens <code>/etc/passwd</code> for writing?".into(),
            printed: None,
            kind: QuestionKind::Single {
                options_html: vec!["<code>EACCES</code>, because of the file’s mode".into(), "<code>EROFS</code>, from the mount".into(), "It succeeds, in the upper layer".into()],
            },
        },
        Question {
            id: "still".into(),
            prompt_html: "Which of these stay writable?".into(),
            printed: None,
            kind: QuestionKind::Multiple { options_html: vec!["A tmpfs on <code>/tmp</code>".into(), "A named volume".into(), "The image’s <code>/var/www</code>".into()] },
        },
        Question { id: "flag".into(), prompt_html: "Which mount option keeps a dropped binary on a tmpfs from being started?".into(), printed: None, kind: QuestionKind::Short },
        Question {
            id: "layers".into(),
            prompt_html: "In which order does the kernel look for a file?".into(),
            printed: Some(Printed {
                command: Some("grep ' / / ' /proc/self/mountinfo".into()),
                output: "812 640 0:57 / / ro,relatime - overlay overlay rw,lowerdir=<a>:<b>,upperdir=<c>".into(),
            }),
            kind: QuestionKind::Order { items_html: vec!["<code>b</code>".into(), "<code>c</code>".into(), "<code>a</code>".into()] },
        },
    ]
}

pub(crate) fn lesson() -> LessonPage {
    let heading = |level, text: &str, anchor: &str| Heading { level, text: text.into(), anchor: anchor.into() };
    LessonPage {
        id: "overlay".into(),
        title: "Read-only root file systems".into(),
        summary: "Why a container that cannot write to itself is worth more than one that is scanned, and what it needs to stay alive.".into(),
        module_number: 2,
        module_title: "Docker Container Security".into(),
        module_href: "/#module-2".into(),
        section_title: "Container Runtime Security".into(),
        minutes: 30,
        updated: "2026-11-20".into(),
        objectives: vec![
            "tell a read-only mount from a read-only file by what the kernel answers".into(),
            "give a service exactly the writable places that it needs".into(),
            "prove that a dropped web shell neither stays nor runs".into(),
        ],
        html: HTML.into(),
        headings: vec![
            heading(2, "What overlay does", "what-overlay-does"),
            heading(2, "What still has to write", "what-still-writes"),
            heading(3, "Not a bind mount of the host", "not-a-bind-mount"),
        ],
        references: vec![
            Reference { title: "CIS Docker Benchmark 1.6.0, 5.13".into(), url: None, date: Some("2023-06".into()) },
            Reference { title: "Overlay Filesystem, kernel documentation".into(), url: Some("https://docs.kernel.org/filesystems/overlayfs.html".into()), date: None },
        ],
        quiz: Some(Quiz { lesson: "module/overlay".into(), questions: questions(), result: None }),
        labs: vec![lab_link(None)],
        previous: Some(Link { title: "Scanning Images for Vulnerabilities".into(), href: "/learn/module/scan".into() }),
        next: Some(Link { title: "Capabilities and Seccomp".into(), href: "/learn/module/caps".into() }),
        state: LessonState::Read,
    }
}

pub(crate) fn answered() -> LessonPage {
    let why = |right, why: &str| OptionMark { right, place: None, why_html: why.into() };
    let mark = |question: &str, choices: Vec<usize>, text: &str, correct, why| Mark {
        question: question.into(),
        answer: Answer { question: question.into(), choices, text: text.into() },
        correct,
        why,
    };
    let mut lesson = lesson();
    if let Some(quiz) = &mut lesson.quiz {
        quiz.result = Some(QuizResult {
            correct: 2,
            total: 4,
            passed: false,
            marks: vec![
                mark(
                    "mount",
                    vec![0],
                    "",
                    false,
                    vec![
                        why(false, "Root passes the mode; the answer would be another for nobody."),
                        why(true, "The mount is read-only, so the kernel refuses before it looks at the file."),
                        why(false, "There is an upper layer, but no writing through this mount."),
                    ],
                ),
                mark(
                    "still",
                    vec![0, 1],
                    "",
                    true,
                    vec![
                        why(true, "It is a mount of its own."),
                        why(true, "It is a mount of its own, and outlives the container."),
                        why(false, "It belongs to the root mount."),
                    ],
                ),
                mark(
                    "flag",
                    vec![],
                    "noexec",
                    true,
                    vec![why(true, "<code>noexec</code> refuses <code>execve</code> of anything on that mount.")],
                ),
                mark(
                    "layers",
                    vec![1, 0, 2],
                    "",
                    false,
                    vec![
                        OptionMark { place: Some(2), ..why(false, "The lowest layer is asked last.") },
                        OptionMark { place: Some(0), ..why(true, "What was changed hides what was there.") },
                        OptionMark { place: Some(1), ..why(false, "The left of two lower layers is the upper one.") },
                    ],
                ),
            ],
        });
    }
    lesson
}

pub(crate) fn hits() -> Vec<SearchHit> {
    vec![
        SearchHit {
            title: "What overlay does".into(),
            lesson: "Read-only root file systems".into(),
            href: "/learn/module/overlay#what-overlay-does".into(),
            excerpt_html: "The mount says it plainly: <mark>overlay</mark> with a <em>lowerdir</em> …".into(),
        },
        SearchHit {
            title: "The store under /var/lib/docker".into(),
            lesson: "Key Components".into(),
            href: "/learn/module/components#store".into(),
            excerpt_html: "… one folder a layer below <mark>overlay</mark>2, and a link with a short name …".into(),
        },
    ]
}

pub(crate) fn glossary() -> Vec<GlossaryTerm> {
    let term = |term: &str, definition: &str, lesson: Option<Link>| GlossaryTerm {
        term: term.into(),
        aliases: vec![format!("{term} (another form)")],
        definition_html: definition.into(),
        anchor: format!("term-{term}"),
        lesson,
    };
    let lesson = Link { title: "Read-only root file systems".into(), href: "/learn/module/overlay".into() };
    vec![
        term("overlay", "A file system that shows several directories as one.", Some(lesson)),
        term("overlap", "Two things in one place.", None),
        term("tmpfs", "A file system in memory, mounted with <code>mount -t tmpfs</code>.", None),
    ]
}

pub(crate) fn summary() -> SummarySheet {
    let summary = |title: &str| LessonSummary {
        title: title.into(),
        href: "/learn/module/overlay".into(),
        objectives: lesson().objectives,
        takeaways_html: Some("<ul><li>A mount says <code>ro</code>.</li><li>A volume outlives it.</li></ul>".into()),
        commands: vec!["docker run --read-only --tmpfs /tmp:size=16m web".into(), "findmnt /".into()],
    };
    SummarySheet {
        number: 2,
        title: "Summary: Docker Container Security".into(),
        summary: "Build images that carry `nothing`.".into(),
        module: Link { title: "2 Docker Container Security".into(), href: "/#module-2".into() },
        lessons: vec![summary("Read-only root file systems"), summary("Capabilities"), summary("Seccomp")],
    }
}

pub(crate) fn whole() -> WholeCourse {
    let printed = |anchor: &str| PrintedLesson {
        anchor: anchor.into(),
        title: "Read-only root file systems".into(),
        section: "Container Runtime Security".into(),
        summary: lesson().summary,
        updated: "2026-11-20".into(),
        objectives: lesson().objectives,
        html: "<p>Text.</p><h4>Part</h4><p>More.</p>".into(),
        references: lesson().references,
    };
    let module = |number, lessons| PrintedModule {
        number,
        title: format!("Module {number}"),
        summary: "What it is about.".into(),
        lessons,
    };
    WholeCourse {
        title: "Docker Security - Internals".into(),
        summary: "What holds, and what does not.".into(),
        modules: vec![module(1, vec![printed("a--a"), printed("a--b")]), module(2, vec![printed("b--a")])],
        glossary: glossary(),
    }
}
