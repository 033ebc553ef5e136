use bulkhead_agent::protocol::{Exec, FaultKind};
use bulkhead_labs::{grade::clean, link::LinkError};

use crate::ground::{DISK, PIDS, exec, read_until, terminal, until, with_sandbox};

#[tokio::test]
async fn a_full_disk_does_not_keep_the_platform_out() {
    with_sandbox("", async |sandbox| {
        let filled = sandbox.run("head -c 1G /dev/zero > /root/full").await;
        assert!(filled.stderr.contains("No space left"), "{filled:?}");
        let host = sandbox.host().await;
        assert!(host.disk_used_bytes > DISK - 1024 * 1024, "not full: {host:?}");
        assert_ne!(sandbox.run("echo more >> /root/full2 && head -c 1m /dev/zero >> /root/full2").await.code, 0);
        sandbox.assert_can_be_graded().await;
        assert!(sandbox.host().await.engine, "the engine still answers");
        assert_eq!(sandbox.says("echo in $((40 + 2))").await, "in 42");
        let mut shell = sandbox.link.start(terminal(&[])).await.expect("a terminal");
        shell.input.send("rm /root/full; echo removed $((40 + 2))\n").await.expect("sent");
        read_until(&mut shell.output, "removed 42\r\n").await;
        assert_eq!(sandbox.says("docker run --rm tiny:1 echo again").await, "again");
    })
    .await;
}

#[tokio::test]
async fn a_fork_bomb_stays_at_its_limit() {
    with_sandbox("", async |sandbox| {
        let shell = sandbox.link.start(terminal(&[])).await.expect("a terminal");
        shell.input.send("bomb() { bomb | bomb & }; bomb\n").await.expect("sent");
        until("the limit is reached", async || (sandbox.host().await.pids_used >= u64::from(PIDS) - 2).then_some(()))
            .await;
        sandbox.assert_can_be_graded().await;
        assert!(sandbox.host().await.pids_used <= PIDS.into());
        // A command finds a place, or is told why there is none; it does not wait for ever.
        match sandbox.link.exec(Exec { timeout_ms: 3_000, ..exec(&["/bin/true"]) }).await {
            Ok(_) => {}
            Err(LinkError::Fault(fault)) => {
                assert!(matches!(fault.kind, FaultKind::Exhausted | FaultKind::TimedOut), "{fault:?}");
            }
            Err(other) => panic!("{other:?}"),
        }
        sandbox.link.close(shell.id).await.expect("closed");
        until("the student killed his processes", async || {
            let kill = Exec { timeout_ms: 3_000, ..exec(&["/bin/bash", "-c", "kill -9 -1"]) };
            let _full_or_killed = sandbox.link.exec(kill).await;
            let host = sandbox.host().await;
            (host.pids_used < 100 && host.up).then_some(())
        })
        .await;
        until("its services are back", async || sandbox.host().await.engine.then_some(())).await;
    })
    .await;
}

#[tokio::test]
async fn a_memory_bomb_kills_itself() {
    with_sandbox("", async |sandbox| {
        assert_eq!(sandbox.run("exec tail /dev/zero").await.code, 137, "not killed");
        sandbox.assert_can_be_graded().await;
        assert_eq!(sandbox.host().await.restarts, 0);
        until("the engine answers", async || sandbox.host().await.engine.then_some(())).await;
        assert_eq!(sandbox.says("echo in $((40 + 2))").await, "in 42");
    })
    .await;
}

#[tokio::test]
async fn endless_output_is_cut_and_escapes_are_text() {
    with_sandbox("", async |sandbox| {
        const LIMIT: u32 = 10_000;
        let much = "head -c 100000000 /dev/zero | tr '\\0' a; echo b >&2; exit 3";
        let done = sandbox.link.exec(Exec { limit: LIMIT, ..exec(&["/bin/sh", "-c", much]) }).await.expect("an end");
        assert_eq!((done.code, done.truncated, done.timed_out), (3, true, false));
        assert_eq!((done.stdout.len(), done.stderr.as_str()), (LIMIT as usize, "b\n"));
        // More than a frame holds, were it all kept.
        let greedy = Exec { limit: u32::MAX, ..exec(&["/bin/sh", "-c", much]) };
        let done = sandbox.link.exec(greedy).await.expect("an end");
        assert!(done.truncated && done.stdout.len() <= 512 * 1024, "{} bytes", done.stdout.len());

        let evil = "printf '\\033]0;owned\\007\\033[2J\\233\\377<script>\\342\\200\\256'";
        let done = sandbox.run(evil).await;
        assert!(done.stdout.contains("\u{1b}[2J"), "bytes come as they are: {:?}", done.stdout);
        let shown = clean::clean(&done.stdout);
        assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
        assert!(shown.contains("<script>"), "{shown:?}");
    })
    .await;
}
