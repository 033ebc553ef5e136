//! What is looked at is the student's: links lead where he likes, and files need not end.

use bulkhead_agent::{
    look::{FileKind, Look, Seen},
    protocol::FaultKind,
};

use crate::ground::{Sandbox, file, with_sandbox};

const CONTAINER: &str = "docker run -d --name web tiny:1 sleep 1000";

/// In the sandbox's outer tree, and in no machine's.
const OUTSIDE: [&str; 3] = ["/bulkhead/agent", "/host/etc/passwd", "/preload/meta"];

fn tree(path: &str, pid: Option<i32>) -> Look {
    Look::Tree { machine: "host".to_owned(), pid, path: path.to_owned(), limit: 1000 }
}

async fn pid(sandbox: &Sandbox<'_>) -> i32 {
    sandbox.says("docker inspect -f '{{.State.Pid}}' web").await.parse().expect("a pid")
}

/// Makes the links below `at`; all of them must lead nowhere.
async fn plant(sandbox: &Sandbox<'_>, at: &str) -> Vec<String> {
    let ways = [
        "",
        "../../../../../..",
        "/proc/self/root",
        "/proc/1/root",
        "/proc/1/cwd",
        "/proc/self/fd/3",
        "/proc/thread-self/root",
    ];
    let mut links = Vec::new();
    let mut script = format!("mkdir -p {at}; ln -s /etc/hostname {at}/inside;");
    for (one, way) in ways.iter().enumerate() {
        for (two, outside) in OUTSIDE.iter().enumerate() {
            let name = format!("out-{one}-{two}");
            script.push_str(&["ln -s ", way, outside, " ", at, "/", &name, ";"].concat());
            links.push(name);
        }
        script.push_str(&["ln -s ", way, "/ ", at, "/up-", &one.to_string(), ";"].concat());
        links.extend(OUTSIDE.iter().map(|outside| format!("up-{one}{outside}")));
    }
    sandbox.says(&script).await;
    links
}

async fn assert_nothing_leads_out(sandbox: &Sandbox<'_>, at: &str, links: Vec<String>, pid: Option<i32>) {
    let inside = sandbox.look(file(&format!("{at}/inside"), pid)).await;
    assert!(
        matches!(&inside, Ok(Seen::File(facts)) if facts.kind == FileKind::File && !facts.content.is_empty()),
        "{inside:?}"
    );
    for chunk in links.chunks(20) {
        let paths = chunk.iter().map(|link| format!("{at}/{link}"));
        let looks = paths.clone().flat_map(|path| [file(&path, pid), tree(&path, pid)]).collect();
        let seen = sandbox.link.observe(looks).await.expect("the agent answers");
        for (path, seen) in paths.flat_map(|path| [path.clone(), path]).zip(seen) {
            match seen {
                Ok(Seen::Missing) => {}
                Ok(Seen::File(facts)) => assert_eq!(facts.kind, FileKind::Symlink, "{path} shows {facts:?}"),
                // The kernel refuses links of /proc that are more than text.
                Err(fault) => assert_eq!(fault.kind, FaultKind::Failed, "{path}: {fault:?}"),
                Ok(other) => panic!("{path} shows {other:?}"),
            }
        }
    }
    let Ok(Seen::Tree { entries, .. }) = sandbox.look(tree(at, pid)).await else { panic!("no tree") };
    assert!(entries.len() > 20 && entries.iter().all(|entry| entry.kind == FileKind::Symlink), "{entries:?}");
}

#[tokio::test]
async fn no_link_of_a_machine_leads_out_of_it() {
    with_sandbox("", async |sandbox| {
        let links = plant(sandbox, "/root/links").await;
        assert_nothing_leads_out(sandbox, "/root/links", links, None).await;
    })
    .await;
}

#[tokio::test]
async fn no_link_of_a_container_leads_out_of_it() {
    with_sandbox(CONTAINER, async |sandbox| {
        let pid = pid(sandbox).await;
        // The container's own writable layer, through the host, which may make any link.
        let upper = sandbox.says("docker inspect -f '{{.GraphDriver.Data.UpperDir}}' web").await;
        let links = plant(sandbox, &format!("{upper}/links")).await;
        assert_nothing_leads_out(sandbox, "/links", links, Some(pid)).await;
        // Nor to the machine around it.
        sandbox.says(&format!("echo hidden > /root/hidden; ln -s /proc/1/root/root/hidden {upper}/a; ln -s ../../../root/hidden {upper}/b")).await;
        for path in ["/a", "/b", "/root/hidden", "/../root/hidden"] {
            let seen = sandbox.look(file(path, Some(pid))).await;
            assert!(!format!("{seen:?}").contains("content: \"hidden"), "{path}: {seen:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_without_an_end_does_not_hold_a_look() {
    with_sandbox("", async |sandbox| {
        sandbox
            .says(
                "mkdir /root/f; cd /root/f; mkfifo fifo; ln -s fifo to-fifo; ln -s /dev/zero to-zero; ln -s /proc/kmsg to-kmsg
                 touch zero kmsg; mount --bind /dev/zero zero; mount --bind /proc/kmsg kmsg 2>/dev/null
                 ln -s loop loop; truncate -s 1T sparse; mkdir -p deep/$(printf 'd/%.0s' $(seq 200))
                 (head -c 100m /dev/zero > growing) >/dev/null 2>&1 & disown",
            )
            .await;
        sandbox
            .serve(
                "use Fcntl; open(my $f, '+>', '/root/f/leased') or die $!; fcntl($f, 1024, F_WRLCK) or die $!;
                 $SIG{IO} = 'IGNORE'; open(my $r, '>', '/run/ready'); sleep 1000;",
            )
            .await;
        let names =
            ["fifo", "to-fifo", "to-zero", "to-kmsg", "zero", "kmsg", "loop", "sparse", "growing", "leased", "deep"];
        let looks = names.iter().map(|name| file(&format!("/root/f/{name}"), None));
        let looks = looks.chain([tree("/root/f", None), tree("/proc", None), tree("/dev", None)]).collect();
        let seen = sandbox.link.observe(looks).await.expect("the agent answers");
        for (name, seen) in names.iter().chain(&["tree", "/proc", "/dev"]).zip(&seen) {
            match seen {
                Err(fault) => assert_ne!(fault.kind, FaultKind::TimedOut, "{name}: {fault:?}"),
                Ok(Seen::File(facts)) => assert!(facts.content.len() <= 4096, "{name}"),
                Ok(Seen::Tree { entries, .. }) => assert!(!entries.is_empty() && entries.len() <= 1000, "{name}"),
                Ok(other) => panic!("{name}: {other:?}"),
            }
        }
        let kinds = |at: usize| match &seen[at] {
            Ok(Seen::File(facts)) => Some(facts.kind),
            _ => None,
        };
        assert_eq!((kinds(0), kinds(1), kinds(2)), (Some(FileKind::Other), Some(FileKind::Other), Some(FileKind::Other)));
        assert_eq!(kinds(6), Some(FileKind::Symlink), "a link to itself is seen as the link");
    })
    .await;
}
