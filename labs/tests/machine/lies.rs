//! The student is root: programs and the engine's socket are what he makes of them. What he cannot forge is what the kernel
//! says, so a lie is seen or left open, and never passes.

use std::{collections::BTreeMap, path::Path, time::Duration};

use bulkhead_agent::{look::Seen, protocol::FaultKind};
use bulkhead_labs::{
    grade::{Context, CourseKey, Grading, Nonce, RestartError, Restarter, Variables, Verdict, grade_lab},
    manifest::{Catalog, Lab, MachineName, read_dir},
};

use crate::ground::{Sandbox, until, with_sandbox};

const WEB: &str = "docker run -d --name cms --label bulkhead.role=cms -p 8080:8080 cms:1";
const STOP: &str = "systemctl stop docker docker.socket 2>/dev/null; rm -f /run/docker.sock";

fn lab() -> Lab {
    let files = read_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog")).expect("the catalog");
    Catalog::parse(&files).lab("read-only-but-alive").expect("the lab").clone()
}

pub(crate) async fn grade(sandbox: &Sandbox<'_>) -> Grading {
    let lab = lab();
    let variables = Variables::derive(&CourseKey::new("key"), "ada", &lab.id, 1, &lab.variables);
    let mut context = Context::new(variables, BTreeMap::new(), Nonce::new([7; 16]));
    context.patience = Duration::ZERO;
    let grading = grade_lab(&lab, &sandbox.link, &context, &|_| ()).await;
    assert_eq!(grading.results.len(), lab.checks().count());
    grading
}

/// Every check that rests on the kernel's word about the container is open or failed.
fn assert_nothing_passes_by_lie(grading: &Grading) {
    let lab = lab();
    let mut judged = 0;
    for (_, check) in lab.checks().filter(|(_, check)| ["process", "mount", "file"].contains(&check.kind.name())) {
        let result = grading.result(check.id.as_str()).expect("a result");
        assert_ne!(result.verdict, Verdict::Pass, "{result:?}");
        judged += 1;
    }
    assert!(judged >= 3, "the lab has such checks");
    assert!(!grading.passed && grading.certain < lab.pass, "{grading:?}");
}

/// An engine of the student's own, which says what he wants to be true, of the process that he names.
fn forger(pid: &str) -> String {
    r#"use IO::Socket::UNIX;
unlink '/run/docker.sock';
my $s = IO::Socket::UNIX->new(Local => '/run/docker.sock', Listen => 50) or die $!;
my ($id, $pid) = ('a' x 64, PID);
my $list = qq([{"Id":"$id","Names":["/cms"],"State":"running","Labels":{"bulkhead.role":"cms"}}]);
my $inspect = qq({"Id":"$id","Name":"/cms","Image":"sha256:$id","State":{"Running":true,"Pid":$pid,"Restarting":false,"Paused":false,"Dead":false},
  "Config":{"User":"1000","Labels":{"bulkhead.role":"cms"}},"Mounts":[],
  "HostConfig":{"ReadonlyRootfs":true,"CapDrop":["ALL"],"SecurityOpt":["no-new-privileges"],"Privileged":false,"Binds":null}});
open(my $r, '>', '/run/ready'); close $r;
while (my $c = $s->accept) {
  my $line = <$c>; while (my $h = <$c>) { last if $h =~ /^\r?$/ }
  my $body = $line =~ m{/_ping} ? 'OK' : $line =~ m{containers/json} ? $list : $line =~ m{/json} ? $inspect : 'null';
  print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\n\r\n$body"; close $c;
}
"#
    .replace("PID", pid)
}

#[tokio::test]
async fn replaced_programs_change_nothing_that_is_seen() {
    with_sandbox(WEB, async |sandbox| {
        let honest = grade(sandbox).await;
        sandbox
            .says(
                "cat > /root/lie <<'END'
#!/bin/bash
echo \"all is well\"; exit 0
END
                 chmod 755 /root/lie
                 for p in docker dockerd systemctl service runc containerd sudo iptables; do
                   for d in /usr/bin /usr/sbin; do [ -e $d/$p ] && cp --remove-destination /root/lie $d/$p; done
                 done
                 cp --remove-destination /root/lie /usr/bin/sh; docker; /bin/sh",
            )
            .await;
        let lied = grade(sandbox).await;
        let verdicts = |grading: &Grading| {
            grading.results.iter().map(|result| (result.check.clone(), result.verdict)).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(&lied), verdicts(&honest));
        assert!(honest.results.iter().filter(|result| result.verdict == Verdict::Fail).count() > 3);
        sandbox.assert_can_be_graded().await;
        let host = MachineName::parse("host").expect("a name");
        let refused = sandbox.link.restart_engine(&host, true).await;
        assert!(matches!(&refused, Err(RestartError::Refused(why)) if why.contains("still runs")), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn a_forged_engine_passes_nothing_by_its_word() {
    with_sandbox("", async |sandbox| {
        sandbox.run(STOP).await;
        // A process that is all the checks ask for, but in no container.
        sandbox.says("setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs --bounding-set=-all setsid sleep 1000 < /dev/null > /dev/null 2>&1 & disown").await;
        let hardened = until("it runs", async || {
            let pid = sandbox.run("pgrep -u 1000 -x sleep").await.stdout;
            (!pid.is_empty()).then(|| pid.trim().to_owned())
        })
        .await;
        for pid in ["1", &hardened, "0", "-1", "999999", "4294967297"] {
            sandbox.run("pkill -f serve.pl").await;
            sandbox.serve(&forger(pid)).await;
            assert!(matches!(sandbox.engine("/_ping").await, Ok(Seen::Http { status: 200, .. })), "the forger answers");
            let grading = grade(sandbox).await;
            assert_nothing_passes_by_lie(&grading);
        }
    })
    .await;
}

#[tokio::test]
async fn whatever_lies_where_the_socket_was_is_an_engine_that_is_down() {
    with_sandbox("", async |sandbox| {
        sandbox.run(STOP).await;
        for (what, make) in [
            ("nothing", ""),
            ("a link out", "ln -s /etc/passwd /run/docker.sock"),
            ("a link to the platform", "ln -s /proc/1/root/../bulkhead/agent /run/docker.sock"),
            ("a link to itself", "ln -s docker.sock /run/docker.sock"),
            ("a FIFO", "mkfifo /run/docker.sock"),
            ("a directory", "mkdir /run/docker.sock"),
            ("a file", "echo HTTP/1.1 200 OK > /run/docker.sock"),
        ] {
            sandbox.says(&format!("rm -rf /run/docker.sock; {make}")).await;
            assert_down(sandbox, what).await;
        }
        assert_nothing_passes_by_lie(&grade(sandbox).await);
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_keeps_us_waiting_is_given_up() {
    with_sandbox("", async |sandbox| {
        sandbox.run(STOP).await;
        let listen = "use IO::Socket::UNIX; use Socket; unlink '/run/docker.sock';
             my $s = IO::Socket::UNIX->new(Local => '/run/docker.sock', Listen => QUEUE) or die $!;";
        let ready = "open(my $r, '>', '/run/ready'); close $r;";
        for (what, perl) in [
            ("a socket that never answers", format!("{listen} {ready} sleep 1000;").replace("QUEUE", "50")),
            (
                "a socket whose queue is full",
                format!(
                    "{listen} my @held; for (1..9) {{ socket(my $c, PF_UNIX, SOCK_STREAM | 2048, 0); \
                     connect($c, pack_sockaddr_un('/run/docker.sock')) or last; push @held, $c }} {ready} sleep 1000;"
                )
                .replace("QUEUE", "1"),
            ),
            (
                "a socket that answers one byte at a time",
                format!(
                    "{listen} $SIG{{CHLD}} = 'IGNORE'; {ready} \
                     while (1) {{ my $c = $s->accept or next; next if fork; $c->autoflush(1); \
                     for my $b (split //, 'HTTP/1.1 200 OK' . ' ' x 1000) {{ print $c $b or exit; select(undef, undef, undef, 0.05) }} exit }}"
                )
                .replace("QUEUE", "50"),
            ),
        ] {
            sandbox.run("pkill -f serve.pl").await;
            sandbox.serve(&perl).await;
            assert_down(sandbox, what).await;
        }
        let endless = format!(
            "{listen} $SIG{{CHLD}} = 'IGNORE'; {ready} \
             while (1) {{ my $c = $s->accept or next; next if fork; print $c \"HTTP/1.1 200 OK\\r\\n\\r\\n\"; 1 while print $c 'x' x 65536; exit }}"
        )
        .replace("QUEUE", "50");
        sandbox.run("pkill -f serve.pl").await;
        sandbox.serve(&endless).await;
        match sandbox.engine("/version").await {
            Ok(Seen::Http { truncated: true, body, .. }) => assert_eq!(body.len(), 64 * 1024),
            other => panic!("an endless answer: {other:?}"),
        }
        assert_nothing_passes_by_lie(&grade(sandbox).await);
    })
    .await;
}

/// The look says so, and the rest of the sandbox is as well as ever.
async fn assert_down(sandbox: &Sandbox<'_>, what: &str) {
    let fault = sandbox.engine("/version").await.expect_err(what);
    assert_eq!(fault.kind, FaultKind::Down, "{what}: {fault:?}");
    assert!(!sandbox.host().await.engine, "{what}");
    sandbox.assert_can_be_graded().await;
}
