//! What grading can look at, on a real kernel and engine.

use bulkhead_agent::{
    look::{
        Look, Place, Protocol, Seen, Way,
        errand::{Errand, Visitor},
        facts::{CgroupLevel, Tampering},
    },
    protocol::FaultKind,
};

use crate::ground::{PIDS, Sandbox, exec, until, with_sandbox};

const HOST: &str = "host";

fn host() -> String {
    HOST.to_owned()
}

/// The id and the first process of a container.
async fn container(sandbox: &Sandbox<'_>, name: &str) -> (String, i32) {
    let said = sandbox.says(&format!("docker inspect -f '{{{{.Id}}}} {{{{.State.Pid}}}}' {name}")).await;
    let (id, pid) = said.split_once(' ').expect("an id and a pid");
    (id.to_owned(), pid.parse().expect("a pid"))
}

async fn see(sandbox: &Sandbox<'_>, look: Look) -> Seen {
    let asked = format!("{look:?}");
    sandbox.look(look).await.unwrap_or_else(|fault| panic!("{asked}: {fault:?}"))
}

async fn visit(sandbox: &Sandbox<'_>, name: &str, errands: Vec<Errand>) -> (Visitor, Vec<Seen>) {
    let (id, pid) = container(sandbox, name).await;
    let count = errands.len();
    let look = Look::Visit { machine: host(), place: Place::Container { id, pid }, errands, timeout_ms: 15_000 };
    let Seen::Visit { visitor: Some(visitor), met } = see(sandbox, look).await else { panic!("no visit") };
    assert_eq!(met.len(), count, "{met:?}");
    (visitor, met)
}

fn call(name: &str) -> Errand {
    Errand::Call { name: name.to_owned() }
}

fn errno(seen: &Seen) -> Option<&str> {
    match seen {
        Seen::Attempt { errno } => errno.as_deref(),
        other => panic!("no attempt: {other:?}"),
    }
}

fn refused(word: &str) -> Seen {
    Seen::Attempt { errno: Some(word.to_owned()) }
}

#[tokio::test]
async fn a_visitor_has_what_the_container_has_and_no_more() {
    let setup = "echo top-secret > /root/flag
        docker run -d --name soft --pid=host --security-opt seccomp=unconfined --cap-add SYS_ADMIN --cap-add SYS_PTRACE tiny:1 sleep 1000
        docker run -d --name hard --user 10001:10001 --cap-drop ALL --security-opt no-new-privileges --read-only tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let errands = || {
            vec![
                call("mount"),
                call("unshare"),
                call("ptrace"),
                Errand::Read { path: "/proc/1/root/root/flag".into(), limit: 100 },
                Errand::Enter { pid: 1, path: "/root/flag".into(), limit: 100 },
                Errand::Mount { at: "/tmp".into() },
                Errand::Create { path: "/new".into() },
                Errand::Run {
                    argv: ["sh", "-c", "echo $((6 * 7)); id -u >&2; exit 3"].map(str::to_owned).to_vec(),
                    env: vec![],
                    stdin: String::new(),
                    timeout_ms: 5_000,
                    limit: 100,
                },
            ]
        };
        let (soft, met) = visit(sandbox, "soft", errands()).await;
        assert_eq!((soft.uid, soft.seccomp, soft.no_new_privs), (0, 0, false), "{soft:?}");
        assert!(soft.cap_effective & 1 << 21 != 0, "{soft:?}");
        assert_eq!(met[0], refused("ENOENT"), "the call reached the kernel");
        assert_eq!(met[1], Seen::Attempt { errno: None });
        assert_eq!(met[2], refused("ESRCH"));
        let secret = Seen::Text { text: "top-secret\n".into(), truncated: false };
        assert_eq!((&met[3], &met[4]), (&secret, &secret), "both ways to the host's files work");
        assert_eq!((errno(&met[5]), errno(&met[6])), (None, None));
        assert!(matches!(&met[7], Seen::Exec(done) if (done.code, done.stdout.as_str(), done.stderr.as_str()) == (3, "42\n", "0\n")), "{met:?}");

        let (hard, met) = visit(sandbox, "hard", errands()).await;
        assert_eq!((hard.uid, hard.gid), (10_001, 10_001), "{hard:?}");
        assert_eq!((hard.seccomp, hard.no_new_privs, hard.cap_effective, hard.cap_bounding), (2, true, 0, 0), "{hard:?}");
        assert!(met[..2].iter().all(|seen| *seen == refused("EPERM")), "the engine's filter refuses them: {met:?}");
        // Process 1 is the container's own.
        assert_eq!(met[3], refused("EACCES"));
        assert_ne!(errno(&met[4]), None);
        assert_ne!(errno(&met[5]), None);
        assert_eq!(met[6], refused("EROFS"));
        assert!(matches!(&met[7], Seen::Exec(done) if done.stderr == "10001\n"), "{met:?}");
        // Nothing of it stays.
        assert_eq!(sandbox.says("docker exec hard ps | grep -c 'hold\\|visit' || true").await, "0");
        assert_eq!(sandbox.says("docker diff hard; docker diff soft").await, "");
    })
    .await;
}

#[tokio::test]
async fn a_filter_that_refuses_nearly_everything_still_lets_a_visitor_in() {
    // What a program needs that does nothing but start, write and end; and what the engine's own start-up does.
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["access","arch_prctl","brk","capget","capset","chdir","clock_nanosleep","clone","close","close_range","dup2","dup3","epoll_create1","epoll_ctl","epoll_pwait","execve","execveat","exit","exit_group","faccessat2","fchdir","fchown","fcntl","fstat","fstatfs","futex","getcwd","getdents64","getegid","geteuid","getgid","getpid","getppid","getrandom","gettid","getuid","ioctl","lseek","mmap","mprotect","munmap","nanosleep","newfstatat","open","openat","pipe2","prctl","pread64","prlimit64","read","readlinkat","rseq","rt_sigaction","rt_sigprocmask","rt_sigreturn","sched_yield","set_robust_list","set_tid_address","setgid","setgroups","setsid","setuid","sigaltstack","stat","statfs","statx","tgkill","umask","uname","wait4","write","writev"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let setup = format!(
        "mkdir -p /root/seccomp; echo '{profile}' > /root/seccomp/strict.json
         docker run -d --name strict --security-opt seccomp=/root/seccomp/strict.json tiny:1 sleep 1000"
    );
    with_sandbox(&setup, async |sandbox| {
        let (visitor, met) =
            visit(sandbox, "strict", vec![call("mount"), call("ptrace"), call("keyctl"), call("socket:INET")]).await;
        assert_eq!(visitor.seccomp, 2);
        assert!(met.iter().all(|seen| *seen == refused("EPERM")), "{met:?}");
    })
    .await;
}

#[tokio::test]
async fn a_visitor_on_the_machine_is_the_user_that_was_asked_for() {
    let setup = "useradd -m -u 1501 -G docker dev1; useradd -m -u 1502 dev2; until docker ps; do sleep 0.1; done";
    with_sandbox(setup, async |sandbox| {
        let ask = |uid: u32| Look::Visit {
            machine: host(),
            place: Place::User { uid },
            errands: vec![
                Errand::Read { path: "/etc/shadow".into(), limit: 10 },
                Errand::Http {
                    unix: Some("/run/docker.sock".into()),
                    host: "docker".into(),
                    port: 0,
                    method: "GET".into(),
                    path: "/_ping".into(),
                    headers: vec![],
                    body: String::new(),
                    timeout_ms: 3_000,
                    limit: 100,
                },
            ],
            timeout_ms: 10_000,
        };
        let Seen::Visit { met, .. } = see(sandbox, ask(1501)).await else { panic!("no visit") };
        assert_eq!(met[0], refused("EACCES"));
        assert!(matches!(met[1], Seen::Http { status: 200, .. }), "{met:?}");
        let Seen::Visit { met, .. } = see(sandbox, ask(1502)).await else { panic!("no visit") };
        assert!(matches!(&met[1], Seen::NoAnswer { why } if why.contains("EACCES")), "{met:?}");
        let Seen::Visit { met, .. } = see(sandbox, ask(0)).await else { panic!("no visit") };
        assert!(matches!(&met[0], Seen::Text { .. }), "{met:?}");
        let whoami = Look::Exec(bulkhead_agent::protocol::Exec { uid: 1501, ..exec(&["id", "-Gn"]) });
        assert!(matches!(see(sandbox, whoami).await, Seen::Exec(done) if done.stdout == "dev1 docker\n"));
    })
    .await;
}

/// The smallest of what each level says.
fn limit(levels: &[CgroupLevel], files: &[&str]) -> Option<u64> {
    let value = |level: &CgroupLevel| files.iter().find_map(|file| level.files.get(*file)?.parse().ok());
    levels.iter().filter_map(value).min()
}

#[tokio::test]
async fn control_groups_are_read_from_outside() {
    let setup = "docker run -d --name small -m 64m --pids-limit 50 --cpus 0.5 tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let (id, pid) = container(sandbox, "small").await;
        let Seen::Cgroup { levels } = see(sandbox, Look::Cgroup { machine: host(), pid }).await else {
            panic!("no groups")
        };
        assert!(levels[0].path.contains(&id), "{levels:?}");
        assert_eq!(levels.last().expect("a level").path, "/");
        assert_eq!(limit(&levels[..1], &["memory.max", "memory.limit_in_bytes"]), Some(64 << 20), "{levels:?}");
        assert_eq!(limit(&levels[..1], &["pids.max"]), Some(50), "{levels:?}");
        let machines = levels.last().expect("a level");
        assert_eq!(machines.files.get("pids.max").map(String::as_str), Some(&*PIDS.to_string()));
        let missing = Look::Cgroup { machine: host(), pid: 99_999 };
        assert_eq!(see(sandbox, missing).await, Seen::Missing);
    })
    .await;
}

#[tokio::test]
async fn sockets_settings_and_ports_are_each_networks_own() {
    let setup = "docker run -d --name web --label bulkhead.role=cms -p 8080:8080 cms:1
        docker run -d --name alone --network none --sysctl net.ipv4.ip_default_ttl=33 tiny:1 sleep 1000
        echo 0 > /proc/sys/net/ipv4/conf/all/accept_redirects";
    with_sandbox(setup, async |sandbox| {
        let (_, web) = container(sandbox, "web").await;
        let (_, alone) = container(sandbox, "alone").await;
        let listening = async |pid| match see(sandbox, Look::Sockets { machine: host(), pid }).await {
            Seen::Sockets { sockets, .. } => sockets,
            other => panic!("{other:?}"),
        };
        let found = until("it listens", async || {
            let found = listening(Some(web)).await;
            found.iter().any(|socket| socket.port == 8080).then_some(found)
        })
        .await;
        assert!(found.iter().any(|socket| socket.owner.as_ref().is_some_and(|owner| owner.pid == web)), "{found:?}");
        let found = listening(None).await;
        let proxy = found.iter().find(|socket| socket.port == 8080).expect("a published port");
        assert!(proxy.owner.as_ref().is_some_and(|owner| owner.exe.contains("docker")), "{proxy:?}");
        assert!(listening(Some(alone)).await.is_empty());

        let settings = async |pid, name: &str| {
            let look = Look::Sysctl { machine: host(), pid, names: vec![name.to_owned(), "net.no.such".to_owned()] };
            match see(sandbox, look).await {
                Seen::Settings { values } => {
                    assert_eq!(values["net.no.such"], None);
                    values[name].clone()
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(settings(Some(alone), "net.ipv4.ip_default_ttl").await.as_deref(), Some("33"));
        assert_eq!(settings(None, "net.ipv4.ip_default_ttl").await.as_deref(), Some("64"));
        assert_eq!(settings(None, "net.ipv4.conf.all.accept_redirects").await.as_deref(), Some("0"));

        let Seen::Addresses { addresses } = see(sandbox, Look::Addresses { machine: host(), pid: Some(web) }).await
        else {
            panic!("no addresses")
        };
        let address = addresses.iter().find(|found| found.interface == "eth0").expect("an address").address.clone();
        let knock = async |pid, address: &str| {
            let look = Look::Connect {
                machine: host(),
                pid,
                host: address.to_owned(),
                port: 8080,
                protocol: Protocol::Tcp,
                send: String::new(),
                timeout_ms: 1_000,
            };
            see(sandbox, look).await
        };
        assert!(matches!(knock(None, &address).await, Seen::Connected { .. }));
        assert!(matches!(knock(Some(alone), &address).await, Seen::NoAnswer { .. }));
        let from_inside = Look::Http {
            machine: host(),
            host: "localhost".into(),
            port: 8080,
            method: "GET".into(),
            path: "/healthz".into(),
            headers: vec![],
            body: String::new(),
            timeout_ms: 2_000,
            limit: 100,
            pid: Some(web),
            way: Way::Tcp,
        };
        assert!(matches!(see(sandbox, from_inside).await, Seen::Http { status: 200, .. }));
        let load = Look::Load {
            machine: "probe".into(),
            host: host(),
            port: 8080,
            path: "/healthz".into(),
            count: 5,
            timeout_ms: 1_000,
        };
        assert!(matches!(see(sandbox, load).await, Seen::Load { millis, failed: 0 } if millis.len() == 5));
    })
    .await;
}

#[tokio::test]
async fn layers_are_searched_as_they_lie_on_each_other() {
    let setup = "mkdir /root/b; cd /root/b
        printf 'FROM tiny:1\\nRUN echo s3cret-token > /tmp/t && chmod 4755 /bin/busybox 2>/dev/null; mkdir -p /opt/a && echo x > /opt/a/f && touch /bin/curl /bin/helper && chmod 4755 /bin/helper\\nRUN rm -r /tmp/t /opt/a /bin/curl && chmod 755 /bin/helper\\n' > Dockerfile
        docker build -q -t built:1 .";
    with_sandbox(setup, async |sandbox| {
        let layers = sandbox
            .says("docker inspect -f '{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}' built:1")
            .await;
        let layers: Vec<String> = layers.split(':').map(str::to_owned).collect();
        assert!(layers.len() >= 3, "{layers:?}");
        let look = Look::Search {
            machine: host(),
            pid: None,
            directories: layers.clone(),
            needles: vec!["s3cret-token".into(), "no-such-text".into()],
        };
        let Seen::Search { hits, files, truncated, .. } = see(sandbox, look).await else { panic!("no search") };
        assert!(!truncated && files > 10, "{files}");
        assert_eq!(hits.iter().map(|hit| (hit.needle, hit.path.as_str())).collect::<Vec<_>>(), [(0, "/tmp/t")]);

        let look = Look::Scan { machine: host(), pid: None, layers: layers.clone() };
        let Seen::Scan { entries, truncated } = see(sandbox, look).await else { panic!("no scan") };
        assert!(!truncated);
        let helper = entries
            .iter()
            .find(|entry| entry.path == "/bin/helper")
            .unwrap_or_else(|| panic!("no helper among {}", entries.len()));
        assert_eq!(helper.mode, 0o755);
        assert!(!entries.iter().any(|entry| entry.path == "/bin/curl"), "a whiteout hides it");

        let find = async |path: &str| {
            let look = Look::Layered { machine: host(), layers: layers.clone(), path: path.into(), limit: 100 };
            see(sandbox, look).await
        };
        assert_eq!(find("/opt/a/f").await, Seen::Missing, "its directory is gone");
        assert!(matches!(find("/bin/helper").await, Seen::File(facts) if facts.mode == 0o755));
        assert!(matches!(find("/etc/passwd").await, Seen::File(facts) if facts.content.contains("root")));
    })
    .await;
}

#[tokio::test]
async fn the_past_the_filter_and_the_programs_are_told() {
    let setup = "docker run --name talker tiny:1 sh -c 'echo one; echo two >&2'
        iptables -I DOCKER-USER -p tcp --dport 4711 -j DROP; ip6tables -A INPUT -p tcp --dport 4712 -j DROP
        iptables-legacy -A INPUT -p tcp --dport 4713 -j DROP || true
        printf '#!/bin/sh\\n' > /usr/sbin/iptables-nft-save; rm /usr/bin/jq; touch /usr/bin/docker; echo a > /root/log; echo b >> /root/log";
    with_sandbox(setup, async |sandbox| {
        let (id, _) = container(sandbox, "talker").await;
        let text = async |look| match see(sandbox, look).await {
            Seen::Text { text, truncated: false } => text,
            other => panic!("{other:?}"),
        };
        let events = text(Look::Events { machine: host(), filters: String::new(), limit: 256 * 1024 }).await;
        let actions: Vec<_> =
            events.lines().filter(|line| line.contains(&id) && line.contains("\"Type\":\"container\"")).collect();
        assert!(actions.len() >= 3, "{events}");
        let logs = text(Look::Logs { machine: host(), container: id, lines: 10, limit: 1000 }).await;
        let mut logs: Vec<_> = logs.lines().collect();
        logs.sort_unstable();
        assert_eq!(logs, ["one", "two"]);
        assert_eq!(
            text(Look::Tail { machine: host(), pid: None, path: "/root/log".into(), limit: 10 }).await,
            "a\nb\n"
        );

        let filter = text(Look::Firewall { machine: host() }).await;
        assert!(filter.contains("-A DOCKER-USER -p tcp -m tcp --dport 4711 -j DROP"), "{filter}");
        assert!(filter.contains("4712"), "{filter}");
        assert!(filter.contains("MASQUERADE"), "{filter}");

        let directories = vec!["usr/bin".into(), "usr/sbin".into()];
        let look = Look::Tampered { machine: host(), directories, programs: Vec::new() };
        let Seen::Tampered { changes, truncated } = see(sandbox, look).await else { panic!("no list") };
        assert!(!truncated);
        let changes: Vec<_> = changes.iter().map(|change| (change.path.as_str(), change.what)).collect();
        assert_eq!(changes, [("/usr/bin/jq", Tampering::Removed), ("/usr/sbin/xtables-nft-multi", Tampering::Changed)]);

        let Seen::Processes { processes, .. } = see(sandbox, Look::Processes { machine: host() }).await else {
            panic!("no processes")
        };
        let engine = processes.iter().find(|process| process.exe == "/usr/sbin/dockerd").expect("an engine");
        assert_eq!(engine.uid, 0);
        assert!(processes.iter().any(|process| process.pid == engine.parent), "{engine:?}");
    })
    .await;
}

#[tokio::test]
async fn an_engine_that_starts_something_else_is_found_out() {
    // What a forger can do with no more than a socket: say yes to everything, and start nothing.
    let forger = r#"use IO::Socket::UNIX;
unlink '/run/docker.sock';
my $s = IO::Socket::UNIX->new(Local => '/run/docker.sock', Listen => 50) or die $!;
open(my $r, '>', '/run/ready'); close $r;
while (my $c = $s->accept) {
  my $line = <$c>; while (my $h = <$c>) { last if $h =~ /^\r?$/ }
  my $body = '{"Id":"abc"}';
  print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\n\r\n$body"; close $c;
}
"#;
    with_sandbox("docker run -d --name web tiny:1 sleep 1000", async |sandbox| {
        let (id, pid) = container(sandbox, "web").await;
        sandbox.run("systemctl stop docker.socket 2>/dev/null; rm -f /run/docker.sock").await;
        sandbox.serve(forger).await;
        let look = Look::Visit {
            machine: host(),
            place: Place::Container { id, pid },
            errands: vec![call("mount")],
            timeout_ms: 2_000,
        };
        let fault = sandbox.look(look).await.expect_err("nobody came");
        assert_eq!(fault.kind, FaultKind::TimedOut, "{fault:?}");
        sandbox.assert_can_be_graded().await;
    })
    .await;
}
