//! Attempts where an attacker would stand.

use std::time::Duration;

use bulkhead_agent::look::{Look, Seen, errand::Errand};
use insta::assert_snapshot;

use super::{
    context,
    hosts::{OF, show, visitor},
    judge, lab_with,
    recorded::Recorded,
};
use crate::grade::{Context, Verdict, grade_lab};

fn is_visit(look: &Look) -> bool {
    matches!(look, Look::Visit { .. })
}

fn met(seen: Vec<Seen>) -> Seen {
    Seen::Visit { visitor: Some(visitor()), met: seen }
}

fn word(errno: &str) -> Seen {
    Seen::Attempt { errno: Some(errno.into()) }
}

#[tokio::test]
async fn attack_by_calls_wants_the_containers_own_filter_to_refuse() {
    let check = format!(
        "kind = \"attack\"\n{OF}[[task.check.attempt]]\ncall = \"mount\"\n[[task.check.attempt]]\ncall = \"bpf\""
    );
    let mut recorded = Recorded::with(&["hard"]);
    recorded.on(is_visit, met(vec![word("ENOENT"), word("EPERM")]));
    assert_snapshot!(show(&recorded, &check).await, @"fail (breach) | in the cms container, the call mount gives EPERM or ENOSYS or SIGSYS and the call bpf gives EPERM or ENOSYS or SIGSYS | the call mount gets through to the kernel (ENOENT) | Not yet.");
    recorded.on(is_visit, met(vec![word("EPERM"), word("EPERM")]));
    // The sandbox refuses bpf whatever the container's filter says.
    assert_snapshot!(show(&recorded, &check).await, @"unknown | in the cms container, the call mount gives EPERM or ENOSYS or SIGSYS and the call bpf gives EPERM or ENOSYS or SIGSYS |  | what the runtime was given for this container is not where it is kept");
    let id = recorded
        .engine
        .keys()
        .find_map(|path| path.strip_prefix("/containers/")?.strip_suffix("/json"))
        .unwrap()
        .to_owned();
    let path = format!("/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/{id}/config.json");
    for (spec, verdict) in [
        ("{}", Verdict::Fail),
        ("{\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}", Verdict::Fail),
        ("{\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\"}}}", Verdict::Pass),
        ("nonsense", Verdict::Unknown),
    ] {
        recorded.file(0, &path, spec, 0o600);
        assert_eq!(judge(&recorded, &check).await.verdict, verdict, "{spec}");
    }
}

#[tokio::test]
async fn attack_on_files_knows_what_the_attacker_is_after() {
    let check = format!(
        "kind = \"attack\"\n{OF}[[task.check.attempt]]\nread = \"/proc/1/root/root/flag\"\nfinds = \"{{{{flag}}}}\"\n[[task.check.attempt]]\nenter = \"/root/flag\"\n[[task.check.attempt]]\nmount_at = \"/tmp\""
    );
    let mut recorded = Recorded::with(&["hard"]);
    let flag = context().variables.get("flag").unwrap().to_owned();
    let text = |text: &str| Seen::Text { text: text.into(), truncated: false };
    recorded.on(is_visit, met(vec![text("another file"), word("EPERM"), word("EPERM")]));
    assert_eq!(judge(&recorded, &check).await.verdict, Verdict::Pass);
    recorded.on(is_visit, met(vec![text(&flag), word("EPERM"), word("ENOENT")]));
    let result = judge(&recorded, &check).await;
    assert!(result.verdict == Verdict::Fail && result.breach && !format!("{result:?}").contains(&flag), "{result:?}");
    assert!(result.observed.contains("there is no /tmp"), "{result:?}");
    recorded.on(is_visit, met(vec![word("ENOENT"), text("anything"), Seen::Attempt { errno: None }]));
    let result = judge(&recorded, &check).await;
    assert_eq!(
        result.observed,
        "entering the mounts of process 1 and reading /root/flag worked; mounting a tmpfs on /tmp worked"
    );
    for odd in [vec![], vec![text(""); 2], vec![Seen::Missing; 3], vec![Seen::NoAnswer { why: "x".into() }; 3]] {
        recorded.on(is_visit, met(odd));
        assert_eq!(judge(&recorded, &check).await.verdict, Verdict::Unknown);
    }
}

#[tokio::test]
async fn attack_by_socket_knows_who_answered() {
    let attempt = |keys: &str| {
        format!(
            "kind = \"attack\"\n{OF}[[task.check.attempt]]\nrequest = {{ host = \"sockproxy\", port = 2375, method = \"POST\", path = \"/containers/create\", body = \"{{}}\" }}\n{keys}"
        )
    };
    let answer = |status: u16, header: &str| Seen::Http {
        status,
        headers: vec![(header.into(), "1.45".into())],
        body: "{\"message\":\"no\"}".into(),
        truncated: false,
    };
    let mut recorded = Recorded::with(&["hard"]);
    for (seen, keys, verdict, breach) in [
        (answer(403, "Date"), "", Verdict::Pass, false),
        // The engine itself refused the body: the proxy let the request through.
        (answer(400, "Api-Version"), "", Verdict::Fail, true),
        (answer(201, "Date"), "", Verdict::Fail, true),
        (answer(502, "Date"), "", Verdict::Fail, false),
        (answer(405, "Date"), "status = [403, 405]", Verdict::Pass, false),
        (Seen::NoAnswer { why: "ECONNREFUSED".into() }, "", Verdict::Fail, false),
        (Seen::NoAnswer { why: "ENOENT".into() }, "silent = true", Verdict::Pass, false),
    ] {
        recorded.on(is_visit, met(vec![seen.clone()]));
        let result = judge(&recorded, &attempt(keys)).await;
        assert_eq!((result.verdict, result.breach), (verdict, breach), "{seen:?}: {result:?}");
    }
}

#[tokio::test]
async fn attack_by_requests_may_count_silence() {
    let attack = |silent: &str, more: &str| {
        format!(
            "kind = \"attack\"\nport = 8080\n[[task.check.step]]\npath = \"/one\"\nport = 2375\nstatus = 403\nbreach = \"ApiVersion\"\n{silent}\n{more}"
        )
    };
    let silent = attack("silent = true", "");
    let mut recorded = Recorded::with(&["hard"]);
    let at_port = |recorded: &mut Recorded, seen: Seen| {
        recorded.on(|look| matches!(look, Look::Http { port: 2375, .. }), seen);
    };
    let answer =
        |status: u16, body: &str| Seen::Http { status, headers: Vec::new(), body: body.to_owned(), truncated: false };
    at_port(&mut recorded, Seen::NoAnswer { why: "ECONNREFUSED".into() });
    assert_snapshot!(show(&recorded, &silent).await, @"pass | our exploit against host:8080 is refused or not answered | host:2375 does not answer: ECONNREFUSED |");
    assert_snapshot!(show(&recorded, &attack("", "")).await, @"fail | our exploit against host:8080 is refused, while the service answers | host:2375 does not answer: ECONNREFUSED | Not yet. The attack could not be tried: a service that is down is not a service that is hardened.");
    at_port(&mut recorded, answer(403, "no"));
    assert_eq!(judge(&recorded, &silent).await.verdict, Verdict::Pass);
    at_port(&mut recorded, answer(200, "{\"ApiVersion\": 1}"));
    let result = judge(&recorded, &silent).await;
    assert!(result.verdict == Verdict::Fail && result.breach, "{result:?}");
    at_port(&mut recorded, answer(500, "oops"));
    assert_eq!(judge(&recorded, &silent).await.verdict, Verdict::Fail, "neither refused nor silent");

    // After silence the other steps are taken, unless they need what the silent one was to bring.
    at_port(&mut recorded, Seen::NoAnswer { why: "ECONNREFUSED".into() });
    let second = "[[task.check.step]]\npath = \"/two\"\nstatus = 403";
    recorded.on(|look| matches!(look, Look::Http { port: 8080, path, .. } if path == "/two"), answer(200, ""));
    assert_eq!(judge(&recorded, &attack("silent = true", second)).await.verdict, Verdict::Fail);
    let captures = attack("silent = true\ncapture = { id = \".json.Id\" }", second);
    assert_eq!(judge(&recorded, &captures).await.verdict, Verdict::Pass);
}

/// Silence that is right is not waited out, or every solved lab would take as long as a broken one.
#[tokio::test]
async fn silence_that_is_right_is_asked_for_once() {
    let check = "kind = \"attack\"\nport = 8080\n[[task.check.step]]\npath = \"/one\"\nport = 2375\nsilent = true\nbreach = \"x\"";
    let mut recorded = Recorded::with(&["hard"]);
    recorded.on(|look| matches!(look, Look::Http { port: 2375, .. }), Seen::NoAnswer { why: "x".into() });
    let context = Context { patience: Duration::from_mins(1), ..context() };
    let grading = grade_lab(&lab_with(check), &recorded, &context, &|_| ()).await;
    assert_eq!(grading.result("a").unwrap().verdict, Verdict::Pass);
    let asked = recorded.asked.lock().unwrap();
    let silent = asked.iter().flatten().filter(|look| matches!(look, Look::Http { port: 2375, .. })).count();
    assert_eq!(silent, 1);
}

#[tokio::test]
async fn attempts_wait_for_answers_as_long_as_is_said() {
    let check = |timeout: &str| {
        format!(
            "kind = \"attack\"\n{OF}[[task.check.attempt]]\nrequest = {{ host = \"::1\", port = 2375, path = \"/\" }}\nsilent = true\n{timeout}"
        )
    };
    for (keys, request, visit) in
        [("", 5_000, 15_000), ("timeout = \"300ms\"", 300, 10_300), ("timeout = \"1m\"", 10_000, 20_000)]
    {
        let mut recorded = Recorded::with(&["hard"]);
        recorded.on(is_visit, met(vec![Seen::NoAnswer { why: "ECONNREFUSED".into() }]));
        assert_eq!(judge(&recorded, &check(keys)).await.verdict, Verdict::Pass);
        let asked = recorded.asked.lock().unwrap();
        let found = asked.iter().flatten().find_map(|look| match look {
            Look::Visit { errands, timeout_ms, .. } => match errands.as_slice() {
                [Errand::Http { timeout_ms: of, host, .. }] => Some((*of, *timeout_ms, host.clone())),
                _ => None,
            },
            _ => None,
        });
        assert_eq!(found, Some((request, visit, "::1".to_owned())), "{keys}");
    }
}
