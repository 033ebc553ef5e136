//! Kinds about containers, their images and the commands in them.

use bulkhead_labs::grade::Verdict;

use super::{fails, judge, passes};
use crate::ground::with_sandbox;

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
