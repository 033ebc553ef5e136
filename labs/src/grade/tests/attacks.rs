//! Attempts where an attacker would stand.

use bulkhead_agent::look::{Look, Seen};
use insta::assert_snapshot;

use super::{
    hosts::{OF, show, visitor},
    judge,
    recorded::Recorded,
};
use crate::grade::Verdict;

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
    let flag = super::context().variables.get("flag").unwrap().to_owned();
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
