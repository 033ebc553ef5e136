//! Kinds about machines and what runs on them, on what was recorded and on what a hostile student makes of it.

use std::time::Duration;

use bulkhead_agent::{
    look::{
        Look, Seen,
        errand::Visitor,
        facts::{Address, CgroupLevel, ProcessBrief, SocketFacts},
    },
    protocol::ExecResult,
};
use insta::assert_snapshot;
use serde_json::json;

use super::{
    context, judge, lab_with, line,
    recorded::{Recorded, pid},
};
use crate::grade::{Context, Verdict, grade_lab};

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

fn net_id() -> String {
    "c".repeat(64)
}

fn networks(recorded: &mut Recorded, address: &str) {
    let hard = recorded
        .engine
        .keys()
        .find_map(|path| path.strip_prefix("/containers/")?.strip_suffix("/json"))
        .map(str::to_owned);
    let hard = hard.filter(|id| id.len() == 64).expect("a recorded container");
    let network = json!({ "Name": "back", "Id": net_id(), "Internal": true, "Labels": { "tier": "back" },
        "Containers": { hard: { "Name": "hard", "IPv4Address": format!("{address}/16") } } });
    recorded.answer("/networks", &json!([network, { "Name": "bridge", "Id": "d".repeat(64) }]));
    recorded.answer(&format!("/networks/{}", net_id()), &network);
}

#[tokio::test]
async fn network_believes_an_address_that_the_kernel_has() {
    let check = "kind = \"network\"\nname = \"back\"\nthat = \".Internal\"\nmembers = [\"cms\"]";
    let mut recorded = Recorded::with(&["hard"]);
    assert_snapshot!(show(&recorded, check).await, @"fail | the network back satisfies .Internal and has on it cms and nobody else | there is no such network | Not yet.");
    networks(&mut recorded, "172.18.0.2");
    let address = Address { interface: "eth0".into(), address: "172.18.0.2".into() };
    let own = pid("hard");
    recorded.on(
        move |look| *look == Look::Addresses { machine: "host".into(), pid: Some(own) },
        Seen::Addresses { addresses: vec![address] },
    );
    assert_snapshot!(show(&recorded, check).await, @"pass | the network back satisfies .Internal and has on it cms and nobody else | .Internal is true; on back is cms |");
    let by_label = "kind = \"network\"\nlabel = \"tier=back\"\nexcludes = [\"cms\"]";
    assert_snapshot!(show(&recorded, by_label).await, @"fail | every network with the label tier=back does not have on it cms | on back is cms | Not yet.");
    let absent = "kind = \"network\"\nname = \"back\"\nabsent = true";
    assert_snapshot!(show(&recorded, absent).await, @"fail | there is not the network back | there are 1 such networks | Not yet.");
    networks(&mut recorded, "172.18.0.9");
    assert_snapshot!(show(&recorded, check).await, @"unknown | the network back satisfies .Internal and has on it cms and nobody else |  | the engine says that cms has the address 172.18.0.9 there; the kernel does not have it");
    for odd in [json!({}), json!(null), json!([{ "Name": "back", "Id": "../x" }]), json!([{ "Name": "back" }])] {
        recorded.answer("/networks", &odd);
        assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown, "{odd}");
    }
}

/// The recorded container on a network of that driver, by the engine's word.
fn on_network(recorded: &mut Recorded, driver: &str, entry: &serde_json::Value) {
    networks(recorded, "0.0.0.0");
    let id = format!("/networks/{}", net_id());
    let mut network: serde_json::Value = serde_json::from_str(&recorded.engine[&id].1).unwrap();
    network["Driver"] = json!(driver);
    network["Containers"].as_object_mut().unwrap().values_mut().for_each(|on_it| *on_it = entry.clone());
    recorded.answer("/networks", &json!([network]));
    recorded.answer(&id, &network);
}

fn has_addresses(recorded: &mut Recorded, addresses: &[&str]) {
    let found = |address: &&str| Address { interface: "eth0".into(), address: (*address).to_owned() };
    let addresses = addresses.iter().map(found).collect();
    recorded.on(|look| matches!(look, Look::Addresses { pid: Some(_), .. }), Seen::Addresses { addresses });
}

fn shares_network(recorded: &mut Recorded, shares: bool) {
    recorded.processes.values_mut().for_each(|facts| _ = facts.shared_with_machine.insert("net".into(), shares));
}

#[tokio::test]
async fn network_knows_who_shares_the_machines_and_who_has_none() {
    let check = "kind = \"network\"\nname = \"back\"\nmembers = [\"cms\"]";
    let mut recorded = Recorded::with(&["hard"]);
    let nowhere = json!({ "IPv4Address": "", "IPv6Address": "" });
    on_network(&mut recorded, "host", &nowhere);
    shares_network(&mut recorded, true);
    assert_snapshot!(show(&recorded, check).await, @"pass | the network back has on it cms and nobody else | on back is cms |");
    shares_network(&mut recorded, false);
    assert_snapshot!(show(&recorded, check).await, @"unknown | the network back has on it cms and nobody else |  | the engine says that cms is on the machine's network; the kernel does not");
    on_network(&mut recorded, "null", &nowhere);
    has_addresses(&mut recorded, &["127.0.0.1", "::1"]);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass);
    has_addresses(&mut recorded, &["127.0.0.1", "172.17.0.2"]);
    assert_snapshot!(show(&recorded, check).await, @"unknown | the network back has on it cms and nobody else |  | the engine says that cms is on no network; the kernel has it on one");
    shares_network(&mut recorded, true);
    has_addresses(&mut recorded, &[]);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown);
    // A bridge on which the engine names no address is no proof of anything.
    shares_network(&mut recorded, false);
    for odd in [json!({}), nowhere, json!({ "IPv4Address": 7 }), json!({ "IPv4Address": "/16" })] {
        on_network(&mut recorded, "bridge", &odd);
        assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown, "{odd}");
    }
}

#[tokio::test]
async fn network_compares_addresses_of_both_versions() {
    let check = "kind = \"network\"\nname = \"back\"\nmembers = [\"cms\"]";
    let mut recorded = Recorded::with(&["hard"]);
    let both = json!({ "IPv4Address": "172.18.0.2/16", "IPv6Address": "fd00:0:0::2/64" });
    on_network(&mut recorded, "bridge", &both);
    for (has, verdict) in [
        (&["172.18.0.2", "fd00::2"][..], Verdict::Pass),
        (&["172.18.0.2"], Verdict::Unknown),
        (&["fd00::2"], Verdict::Unknown),
        (&["172.18.0.2", "fd00::3", "x"], Verdict::Unknown),
    ] {
        has_addresses(&mut recorded, has);
        assert_eq!(judge(&recorded, check).await.verdict, verdict, "{has:?}");
    }
    on_network(&mut recorded, "bridge", &json!({ "IPv4Address": "", "IPv6Address": "fd00::2/64" }));
    has_addresses(&mut recorded, &["fd00::2"]);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass, "a network of version 6 alone");
}

fn socket(protocol: &str, address: &str, port: u16, exe: &str) -> SocketFacts {
    let owner =
        ProcessBrief { pid: 7, parent: 1, uid: 0, exe: exe.into(), cmdline: vec![exe.into()], cgroup: "/".into() };
    SocketFacts { protocol: protocol.into(), address: address.into(), port, uid: 0, owner: Some(owner) }
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

const MATRIX: &str = "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto = \"cms\"\nport = 5432\nreach = false\n\
    [[task.check.cell]]\nfrom = \"cms\"\nto_address = \"192.0.2.1\"\nport = 80\nreach = false";

#[tokio::test]
async fn net_tries_every_address_that_the_kernel_has() {
    let own = pid("hard");
    let mut recorded = Recorded::with(&["hard"]);
    let address = |address: &str| Address { interface: "eth0".into(), address: address.into() };
    let addresses =
        Seen::Addresses { addresses: ["127.0.0.1", "172.18.0.2", "172.19.0.2", "fe80::1"].map(address).to_vec() };
    recorded.on(|look| matches!(look, Look::Addresses { .. }), addresses);
    recorded.on(|look| matches!(look, Look::Connect { .. }), Seen::NoAnswer { why: "no answer in time".into() });
    recorded.on(|look| matches!(look, Look::Sockets { .. }), Seen::Sockets { sockets: Vec::new(), truncated: false });
    assert_snapshot!(show(&recorded, MATRIX).await, @"fail | probe does not reach cms:5432, cms does not reach 192.0.2.1:80 | nobody serves port 5432 in the network of cms | Not yet. What is not there cannot be reached, which shows nothing.");
    let serves = Seen::Sockets { sockets: vec![socket("tcp", "0.0.0.0", 5432, "/db")], truncated: false };
    recorded.on(move |look| matches!(look, Look::Sockets { pid: Some(pid), .. } if *pid == own), serves);
    assert_snapshot!(show(&recorded, MATRIX).await, @"pass | probe does not reach cms:5432, cms does not reach 192.0.2.1:80 | probe does not reach cms:5432: no answer in time; cms does not reach 192.0.2.1:80: no answer in time |");
    // One way is enough.
    recorded.on(
        |look| matches!(look, Look::Connect { host, pid: None, .. } if host == "172.19.0.2"),
        Seen::Connected { reply: String::new() },
    );
    assert_snapshot!(show(&recorded, MATRIX).await, @"fail | probe does not reach cms:5432, cms does not reach 192.0.2.1:80 | probe reaches cms:5432 at 172.19.0.2 | Not yet.");
    let reach = MATRIX.replacen("reach = false", "reach = true", 1);
    assert_eq!(judge(&recorded, &reach).await.verdict, Verdict::Pass);
    // … and with it nobody waits for the other addresses.
    let patient = Context { patience: Duration::from_mins(1), ..context() };
    let one = reach.split_once("\n[[task.check.cell]]\nfrom = \"cms\"").map_or(reach.as_str(), |(one, _)| one);
    let grading = grade_lab(&lab_with(one), &recorded, &patient, &|_| ()).await;
    assert!(grading.result("a").unwrap().verdict == Verdict::Pass && grading.round_trips < 10, "{grading:?}");
    // A service that hears nothing but itself cannot be reached whatever the networks are.
    let local = Seen::Sockets { sockets: vec![socket("tcp", "127.0.0.1", 5432, "/db")], truncated: false };
    recorded.on(|look| matches!(look, Look::Sockets { .. }), local);
    assert_eq!(judge(&recorded, MATRIX).await.verdict, Verdict::Fail);
}

/// In a container's own `/etc/hosts` stands no machine, and a name that nobody knows would look like a closed port.
#[tokio::test]
async fn a_container_tries_a_machine_by_its_addresses() {
    let matrix =
        "kind = \"net\"\n[[task.check.cell]]\nfrom = \"cms\"\nto_machine = \"probe\"\nport = 123\nreach = true";
    let mut recorded = Recorded::with(&["hard"]);
    let there = Address { interface: "eth0".into(), address: "10.77.0.3".into() };
    recorded.on(
        |look| matches!(look, Look::Addresses { machine, pid: None } if machine == "probe"),
        Seen::Addresses { addresses: vec![there] },
    );
    recorded.on(|look| matches!(look, Look::Connect { .. }), Seen::NoAnswer { why: "no such name".into() });
    recorded.on(
        |look| matches!(look, Look::Connect { host, pid: Some(_), .. } if host == "10.77.0.3"),
        Seen::Connected { reply: String::new() },
    );
    assert_eq!(judge(&recorded, matrix).await.verdict, Verdict::Pass);
}

/// What the kernel has on a machine, as `interface address`.
fn has(recorded: &mut Recorded, machine: &'static str, addresses: &[&str]) {
    let found = |text: &&str| {
        let (interface, address) = text.split_once(' ').expect("an interface and an address");
        Address { interface: interface.into(), address: address.into() }
    };
    let addresses = addresses.iter().map(found).collect();
    recorded.on(
        move |look| matches!(look, Look::Addresses { machine: of, pid: None } if of == machine),
        Seen::Addresses { addresses },
    );
}

fn answers_at(recorded: &mut Recorded, address: &'static str) {
    recorded.on(|look| matches!(look, Look::Connect { .. }), Seen::NoAnswer { why: "no answer in time".into() });
    recorded.on(
        move |look| matches!(look, Look::Connect { host, .. } if host == address),
        Seen::Connected { reply: String::new() },
    );
}

/// Addresses that were knocked at in the last grading.
fn tried(recorded: &Recorded) -> Vec<String> {
    let asked = std::mem::take(&mut *recorded.asked.lock().unwrap());
    let host = |look: Look| match look {
        Look::Connect { host, .. } => Some(host),
        _ => None,
    };
    let mut tried: Vec<String> = asked.into_iter().flatten().filter_map(host).collect();
    tried.sort();
    tried.dedup();
    tried
}

#[tokio::test]
async fn net_asks_by_ipv6_at_every_link() {
    let cell = |family: &str, reach: bool| {
        format!(
            "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto_machine = \"host\"\nport = 8080\nreach = {reach}\n{family}"
        )
    };
    let (six, any) = ("family = \"ipv6\"", "family = \"any\"");
    let mut recorded = Recorded::with(&["hard"]);
    let serves = Seen::Sockets { sockets: vec![socket("tcp6", "::", 8080, "/proxy")], truncated: false };
    recorded.on(|look| matches!(look, Look::Sockets { .. }), serves);
    has(&mut recorded, "host", &["lo ::1", "eth0 10.77.0.2", "eth0 fe80::a", "docker0 fe80::b", "eth0 fd00::2"]);
    has(&mut recorded, "probe", &["lo 127.0.0.1", "eth0 10.77.0.3", "eth0 fe80::c", "eth1 10.99.0.3"]);
    answers_at(&mut recorded, "fe80::a%eth0");
    assert_snapshot!(show(&recorded, &cell(six, false)).await, @"fail | probe does not reach host:8080 by IPv6 | probe reaches host:8080 at fe80::a%eth0 | Not yet.");
    recorded.asked.lock().unwrap().clear();
    assert_eq!(judge(&recorded, &cell(six, true)).await.verdict, Verdict::Pass);
    // An interface without IPv6 is no link for it.
    assert_eq!(tried(&recorded), ["fd00::2", "fe80::a%eth0", "fe80::b%eth0"]);
    assert_eq!(judge(&recorded, &cell(any, true)).await.verdict, Verdict::Pass);
    assert_eq!(tried(&recorded), ["10.77.0.2", "fd00::2", "fe80::a%eth0", "fe80::b%eth0"]);
    // By IPv4 it is as it was.
    assert_eq!(judge(&recorded, &cell("", false)).await.verdict, Verdict::Pass);
    assert_eq!(tried(&recorded), ["host"]);
    answers_at(&mut recorded, "nowhere");
    assert_eq!(judge(&recorded, &cell(six, false)).await.verdict, Verdict::Pass);
    has(&mut recorded, "host", &["lo ::1", "eth0 10.77.0.2"]);
    assert_snapshot!(show(&recorded, &cell(six, false)).await, @"pass | probe does not reach host:8080 by IPv6 | host has no address but its own loopback at which to ask it by IPv6 |");
}

/// Decoys must not push the address that counts out of what is tried.
#[tokio::test]
async fn net_says_nothing_of_a_place_with_more_addresses_than_it_tries() {
    let cell = "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto_machine = \"host\"\nfamily = \"ipv6\"\nport = 80\nreach = false";
    let mut recorded = Recorded::with(&["hard"]);
    let serves = Seen::Sockets { sockets: vec![socket("tcp6", "::", 80, "/proxy")], truncated: false };
    recorded.on(|look| matches!(look, Look::Sockets { .. }), serves);
    answers_at(&mut recorded, "nowhere");
    has(&mut recorded, "probe", &["eth0 fe80::c"]);
    for (count, verdict) in [(32, Verdict::Pass), (33, Verdict::Unknown)] {
        let many: Vec<String> = (1..=count).map(|number| format!("eth0 fd00::{number:x}")).collect();
        has(&mut recorded, "host", &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(judge(&recorded, cell).await.verdict, verdict, "{count}");
    }
    has(&mut recorded, "host", &["eth0 nonsense", "eth0 fe80::1%eth0", " fd00::1"]);
    assert_eq!(judge(&recorded, cell).await.verdict, Verdict::Pass);
    assert!(tried(&recorded).iter().all(|host| host.starts_with("fd00::")));
}

#[tokio::test]
async fn a_probe_asks_by_ipv6_where_somebody_answers() {
    let check = "kind = \"probe\"\nport = 8080\nfamily = \"ipv6\"\n[[task.check.step]]\npath = \"/echo?n={{nonce}}\"\nmatches = \"nonce={{nonce}}\"\n[[task.check.step]]\npath = \"/\"\nport = 81";
    let mut recorded = Recorded::with(&["hard"]);
    has(&mut recorded, "host", &["eth0 fe80::a", "docker0 fe80::b"]);
    has(&mut recorded, "probe", &["eth0 fe80::c"]);
    answers_at(&mut recorded, "fe80::b%eth0");
    assert_snapshot!(show(&recorded, check).await, @"pass | host:8080 by IPv6 answers 2 requests as it should | GET / at port 81 answered 200 |");
    let asked: Vec<(String, u16)> = recorded
        .asked
        .lock()
        .unwrap()
        .iter()
        .flatten()
        .filter_map(|look| match look {
            Look::Http { host, port, path, .. } if path != "/echo?n=" => Some((host.clone(), *port)),
            _ => None,
        })
        .filter(|(host, _)| host != "host")
        .collect();
    assert_eq!(asked, [("fe80::b%eth0".to_owned(), 8080), ("fe80::b%eth0".to_owned(), 81)]);
    answers_at(&mut recorded, "nowhere");
    assert_snapshot!(show(&recorded, check).await, @"fail | host:8080 by IPv6 answers 2 requests as it should | host:8080 by IPv6 does not answer: no answer in time | Not yet.");
    has(&mut recorded, "host", &[]);
    assert_snapshot!(show(&recorded, check).await, @"fail | host:8080 by IPv6 answers 2 requests as it should | host:8080 by IPv6 does not answer: it has no address | Not yet.");
}
