//! Kinds of checks on a real kernel and engine, each where it holds and where it does not.

use std::{collections::BTreeMap, time::Duration};

use bulkhead_labs::{
    grade::{CheckResult, Context, CourseKey, Nonce, Variables, Verdict, grade_lab},
    manifest::{Catalog, Files, Lab},
};

use crate::ground::{Sandbox, with_sandbox};

const FRAME: &str = r#"schema = 1
id = "small"
title = "Small"
summary = "A lab for tests."
module = 2
minutes = 5
machine = [{ name = "host", kind = "docker-host" }, { name = "probe", kind = "probe" }]
solution = { script = "run.sh" }
wrong_fix = [{ script = "run.sh", title = "Does nothing.", fails = ["x"] }]

[variables]
flag = "hex16"

[[task]]
id = "one"
title = "One"
points = 100
hints = [{ text = "Look." }]

[[task.check]]
id = "x"
fail = "Not yet."
"#;

fn lab(check: &str) -> Lab {
    let files: Files = [
        ("small/lab.toml", format!("{FRAME}{check}\n")),
        ("small/story.md", "A story.".to_owned()),
        ("small/solution.md", "The solution.".to_owned()),
        ("small/run.sh", "#!/bin/sh\nset -eu\n".to_owned()),
        ("small/tasks/one.md", "One.".to_owned()),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .collect();
    let catalog = Catalog::parse(&files);
    assert_eq!(catalog.diagnostics(), [], "{check}");
    catalog.lab("small").expect("the lab").clone()
}

fn context(lab: &Lab) -> Context {
    let variables = Variables::derive(&CourseKey::new("key"), "ada", &lab.id, 1, &lab.variables);
    let mut context = Context::new(variables, BTreeMap::new(), Nonce::new([7; 16]));
    context.patience = Duration::from_secs(5);
    context
}

async fn judge(sandbox: &Sandbox<'_>, check: &str) -> CheckResult {
    let lab = lab(check);
    let grading = grade_lab(&lab, &sandbox.link, &context(&lab), &|_| ()).await;
    grading.result("x").expect("a result").clone()
}

/// What was observed, where the check comes to `verdict`.
async fn comes_to(sandbox: &Sandbox<'_>, verdict: Verdict, check: &str) -> String {
    let result = judge(sandbox, check).await;
    assert_eq!(result.verdict, verdict, "{check}: {result:?}");
    result.observed
}

async fn passes(sandbox: &Sandbox<'_>, check: &str) -> String {
    comes_to(sandbox, Verdict::Pass, check).await
}

async fn fails(sandbox: &Sandbox<'_>, check: &str) -> String {
    comes_to(sandbox, Verdict::Fail, check).await
}

#[tokio::test]
async fn commands_run_where_and_as_whom_a_check_says() {
    let setup = "useradd -u 1501 -G docker dev1; useradd -u 1502 dev2
        docker run -d --name ci --label bulkhead.role=ci --user 10001:10001 tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let matrix = |user: &str, right: &str| {
            format!(
                "kind = \"exec\"\nuser = \"{user}\"\n[[task.check.run]]\nargv = [\"docker\", \"ps\", \"-q\"]\n{right}\n\
                 [[task.check.run]]\nscript = \"id -un; echo $HOME\"\nmatches = \"^{user}\\n\""
            )
        };
        passes(sandbox, &matrix("dev1", "code = 0")).await;
        fails(sandbox, &matrix("dev1", "fails = true")).await;
        passes(sandbox, &matrix("dev2", "fails = true\nmatches = \"permission denied\"")).await;
        let inside = |right: &str| {
            format!("kind = \"exec\"\nof = {{ role = \"ci\" }}\n[[task.check.run]]\nargv = [\"touch\", \"/etc/x\"]\n{right}\n[[task.check.run]]\nscript = \"id -u\"\nmatches = \"^10001$\"")
        };
        let inside = |right: &str| inside(right).replace("^10001$", "^10001\\n$");
        passes(sandbox, &inside("fails = true")).await;
        fails(sandbox, &inside("")).await;
    })
    .await;
}

#[tokio::test]
async fn limits_networks_and_listeners_are_judged() {
    let setup = "docker network create --internal back
        docker run -d --name small --label bulkhead.role=small -m 64m --memory-swap 64m --pids-limit 50 --cpus 0.5 --network back tiny:1 sleep 1000
        docker run -d --name large --label bulkhead.role=large -p 127.0.0.1:8080:8080 cms:1";
    with_sandbox(setup, async |sandbox| {
        let limits = |role: &str| format!("kind = \"cgroup\"\nof = {{ role = \"{role}\" }}\nmemory_max = \"64m\"\nmemory_min = \"64m\"\nswap = \"none\"\npids_max = 50\ncpus_max = \"0.5\"\noom_kill = true\nrunning = true");
        let seen = passes(sandbox, &limits("small")).await;
        assert!(seen.contains("64m") && seen.contains("50") && seen.contains("0.5"), "{seen}");
        let seen = fails(sandbox, &limits("large")).await;
        assert!(seen.contains("memory is not limited") && seen.contains("processes is not limited"), "{seen}");
        sandbox.says("docker pause small").await;
        // A paused container does not run.
        fails(sandbox, &limits("small")).await;
        sandbox.says("docker unpause small").await;

        let network = |members: &str| format!("kind = \"network\"\nname = \"back\"\nthat = \".Internal\"\nmembers = [{members}]");
        passes(sandbox, &network("\"small\"")).await;
        fails(sandbox, &network("\"small\", \"large\"")).await;
        passes(sandbox, "kind = \"network\"\nname = \"bridge\"\nincludes = [\"large\"]\nexcludes = [\"small\"]").await;
        passes(sandbox, "kind = \"network\"\nname = \"front\"\nabsent = true").await;

        passes(sandbox, "kind = \"listen\"\nport = 8080\nonly_on = [\"127.0.0.1\"]\nowner = \"docker\"").await;
        fails(sandbox, "kind = \"listen\"\nport = 8080\nabsent = true").await;
        passes(sandbox, "kind = \"listen\"\nport = 2375\nabsent = true").await;
        passes(sandbox, "kind = \"listen\"\nof = { role = \"large\" }\nport = 8080").await;
        passes(sandbox, "kind = \"listen\"\nof = { role = \"small\" }\nport = 8080\nabsent = true").await;
    })
    .await;
}

#[tokio::test]
async fn who_reaches_whom_is_tried_from_inside() {
    let setup = "docker network create --internal back; docker network create front
        run() { docker run -d --name $1 --label bulkhead.role=$1 --network $2 $4 cms:1; }
        run web front; run api front; docker network connect back api; run db back
        docker run -d --name quiet --label bulkhead.role=quiet --network back tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let cell = |from: &str, to: &str, reach: bool| {
            format!("[[task.check.cell]]\nfrom = \"{from}\"\nto = \"{to}\"\nport = 8080\npath = \"/healthz\"\nreach = {reach}\n")
        };
        let matrix = format!(
            "kind = \"net\"\n{}{}{}[[task.check.cell]]\nfrom_machine = \"probe\"\nto = \"db\"\nport = 8080\nreach = false\n\
             [[task.check.cell]]\nfrom = \"db\"\nto_address = \"10.77.0.3\"\nport = 80\nreach = false",
            cell("web", "api", true),
            cell("api", "db", true),
            cell("web", "db", false)
        );
        let seen = passes(sandbox, &matrix).await;
        assert!(seen.contains("web reaches api:8080") && seen.contains("web does not reach db:8080"), "{seen}");
        fails(sandbox, &format!("kind = \"net\"\n{}", cell("web", "quiet", false))).await;
        // An internal network does not keep its containers from the host itself.
        let to_host = "kind = \"net\"\n[[task.check.cell]]\nfrom = \"db\"\nto_machine = \"host\"\nport = 22\nreach = false";
        sandbox.says("systemctl start ssh; until ss -ltn | grep -q :22; do sleep 0.1; done").await;
        fails(sandbox, to_host).await;
        sandbox.says("iptables -I INPUT -i br-$(docker network inspect -f '{{.Id}}' back | cut -c1-12) -j DROP").await;
        passes(sandbox, to_host).await;
        sandbox.says("docker network connect front db").await;
        let seen = fails(sandbox, &matrix).await;
        assert!(seen.contains("web reaches db:8080"), "{seen}");
    })
    .await;
}

#[tokio::test]
async fn answers_are_recomputed_from_the_live_state() {
    let setup = r#"docker run -d --name web --label bulkhead.role=web tiny:1 sleep 1000
        P=$(docker inspect -f '{{.State.Pid}}' web); mkdir -p /root/answers
        U=$(docker inspect -f '{{.GraphDriver.Data.UpperDir}}' web)
        printf '{"pid": %s, "net": "%s", "cgroup": "%s", "image": "%s", "upper": "%s", "shim": %s, "link": "%s"}' $P \
          $(readlink /proc/$P/ns/net | tr -dc 0-9) $(sed -n 's/.*pids:\(.*\)/\1/p; s/^0:://p' /proc/$P/cgroup | head -1) \
          $(docker inspect -f '{{.Image}}' web) $U $(ps -o ppid= -p $P) \
          $(sed -n 's/.* \/ \/ .*upperdir=\([^,]*\).*/\1/p' /proc/$P/mountinfo) > /root/answers/a.json"#;
    with_sandbox(setup, async |sandbox| {
        let check = |key: &str, see: &str, that: &str| {
            format!(
                "kind = \"answer\"\nfile = {{ path = \"/root/answers/a.json\", that = \".{key}\" }}\n\
                 live = {{ of = {{ role = \"web\" }}, see = \"{see}\", that = '{that}' }}"
            )
        };
        let upper = "[.mounts[] | select(.mount_point == \"/\") | .super_options[] | select(startswith(\"upperdir=\")) | ltrimstr(\"upperdir=\")]";
        let all = [
            check("pid", "process", ".pid"),
            check("net", "process", ".namespaces.net"),
            check("cgroup", "process", "[.cgroups[]]"),
            check("image", "inspect", ".Image"),
            check("upper", "inspect", ".GraphDriver.Data.UpperDir"),
            check("link", "process", upper),
            check("shim", "parent", ".pid"),
        ];
        for check in &all {
            passes(sandbox, check).await;
        }
        sandbox.says("docker restart -t 0 web").await;
        // The kernel may number the new network namespace as it did the old one.
        for stale in [&all[0], &all[6]] {
            fails(sandbox, stale).await;
        }
    })
    .await;
}

#[tokio::test]
async fn images_are_judged_by_their_layers_and_their_own_configuration() {
    let setup = r#"mkdir -p /root/app; cd /root/app; echo s3cret-token > token; dd if=/dev/urandom of=ballast bs=1k count=600 2>/dev/null
        cat > Dockerfile.bad <<'END'
FROM tiny:1
LABEL lab=app
ARG TOKEN
ENV TOKEN=$TOKEN
COPY token /tmp/token
COPY ballast /opt/ballast
RUN rm /tmp/token && mkdir -p /var/lib/dpkg && printf 'Package: sudo\nStatus: install ok installed\n\n' > /var/lib/dpkg/status && cp /bin/busybox /bin/helper && chmod 4755 /bin/helper && ln -s busybox /bin/sudo
CMD sleep 1000
END
        cat > Dockerfile.good <<'END'
FROM tiny:1
LABEL lab=app
RUN --mount=type=secret,id=tok sha256sum /run/secrets/tok > /data; find / -xdev -perm /6000 -type f -exec chmod a-s {} + ; echo 'app:x:10001:10001::/:/bin/sh' >> /etc/passwd
USER app
HEALTHCHECK CMD ["true"]
CMD ["sleep", "1000"]
END
        docker build -q -t app:bad --build-arg TOKEN=argument-secret -f Dockerfile.bad . && docker build -q -t app:good --secret id=tok,src=token -f Dockerfile.good ."#;
    with_sandbox(setup, async |sandbox| {
        let check = |name: &str, keys: &str| format!("kind = \"image\"\nname = \"app:{name}\"\n{keys}");
        for keys in [
            "lacks_text = [\"s3cret-\"]",
            "lacks_text = [\"argument-secret\"]",
            "no_setuid = true",
            "without_programs = [\"sudo\", \"curl\"]",
            "without_packages = [\"sudo\"]",
            "user_at_least = 1000",
            "exec_form = true",
            "healthcheck = true",
            "size_below = { of = \"app:bad\", percent = 90 }",
            "lacks = [\"/tmp/token\"]",
        ] {
            passes(sandbox, &check("good", keys)).await;
            fails(sandbox, &check("bad", keys)).await;
        }
        passes(sandbox, &check("good", "built_on = \"tiny:1\"")).await;
        fails(sandbox, &check("good", "built_on = \"cms:1\"")).await;
        let seen = fails(sandbox, &check("bad", "lacks_text = [\"s3cret-\"]")).await;
        assert!(seen.contains("/tmp/token"), "{seen}");
        // One image that has it is enough, with or without a name.
        let every = |filter: &str| format!("kind = \"image\"\nevery = {{ {filter} }}\nlacks_text = [\"s3cret-\"]");
        for filter in ["label = \"lab=app\"", "reference = \"app\"", "all = true"] {
            fails(sandbox, &every(filter)).await;
        }
        fails(sandbox, "kind = \"image-history\"\nname = \"app:bad\"\nlacks = \"TOKEN\"").await;
        passes(sandbox, "kind = \"image-history\"\nname = \"app:good\"\nlacks = \"TOKEN\"\nmatches = \"HEALTHCHECK\"")
            .await;
        sandbox.says("docker rmi -f app:bad; docker image prune -f").await;
        passes(sandbox, &every("label = \"lab=app\"")).await;
        // What the build left keeps it still.
        let cache = "kind = \"image\"\nevery = { label = \"lab=app\" }\ncache = true\nlacks_text = [\"s3cret-\"]";
        fails(sandbox, cache).await;
        sandbox.says("docker builder prune -af").await;
        passes(sandbox, cache).await;
    })
    .await;
}

#[tokio::test]
async fn an_attack_works_from_a_weak_container_and_not_from_a_hard_one() {
    let strict = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["access","arch_prctl","brk","capget","capset","chdir","chmod","clock_nanosleep","clone","close","close_range","dup2","dup3","epoll_create1","epoll_ctl","epoll_pwait","execve","execveat","exit","exit_group","faccessat2","fchdir","fchown","fcntl","fstat","fstatfs","futex","getcwd","getdents64","getegid","geteuid","getgid","getpid","getppid","getrandom","gettid","getuid","ioctl","lseek","mkdir","mmap","mprotect","munmap","nanosleep","newfstatat","open","openat","pipe2","prctl","pread64","prlimit64","read","readlinkat","rseq","rt_sigaction","rt_sigprocmask","rt_sigreturn","sched_yield","set_robust_list","set_tid_address","setgid","setgroups","setsid","setuid","sigaltstack","stat","statfs","statx","tgkill","umask","uname","unlink","wait4","write","writev"],"action":"SCMP_ACT_ALLOW"}]}"#;
    let setup = format!(
        "echo 'flag is mine' > /root/flag; echo '{strict}' > /root/strict.json
         run() {{ name=$1; shift; docker run -d --name $name --label bulkhead.role=$name \"$@\" tiny:1 sleep 1000; }}
         run weak --privileged --pid=host -v /run/docker.sock:/run/docker.sock:ro
         run usual
         run hard --cap-drop ALL --security-opt no-new-privileges --security-opt seccomp=/root/strict.json"
    );
    with_sandbox(&setup, async |sandbox| {
        let attack = |role: &str, attempts: &[&str]| {
            let attempts: Vec<_> = attempts.iter().map(|keys| format!("[[task.check.attempt]]\n{keys}\n")).collect();
            let attempts = attempts.concat();
            format!("kind = \"attack\"\nof = {{ role = \"{role}\" }}\n{attempts}")
        };
        let calls = ["mount", "ptrace", "unshare", "keyctl", "bpf", "socket:ALG", "socket:VSOCK"].map(|call| format!("call = \"{call}\""));
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        let files = ["read = \"/proc/1/root/root/flag\"\nfinds = \"flag is mine\"", "enter = \"/root/flag\"\nfinds = \"mine\"", "mount_at = \"/tmp\""];
        let socket = "request = { unix = \"/run/docker.sock\", method = \"POST\", path = \"/containers/create\", body = \"{}\" }";
        let silent = format!("{socket}\nsilent = true");
        for attempt in calls.iter().take(3).chain(&files).chain([&socket]) {
            let result = judge(sandbox, &attack("weak", &[attempt])).await;
            assert!(result.verdict == Verdict::Fail && result.breach, "{attempt}: {result:?}");
        }
        // What the sandbox refuses anyway is told from what the container's filter refuses.
        let seen = fails(sandbox, &attack("weak", &["call = \"keyctl\""])).await;
        assert!(seen.contains("own filter lets keyctl through"), "{seen}");
        passes(sandbox, &attack("usual", &["call = \"keyctl\"", "call = \"bpf\"", "call = \"mount\""])).await;
        passes(sandbox, &attack("hard", &calls)).await;
        passes(sandbox, &attack("hard", &files)).await;
        passes(sandbox, &attack("hard", &[&silent])).await;
        fails(sandbox, &attack("hard", &[socket])).await;

        // On the machine, as somebody who may or may not speak to the engine.
        sandbox.says("useradd -u 1501 -G docker dev1; useradd -u 1502 dev2").await;
        let user = |user: &str| format!("kind = \"attack\"\nuser = \"{user}\"\n[[task.check.attempt]]\n{silent}\n[[task.check.attempt]]\nread = \"/etc/shadow\"");
        let result = judge(sandbox, &user("dev1")).await;
        assert!(result.verdict == Verdict::Fail && result.breach && result.observed.contains("create"), "{result:?}");
        passes(sandbox, &user("dev2")).await;
    })
    .await;
}

#[tokio::test]
async fn the_past_the_filter_the_settings_and_the_engine_are_judged() {
    let setup = r"docker run -d --name talker --label bulkhead.role=talker --sysctl net.ipv4.ip_default_ttl=33 tiny:1 sh -c 'echo ready; echo error-7 >&2; sleep 1000'
        docker volume create keep; docker network create back; docker tag tiny:1 shop:1; docker tag tiny:1 shop:2
        iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 8080 -j DROP; iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT
        printf 'one\ntwo\nthree\n' > /var/log/authz.log; printf '#!/bin/sh\necho forged\n' > /usr/local/sbin/iptables-save; chmod +x /usr/local/sbin/iptables-save";
    with_sandbox(setup, async |sandbox| {
        passes(sandbox, "kind = \"events\"\nevent = [\"create\", \"start\"]\nwhere = '.Actor.Attributes.name == \"talker\"'\nat_least = 2\nat_most = 2").await;
        fails(sandbox, "kind = \"events\"\nevent = [\"destroy\"]\nat_least = 1").await;
        passes(sandbox, "kind = \"events\"\ntype = \"image\"\nevent = [\"tag\"]\nthat = \"length == 2\"").await;

        passes(sandbox, "kind = \"logs\"\nof = { role = \"talker\" }\nmatches = \"^ready$\"\nlacks = \"panic\"").await;
        fails(sandbox, "kind = \"logs\"\nof = { role = \"talker\" }\nlacks = \"error-[0-9]\"").await;
        passes(sandbox, "kind = \"logs\"\npath = \"/var/log/authz.log\"\nmatches = \"^t\"\nat_least = 2").await;
        fails(sandbox, "kind = \"logs\"\npath = \"/var/log/none.log\"\nmatches = \"x\"").await;

        let rule = "kind = \"firewall\"\nchain = \"DOCKER-USER\"\nhas = [\"--ctorigdstport 8080 .*DROP\"]";
        passes(sandbox, &format!("{rule}\nbefore = \"RETURN\"")).await;
        fails(sandbox, &rule.replace("8080", "9090")).await;
        passes(sandbox, "kind = \"firewall\"\nchain = \"INPUT\"\npolicy = \"DROP\"\nhas = [\"-i lo -j ACCEPT\"]\nlacks = [\"8080\"]").await;
        passes(sandbox, "kind = \"firewall\"\nthat = '.ipv4.nat.POSTROUTING.rules | any(test(\"MASQUERADE\"))'").await;
        sandbox.says("iptables -D DOCKER-USER 1; iptables -A DOCKER-USER -p tcp -m conntrack --ctorigdstport 8080 -j DROP; iptables -I DOCKER-USER -j RETURN").await;
        fails(sandbox, &format!("{rule}\nbefore = \"RETURN\"")).await;

        passes(sandbox, "kind = \"sysctl\"\nvalues = { \"net.ipv4.ip_forward\" = \"1\" }").await;
        fails(sandbox, "kind = \"sysctl\"\nvalues = { \"net.ipv4.ip_forward\" = \"0\", \"net.no.such\" = \"1\" }").await;
        passes(sandbox, "kind = \"sysctl\"\nof = { role = \"talker\" }\nvalues = { \"net.ipv4.ip_default_ttl\" = \"3[0-9]\" }").await;

        passes(sandbox, "kind = \"engine\"\nthat = '.exe == \"/usr/sbin/dockerd\" and .uid == 0 and (.effective.icc != false)'").await;
        passes(sandbox, "kind = \"engine\"\nsee = \"info\"\nthat = '.Driver == \"overlay2\"'").await;
        let hard = "kind = \"engine\"\nthat = '.effective.icc == false and .effective[\"log-opts\"][\"max-size\"] == \"10m\"'";
        fails(sandbox, hard).await;
        sandbox.says(r#"echo '{"icc": false, "log-opts": {"max-size": "10m"}}' > /etc/docker/daemon.json && systemctl restart docker && docker start talker"#).await;
        passes(sandbox, hard).await;

        let images = |names: &str| format!("kind = \"inventory\"\nwhat = \"images\"\nexactly = [{names}]\nignore = \"^(cms|tiny):\"");
        passes(sandbox, &images("\"shop:1,shop:2\"")).await;
        fails(sandbox, &images("\"shop:1\"")).await;
        passes(sandbox, "kind = \"inventory\"\nwhat = \"containers\"\nexactly = [\"talker\"]").await;
        passes(sandbox, "kind = \"inventory\"\nwhat = \"volumes\"\nincludes = [\"keep\"]\nexcludes = [\"gone\"]").await;
        passes(sandbox, "kind = \"inventory\"\nwhat = \"networks\"\nexactly = [\"back\"]").await;
        fails(sandbox, "kind = \"inventory\"\nwhat = \"containers\"\nlabel = \"bulkhead.role\"\nrunning = true\nexcludes = [\"talker\"]").await;
    })
    .await;
}

#[tokio::test]
async fn who_shows_the_right_certificate_is_let_in_and_nobody_else() {
    let setup = r#"mkdir -p /root/tls; cd /root/tls
        ec() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "$@" 2>/dev/null; }
        sign() { openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -out $1.pem -extfile <(printf "$2") 2>/dev/null; }
        ec -x509 -keyout ca-key.pem -out ca.pem -days 30 -subj /CN=ca -addext basicConstraints=critical,CA:TRUE
        ec -keyout server-key.pem -out server.csr -subj /CN=host; sign server 'subjectAltName=DNS:host,IP:10.77.0.2\nextendedKeyUsage=serverAuth'
        ec -keyout client-key.pem -out client.csr -subj /CN=deploy; sign client 'extendedKeyUsage=clientAuth'
        ec -x509 -keyout other-key.pem -out other.pem -days 30 -subj /CN=other
        serve() { setsid openssl s_server -www -quiet -accept $1 -cert server.pem -key server-key.pem "${@:2}" < /dev/null > /dev/null 2>&1 & }
        serve 2376 -CAfile ca.pem -Verify 2 -verify_return_error
        serve 2377
        until ss -ltn | grep -q 2376 && ss -ltn | grep -q 2377; do sleep 0.1; done"#;
    with_sandbox(setup, async |sandbox| {
        let check = |port: u16, name: &str, ca: &str, client: &str| {
            format!("kind = \"tls\"\nport = {port}\npath = \"/\"\nclient = {{ name = \"{name}\", ca = \"/root/tls/{ca}.pem\"{client} }}")
        };
        let own = ", certificate = \"/root/tls/client.pem\", key = \"/root/tls/client-key.pem\"";
        let seen = passes(sandbox, &check(2376, "host", "ca", own)).await;
        assert!(seen.contains("may trust it") && seen.contains("no certificate gets no answer"), "{seen}");
        passes(sandbox, &check(2376, "10.77.0.2", "ca", own)).await;
        for (wrong, said) in [
            (check(2377, "host", "ca", own), "who shows no certificate gets 200"),
            (check(2376, "elsewhere", "ca", own), "not for the name elsewhere"),
            (check(2376, "host", "other", own), "not signed by that CA"),
            (check(2376, "host", "none", own), "there is no usable /root/tls/none.pem"),
            (check(2376, "host", "ca", ""), "refused"),
            (check(2376, "host", "ca", ", certificate = \"/root/tls/other.pem\", key = \"/root/tls/other-key.pem\""), "refused"),
            (check(2376, "host", "ca", ", certificate = \"/root/tls/client.pem\", key = \"/root/tls/other-key.pem\""), "of no use"),
            (check(22, "host", "ca", own), "no answer"),
        ] {
            let result = judge(sandbox, &wrong).await;
            assert!(result.verdict == Verdict::Fail && result.observed.contains(said), "{wrong}: {result:?}");
        }
        let probe = |name: &str| {
            format!("kind = \"probe\"\nport = 2376\ntls = {{ name = \"{name}\", ca = \"/root/tls/ca.pem\"{own} }}\n[[task.check.step]]\npath = \"/\"\nmatches = \"TLSv1\"")
        };
        passes(sandbox, &probe("host")).await;
        fails(sandbox, &probe("elsewhere")).await;
    })
    .await;
}

#[tokio::test]
async fn a_service_is_quick_or_not() {
    with_sandbox("docker run -d --name cms -p 8080:8080 cms:1", async |sandbox| {
        let check = |port: u16, keys: &str| {
            format!("kind = \"latency\"\nport = {port}\npath = \"/healthz\"\ncount = 10\np95_ms = 2000\n{keys}")
        };
        passes(sandbox, "kind = \"probe\"\nport = 8080\n[[task.check.step]]\npath = \"/healthz\"").await;
        passes(sandbox, &check(8080, "")).await;
        passes(sandbox, &check(8080, "trigger = { port = 8080, path = \"/healthz\" }")).await;
        fails(sandbox, &check(8081, "")).await;
        fails(sandbox, &check(8080, "trigger = { port = 8081, path = \"/burn\" }")).await;
    })
    .await;
}

#[tokio::test]
async fn services_are_asked_by_ipv6() {
    let setup = "docker run -d --name web --label bulkhead.role=web -p 8080:8080 cms:1";
    with_sandbox(setup, async |sandbox| {
        let cell = |reach: bool| {
            format!(
                "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto_machine = \"host\"\nfamily = \"ipv6\"\n\
                 port = 8080\npath = \"/healthz\"\nreach = {reach}"
            )
        };
        let step = "port = 8080\nfamily = \"ipv6\"\n[[task.check.step]]\npath = \"/healthz\"";
        let probe = format!("kind = \"probe\"\n{step}");
        let attack = format!("kind = \"attack\"\n{step}\nstatus = 403\nsilent = true\nbreach = \"(?s).\"");
        let seen = passes(sandbox, &cell(true)).await;
        assert!(seen.contains("at fe80::") && seen.contains("%eth0"), "{seen}");
        fails(sandbox, &cell(false)).await;
        passes(sandbox, &probe).await;
        fails(sandbox, &attack).await;

        sandbox.says("ip6tables -A INPUT -p tcp --dport 8080 -j REJECT").await;
        passes(sandbox, &cell(false)).await;
        fails(sandbox, &probe).await;
        passes(sandbox, &attack).await;
        passes(sandbox, &probe.replace("ipv6", "ipv4")).await;
    })
    .await;
}

#[tokio::test]
async fn a_state_is_waited_for_and_networks_without_addresses_have_members() {
    let setup = "docker run -d --name alone --label bulkhead.role=alone --network none tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let late = "(sleep 4; docker run -d --name late --label bulkhead.role=late --network host tiny:1 sleep 1000)";
        sandbox.says(&format!("setsid sh -c '{late}' > /dev/null 2>&1 < /dev/null &")).await;
        let running = "kind = \"container\"\nof = { role = \"late\" }\nthat = \".State.Running\"";
        fails(sandbox, running).await;
        passes(sandbox, &format!("{running}\nwithin = \"30s\"")).await;

        let on =
            |network: &str, members: &str| format!("kind = \"network\"\nname = \"{network}\"\nmembers = [{members}]");
        passes(sandbox, &on("host", "\"late\"")).await;
        fails(sandbox, &on("host", "")).await;
        passes(sandbox, &on("none", "\"alone\"")).await;
        fails(sandbox, &on("none", "\"alone\", \"late\"")).await;
    })
    .await;
}
