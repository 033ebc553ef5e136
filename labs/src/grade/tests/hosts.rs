//! Kinds about machines and what runs on them, on what was recorded and on what a hostile student makes of it.

use bulkhead_agent::{
    look::{
        Look, Seen,
        errand::Visitor,
        facts::{CgroupLevel, ProcessBrief, SocketFacts},
    },
    protocol::ExecResult,
};
use insta::assert_snapshot;
use serde_json::json;

use super::{
    judge, line,
    networks::socket,
    recorded::{Recorded, pid},
};
use crate::grade::Verdict;

pub(super) const OF: &str = "of = { role = \"cms\" }\n";

pub(super) async fn show(recorded: &Recorded, check: &str) -> String {
    line(&judge(recorded, check).await)
}

fn done(code: i32, stdout: &str) -> ExecResult {
    let stderr = String::new();
    ExecResult { code, stdout: stdout.into(), stderr, truncated: false, timed_out: false, millis: 5 }
}

#[tokio::test]
async fn exec_judges_codes_and_output() {
    let check = "kind = \"exec\"\nuser = \"dev1\"\n\
        [[task.check.run]]\nargv = [\"docker\", \"logs\", \"web\"]\nmatches = \"ready\"\n\
        [[task.check.run]]\nscript = \"docker run -v /:/h x\"\nfails = true\nlacks = \"panic\"";
    let mut recorded = Recorded::with(&[]);
    assert_snapshot!(show(&recorded, check).await, @"unknown | as dev1 on host, `docker logs web` works and `docker run -v /:/h x` is refused |  | there is no readable /etc/passwd on host");
    recorded.file(0, "/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644);
    assert_snapshot!(show(&recorded, check).await, @"fail | as dev1 on host, `docker logs web` works and `docker run -v /:/h x` is refused | there is no user dev1 on host | Not yet.");
    recorded.file(0, "/etc/passwd", "dev1:x:1501:1501::/:/bin/sh\n", 0o644);
    let is = |program: &'static str| move |look: &Look| matches!(look, Look::Exec(exec) if exec.uid == 1501 && exec.argv[0] == program);
    recorded.on(is("docker"), Seen::Exec(done(0, "ready")));
    recorded.on(is("/bin/sh"), Seen::Exec(done(1, "denied by policy")));
    assert_snapshot!(show(&recorded, check).await, @"pass | as dev1 on host, `docker logs web` works and `docker run -v /:/h x` is refused | `docker logs web` ended with 0: ready; `docker run -v /:/h x` ended with 1: denied by policy |");
    recorded.on(is("/bin/sh"), Seen::Exec(done(127, "docker: not found")));
    assert_snapshot!(show(&recorded, check).await, @"fail | as dev1 on host, `docker logs web` works and `docker run -v /:/h x` is refused | `docker run -v /:/h x` ended with 127: docker: not found | Not yet. The command could not be started, which is not the same as being refused.");
    recorded.on(is("/bin/sh"), Seen::Exec(done(0, "root:x:0:0")));
    assert_snapshot!(show(&recorded, check).await, @"fail | as dev1 on host, `docker logs web` works and `docker run -v /:/h x` is refused | `docker run -v /:/h x` ended with 0: root:x:0:0 | Not yet.");
    recorded.on(is("/bin/sh"), Seen::Exec(ExecResult { timed_out: true, ..done(137, "") }));
    assert_snapshot!(show(&recorded, check).await, @"fail | as dev1 on host, `docker logs web` works and `docker run -v /:/h x` is refused | `docker run -v /:/h x` did not end within 5000 ms | Not yet.");
}

/// A page of shell in what was seen leaves no room for what came of it.
#[tokio::test]
async fn exec_shows_the_beginning_of_a_long_command() {
    let check = format!("kind = \"exec\"\n[[task.check.run]]\nscript = '''{}tail'''", "test -e /x &&\n".repeat(20));
    let mut recorded = Recorded::with(&[]);
    recorded.on(|look| matches!(look, Look::Exec(_)), Seen::Exec(done(3, "no such file")));
    let result = judge(&recorded, &check).await;
    assert!(result.observed.ends_with("…` ended with 3: no such file") && result.observed.len() < 130, "{result:?}");
}

pub(super) fn visitor() -> Visitor {
    Visitor { uid: 10_001, gid: 10_001, cap_effective: 0, cap_bounding: 0, no_new_privs: true, seccomp: 2 }
}

#[tokio::test]
async fn exec_in_a_container_needs_a_visitor_with_the_containers_own_rights() {
    let check = format!("kind = \"exec\"\n{OF}[[task.check.run]]\nargv = [\"id\"]\nmatches = \"uid=10001\"");
    let mut recorded = Recorded::with(&["hard"]);
    let is = |look: &Look| matches!(look, Look::Visit { .. });
    let met = vec![Seen::Exec(done(0, "uid=10001(app)"))];
    recorded.on(is, Seen::Visit { visitor: Some(visitor()), met: met.clone() });
    assert_snapshot!(show(&recorded, &check).await, @"pass | in the cms container, `id` works | `id` ended with 0: uid=10001(app) |");
    recorded.on(is, Seen::Visit { visitor: Some(visitor()), met: Vec::new() });
    assert_eq!(judge(&recorded, &check).await.verdict, Verdict::Unknown);
    recorded.on(is, Seen::Visit { visitor: None, met: met.clone() });
    assert_eq!(judge(&recorded, &check).await.verdict, Verdict::Unknown);
    // `soft` runs with capabilities that this visitor was not given.
    let mut recorded = Recorded::with(&["soft"]);
    recorded.on(is, Seen::Visit { visitor: Some(visitor()), met });
    assert_snapshot!(show(&recorded, &check).await, @"unknown | in the cms container, `id` works |  | the engine gave our program less than the container's own process has");
}

fn levels(files: &[(&str, &str)]) -> Seen {
    let level = |path: &str, files: &[(&str, &str)]| CgroupLevel {
        path: path.into(),
        files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
    };
    Seen::Cgroup { levels: vec![level("/docker/x", files), level("/", &[("pids.max", "10"), ("memory.max", "1")])] }
}

#[tokio::test]
async fn cgroup_reads_the_kernel_and_says_what_the_engine_claims() {
    let check = format!("kind = \"cgroup\"\n{OF}memory_max = \"128m\"\npids_max = 128\ncpus_max = \"0.5\"");
    let mut recorded = Recorded::with(&["hard"]);
    let is = |look: &Look| matches!(look, Look::Cgroup { .. });
    assert_eq!(judge(&recorded, &check).await.verdict, Verdict::Unknown);
    recorded.on(is, levels(&[("memory.max", "100663296"), ("pids.max", "64"), ("cpu.max", "50000 100000")]));
    assert_snapshot!(show(&recorded, &check).await, @"pass | the kernel gives the cms container at most 128m of memory, at most 128 processes, at most 0.5 processors | its memory is limited to 96m; its number of processes is limited to 64; its share of processors is limited to 0.5 |");
    recorded.on(is, levels(&[("memory.max", "max"), ("pids.max", "64"), ("cpu.max", "60000 100000")]));
    recorded.forge("hard", |inspect| inspect["HostConfig"]["Memory"] = json!(96 << 20));
    assert_snapshot!(show(&recorded, &check).await, @"fail | the kernel gives the cms container at most 128m of memory, at most 128 processes, at most 0.5 processors | its memory is not limited, though the engine claims 96m; its share of processors is limited to 0.6 | Not yet. The engine claims 96m; the kernel shows otherwise, and the kernel counts.");
    // The machine's own limits are none of the container's.
    recorded.on(is, Seen::Cgroup { levels: vec![CgroupLevel { path: "/".into(), ..CgroupLevel::default() }] });
    assert_eq!(judge(&recorded, &check).await.verdict, Verdict::Unknown);
}

#[tokio::test]
async fn cgroup_wants_no_swap_where_the_kernel_counts_it() {
    let check = format!("kind = \"cgroup\"\n{OF}swap = \"none\"\noom_kill = true\nrunning = true");
    let mut recorded = Recorded::with(&["hard"]);
    let is = |look: &Look| matches!(look, Look::Cgroup { .. });
    let v1 = |both: &'static str| {
        levels(&[
            ("memory.limit_in_bytes", "1048576"),
            ("memory.memsw.limit_in_bytes", both),
            ("freezer.state", "THAWED"),
        ])
    };
    recorded.on(is, v1("1048576"));
    assert_eq!(judge(&recorded, &check).await.verdict, Verdict::Pass);
    recorded.on(is, v1("2097152"));
    assert_snapshot!(show(&recorded, &check).await, @"fail | the kernel gives the cms container no swap, an end when its memory is used up, processes that are not frozen | it may swap 1m | Not yet.");
    recorded.on(is, levels(&[("memory.max", "1048576"), ("cgroup.freeze", "1")]));
    assert_snapshot!(show(&recorded, &check).await, @"fail | the kernel gives the cms container no swap, an end when its memory is used up, processes that are not frozen | this kernel does not count swap, and the engine did not ask for no swap; its processes are frozen | Not yet.");
}

#[tokio::test]
async fn listen_reads_the_kernels_list() {
    let absent = "kind = \"listen\"\nport = 2375\nabsent = true";
    let local = "kind = \"listen\"\nport = 8080\nonly_on = [\"127.0.0.1\"]\nowner = \"/docker-proxy$\"";
    let mut recorded = Recorded::with(&[]);
    let is = |look: &Look| matches!(look, Look::Sockets { .. });
    let sockets = |list: &[SocketFacts]| Seen::Sockets { sockets: list.to_vec(), truncated: false };
    recorded.on(
        is,
        sockets(&[socket("tcp", "127.0.0.1", 8080, "/usr/sbin/docker-proxy"), socket("udp", "0.0.0.0", 2375, "/x")]),
    );
    assert_snapshot!(show(&recorded, absent).await, @"pass | nobody listens on port 2375/tcp on host | nobody listens on port 2375/tcp |");
    assert_snapshot!(show(&recorded, local).await, @"pass | somebody listens on port 8080/tcp on host, on 127.0.0.1 only | 127.0.0.1:8080/tcp (/usr/sbin/docker-proxy); port 8080/tcp is held by /usr/sbin/docker-proxy |");
    // Of both versions of IP.
    recorded.on(
        is,
        sockets(&[
            socket("tcp6", "::", 2375, "/usr/sbin/dockerd"),
            socket("tcp6", "::", 8080, "/usr/sbin/docker-proxy"),
        ]),
    );
    assert_snapshot!(show(&recorded, absent).await, @"fail | nobody listens on port 2375/tcp on host | :::2375/tcp6 (/usr/sbin/dockerd) | Not yet.");
    assert_snapshot!(show(&recorded, local).await, @"fail | somebody listens on port 8080/tcp on host, on 127.0.0.1 only | :::8080/tcp6 (/usr/sbin/docker-proxy) | Not yet.");
    recorded.on(is, sockets(&[]));
    assert_snapshot!(show(&recorded, local).await, @"fail | somebody listens on port 8080/tcp on host, on 127.0.0.1 only | nobody listens on port 8080/tcp | Not yet.");
    recorded.on(is, Seen::Sockets { sockets: Vec::new(), truncated: true });
    assert_eq!(judge(&recorded, absent).await.verdict, Verdict::Unknown);
}

#[tokio::test]
async fn answers_stand_in_a_file_and_are_recomputed() {
    let own = pid("hard");
    let check = |see: &str, that: &str| {
        format!(
            "kind = \"answer\"\nfile = {{ path = \"/root/a.json\", that = \".web\" }}\nlive = {{ of = {{ role = \"cms\" }}, see = \"{see}\", that = \"{that}\" }}"
        )
    };
    let mut recorded = Recorded::with(&["hard"]);
    assert_snapshot!(show(&recorded, &check("process", ".pid")).await, @"fail | the right value as .web in /root/a.json | there is no file /root/a.json | Not yet.");
    recorded.file(0, "/root/a.json", "{\"web\": 1}", 0o644);
    assert_eq!(judge(&recorded, &check("process", ".pid")).await.verdict, Verdict::Fail);
    recorded.file(0, "/root/a.json", &format!("{{\"web\": \"{own}\"}}"), 0o644);
    assert_eq!(judge(&recorded, &check("process", ".pid")).await.verdict, Verdict::Pass);
    assert_eq!(judge(&recorded, &check("inspect", ".State.Pid")).await.verdict, Verdict::Pass);
    assert_eq!(
        judge(&recorded, &check("process", "[1, .pid]")).await.verdict,
        Verdict::Pass,
        "each of a list is right"
    );
    assert_eq!(judge(&recorded, &check("process", "null")).await.verdict, Verdict::Fail);
    let brief = |pid: i32, parent: i32| ProcessBrief {
        pid,
        parent,
        uid: 0,
        exe: "/usr/bin/containerd-shim-runc-v2".into(),
        cmdline: Vec::new(),
        cgroup: "/".into(),
    };
    let processes = vec![brief(own, 4711), brief(4711, 1)];
    recorded.on(|look| matches!(look, Look::Processes { .. }), Seen::Processes { processes, truncated: false });
    recorded.file(0, "/root/a.json", "{\"web\": 4711}", 0o644);
    assert_eq!(judge(&recorded, &check("parent", ".pid")).await.verdict, Verdict::Pass);
    for (text, said) in
        [("nonsense", "is no JSON"), ("[]", "failed"), ("{}", "has no .web"), ("{\"web\": null}", "has no .web")]
    {
        recorded.file(0, "/root/a.json", text, 0o644);
        let result = judge(&recorded, &check("process", ".pid")).await;
        assert!(result.verdict == Verdict::Fail && result.observed.contains(said), "{result:?}");
    }
}

/// The author's text says what is wrong with an answer, and there is none.
#[tokio::test]
async fn what_was_not_answered_is_told_so() {
    let recorded = Recorded::with(&[]);
    let check = "kind = \"answer\"\nquestion = \"Which?\"\nequals = \"this one\"";
    assert_snapshot!(show(&recorded, check).await, @"fail | the right answer to: Which? | no answer yet | Nothing has been answered yet.");
}

#[tokio::test]
async fn an_answer_may_be_what_a_file_of_the_platform_holds() {
    let check = "kind = \"answer\"\nfile = { path = \"/root/a.json\", that = \".digest\" }\n\
        same_as = { path = \"/srv/held.json\", that = \".two.digest\" }";
    let mut recorded = Recorded::with(&[]);
    recorded.file(0, "/root/a.json", "{\"digest\": \"sha256:1\"}", 0o644);
    assert_snapshot!(show(&recorded, check).await, @"fail | the right value as .digest in /root/a.json | there is nothing yet that it could be the same as | Not yet.");
    for held in ["{\"two\": null}", "{\"two\": {\"digest\": \"sha256:2\"}}", "sha256:1"] {
        recorded.file(0, "/srv/held.json", held, 0o644);
        assert_eq!(judge(&recorded, check).await.verdict, Verdict::Fail, "{held}");
    }
    recorded.file(0, "/srv/held.json", "{\"two\": {\"digest\": \"sha256:1\"}}", 0o644);
    assert_snapshot!(show(&recorded, check).await, @"pass | the right value as .digest in /root/a.json | sha256:1 |");
}
