use bulkhead_app::api::{
    course::Link,
    lab::{
        AnswerView, CheckView, HintView, LabCard, LabPage, MachineView, SandboxState, SandboxView, ScoreView,
        SolutionView, StepStatus, StepView, TaskView, TerminalView, Verdict,
    },
};

pub(crate) fn cards() -> Vec<LabCard> {
    let card = |id: &str, title: &str, summary: &str, best_score, passed, open| LabCard {
        id: id.into(),
        title: title.into(),
        summary: summary.into(),
        module: 2,
        difficulty: "medium".into(),
        minutes: 30,
        graded: true,
        best_score,
        passed,
        open,
        unmet: Vec::new(),
    };
    vec![
        card(
            "read-only-but-alive",
            "Read-only, but alive",
            "A shop was taken over: a web shell lies in its document root. Make the container unable to keep such a thing, and keep the shop open.",
            Some(60),
            false,
            true,
        ),
        card(
            "socket",
            "The socket is the host",
            "Find every container that could become root on this host.",
            None,
            false,
            false,
        ),
        card(
            "caps",
            "Fourteen too many",
            "Take capabilities away until the service complains, then give one back.",
            Some(100),
            true,
            false,
        ),
    ]
}

fn check(id: &str, title: &str, verdict: Option<Verdict>) -> CheckView {
    CheckView {
        id: id.into(),
        title: title.into(),
        verdict,
        running: false,
        expected: String::new(),
        observed: String::new(),
        why: String::new(),
        references: vec![],
        lesson: None,
        stale: false,
        tampered: vec![],
    }
}

fn tasks(graded: bool) -> Vec<TaskView> {
    let when = |verdict| if graded { Some(verdict) } else { None };
    let task = |id: &str, title: &str, body: &str, points, hints: &[Option<&str>], checks| TaskView {
        id: id.into(),
        title: title.into(),
        body_html: format!("<p>{body}</p>"),
        points,
        hints: hints.iter().zip(0..).map(|(html, index)| HintView { index, html: html.map(Into::into) }).collect(),
        checks,
        answer: None,
    };
    let mut find = task(
        "find",
        "Find what was dropped",
        "Name the file that does not come from the image.",
        10,
        &[None],
        vec![check("path", "The path of the web shell", None)],
    );
    find.answer = Some(AnswerView {
        check: "path".into(),
        label: "Full path inside the container".into(),
        submitted: Some("/srv/www/uploads/.cache.cgi".into()),
    });
    let writable = CheckView {
        expected: "the root mount of the web container is read-only".into(),
        observed:
            "812 640 0:57 / / rw,relatime master:251 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/5QX7…"
                .into(),
        why: "Whoever takes over the process can change the program that runs at the next start.".into(),
        references: vec!["CIS 5.13".into(), "NIST SP 800-190 4.4.4".into()],
        lesson: Some(Link { title: "Read-only root file systems".into(), href: "/learn/module/overlay".into() }),
        ..check("readonly", "The root file system is read-only", when(Verdict::Fail))
    };
    let unseen = CheckView {
        expected: "the upload answers 201 and the file is served back".into(),
        observed: String::new(),
        why: "the probe machine did not answer within 5 s; we look again with the next check".into(),
        ..check("uploads", "Uploads still work", when(Verdict::Unknown))
    };
    vec![
        find,
        task(
            "rootfs",
            "Make the root file system read-only",
            "The container with the label <code>role=web</code> must not be able to write to its own root. Replace it; keep its label, its volume and its port.",
            40,
            &[
                Some(
                    "<p>Every change of a running container’s root is a new container: <code>docker run --read-only …</code></p>",
                ),
                None,
            ],
            vec![writable, check("restart", "It holds after a restart of the engine", when(Verdict::Fail))],
        ),
        task(
            "alive",
            "Keep the shop open",
            "Visitors still read articles and upload pictures.",
            30,
            &[None, None],
            vec![check("reads", "Articles are served", when(Verdict::Pass)), unseen],
        ),
        task(
            "attack",
            "Survive our attack",
            "We drop a shell the way the intruder did, and try to run it.",
            20,
            &[None],
            vec![check("drop", "The dropped shell does not run", when(Verdict::Pass))],
        ),
    ]
}

pub(crate) fn idle() -> LabPage {
    LabPage {
        id: "read-only-but-alive".into(),
        title: "Read-only, but alive".into(),
        module: 2,
        module_title: "Docker Container Security".into(),
        difficulty: "medium".into(),
        minutes: 30,
        objectives: vec!["make a container unable to keep what an intruder drops".into(), "keep the service alive while you do".into()],
        story_html: r#"<p>Last night somebody uploaded more than a picture to the shop. The container was restarted; the visitor came back with it, because what he dropped lies in the writable layer.</p><figure class="code" data-kind="command" data-lang="bash"><figcaption class="code-head"><span class="code-lang">Shell</span><span class="code-actions"><button type="button" data-copy>Copy</button><button type="button" data-run>Run in terminal</button></span></figcaption><pre tabindex="0"><code><span class="line"><span class="hl-function">docker</span> ps <span class="hl-variable">--filter</span> label=role=web</span>
</code></pre></figure>"#.into(),
        machines: vec![
            MachineView { name: "host".into(), summary: "your Docker host; you are root".into(), terminal: true },
            MachineView { name: "probe".into(), summary: "visits the shop, as customers do".into(), terminal: false },
        ],
        tier: "userns: a user namespace of its own, seccomp, no outer network".into(),
        limit_minutes: 60,
        pass: 80,
        tasks: tasks(false),
        sandbox: None,
        score: None,
        best: None,
        attempts: 0,
        solution: SolutionView::Locked { tries_left: 3 },
        lessons: vec![Link { title: "Read-only root file systems".into(), href: "/learn/module/overlay".into() }],
        unmet: vec![],
    }
}

pub(crate) fn elsewhere() -> LabPage {
    LabPage { unmet: vec!["This lab needs cgroup v2; here is v1.".into()], ..idle() }
}

fn sandbox(state: SandboxState, steps: Vec<StepView>) -> SandboxView {
    SandboxView {
        id: "sb-7f3a".into(),
        lab: "read-only-but-alive".into(),
        state,
        steps,
        expires_at: None,
        extend_minutes: 15,
        terminals: vec![],
        error: None,
    }
}

fn steps(status: [(StepStatus, Option<u64>); 5]) -> Vec<StepView> {
    let all = [
        (SandboxState::Queued, "Queued"),
        (SandboxState::Creating, "Create the sandbox"),
        (SandboxState::Booting, "Boot host and probe"),
        (SandboxState::SettingUp, "Set up the shop"),
        (SandboxState::Ready, "Ready"),
    ];
    all.into_iter()
        .zip(status)
        .map(|((state, label), (status, millis))| StepView { state, label: label.into(), status, millis })
        .collect()
}

pub(crate) fn starting() -> LabPage {
    use StepStatus::{Done, Running, Waiting};
    let steps = steps([(Done, Some(2)), (Done, Some(412)), (Running, Some(1_300)), (Waiting, None), (Waiting, None)]);
    LabPage { sandbox: Some(sandbox(SandboxState::Booting, steps)), ..idle() }
}

pub(crate) fn failed() -> LabPage {
    use StepStatus::{Done, Failed, Waiting};
    let steps = steps([(Done, Some(2)), (Failed, Some(10_412)), (Waiting, None), (Waiting, None), (Waiting, None)]);
    let error = "The engine did not create the container within 10 s: no space left on device. Free some space, or ask the operator to run `bulkhead doctor`.";
    LabPage {
        sandbox: Some(SandboxView { error: Some(error.into()), ..sandbox(SandboxState::Failed, steps) }),
        ..idle()
    }
}

pub(crate) fn expired() -> LabPage {
    LabPage { sandbox: Some(sandbox(SandboxState::Expired, vec![])), ..idle() }
}

pub(crate) fn running() -> LabPage {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let now = i64::try_from(now).expect("before the year 292 million");
    let score = |score| ScoreView { attempt: 3, score, passed: false, gated: false, at: "2026-11-24T10:31:00Z".into() };
    let terminal = |id| TerminalView { id, machine: "host".into(), title: format!("host {id}") };
    LabPage {
        sandbox: Some(SandboxView {
            expires_at: Some(now + 47 * 60_000 + 12_000),
            terminals: vec![terminal(1), terminal(2)],
            ..sandbox(SandboxState::Ready, vec![])
        }),
        tasks: tasks(true),
        score: Some(score(35)),
        best: Some(score(60)),
        attempts: 3,
        solution: SolutionView::Open {
            html: "<p>Run it again with <code>--read-only</code> and a tmpfs on <code>/run</code>.</p>".into(),
        },
        ..idle()
    }
}
