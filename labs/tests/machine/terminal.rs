use std::time::Duration;

use bulkhead_agent::protocol::{INITIAL_CREDIT, Open, RING, Size};
use bulkhead_labs::link::{Ending, Process};
use tokio::time::timeout;

use crate::ground::{PATIENCE, read_until, terminal, until, with_sandbox};

async fn ended(process: &mut Process) -> Ending {
    timeout(PATIENCE, process.output.ending()).await.expect("an end")
}

#[tokio::test]
async fn a_program_hears_of_each_size_and_its_ending_is_told() {
    with_sandbox("", async |sandbox| {
        let mut shell = sandbox.link.start(terminal(&[])).await.expect("a terminal");
        shell.input.send("trap 'stty size' WINCH; stty -echo; while :; do read -t 1 x; done\n").await.expect("sent");
        for (cols, rows) in [(132, 43), (20, 5), (500, 200)] {
            // The shell may not have set its trap yet: ask until it heard.
            let heard = format!("{rows} {cols}\r\n");
            let mut seen = String::new();
            until("the new size", async || {
                sandbox.link.resize(shell.id, Size { cols: 1, rows: 1 }).await.expect("resized");
                sandbox.link.resize(shell.id, Size { cols, rows }).await.expect("resized");
                let more = timeout(Duration::from_millis(500), shell.output.next()).await.ok()??;
                seen.push_str(&String::from_utf8_lossy(&more));
                seen.contains(&heard).then_some(())
            })
            .await;
        }
        for (script, code) in [("exit 0", 0), ("exit 77", 77), ("kill -KILL $$", 137), ("kill -SEGV $$", 139)] {
            let mut process = sandbox.link.start(terminal(&["/bin/sh", "-c", script])).await.expect("a terminal");
            assert_eq!(ended(&mut process).await, Ending::Exited { code, stderr: String::new() }, "{script}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_terminal_outlives_the_link_and_tells_what_it_said_meanwhile() {
    with_sandbox("", async |sandbox| {
        let link = sandbox.another_link().await;
        let mut shell = link.start(terminal(&[])).await.expect("a terminal");
        shell
            .input
            .send("stty -echo; mkfifo /run/go; echo waiting; read x < /run/go; seq 200000; echo en''d\n")
            .await
            .expect("sent");
        read_until(&mut shell.output, "waiting\r\n").await;
        let id = shell.id;
        drop((shell, link));
        // Nobody is attached any more; far more comes than is kept.
        sandbox.says("echo > /run/go").await;
        until("all of it was printed", async || {
            let open = sandbox.link.processes().await.expect("processes");
            open.iter().any(|process| process.process == id && process.offset > 1_400_000).then_some(())
        })
        .await;
        let mut shell = sandbox.link.attach(id).await.expect("the same terminal");
        let seen = read_until(&mut shell.output, "end\r\n").await;
        assert!(shell.offset > 0 && seen.len() <= RING + 1024, "{} bytes from {}", seen.len(), shell.offset);
        // What is kept is the end of what was said, with no hole in it.
        let lines: Vec<u32> = seen.lines().skip(1).map_while(|line| line.trim().parse().ok()).collect();
        assert_eq!(lines.last(), Some(&200_000));
        assert!(lines.len() > 30_000 && lines.is_sorted_by(|a, b| a + 1 == *b), "{} lines", lines.len());
        shell.input.send("echo same $((40 + 2))\n").await.expect("sent");
        read_until(&mut shell.output, "same 42\r\n").await;
    })
    .await;
}

#[tokio::test]
async fn yes_stops_at_the_window_and_goes_on() {
    with_sandbox("", async |sandbox| {
        let mut process = sandbox.link.start(terminal(&["/usr/bin/yes"])).await.expect("a terminal");
        let offset = async || {
            let open = sandbox.link.processes().await.expect("processes");
            open.iter().find(|open| open.process == process.id).expect("it runs").offset
        };
        // It has printed all it may once the kernel holds it at its write.
        until("yes is held", async || {
            let held = sandbox.says("for i in 1 2 3 4 5; do ps -C yes -o stat=; done | sort -u").await;
            (held == "Ss+" && offset().await >= u64::from(INITIAL_CREDIT)).then_some(())
        })
        .await;
        let held = offset().await;
        assert!(held <= u64::from(INITIAL_CREDIT) + 128 * 1024, "{held} bytes without a reader");
        assert_eq!(offset().await, held);
        let mut read = 0;
        while read < 4 * INITIAL_CREDIT as usize {
            read += timeout(PATIENCE, process.output.next()).await.expect("more").expect("more").len();
        }
        sandbox.link.close(process.id).await.expect("closed");
        until("yes is gone", async || (sandbox.run("pgrep -x yes").await.code == 1).then_some(())).await;
    })
    .await;
}

#[tokio::test]
async fn fifty_megabytes_come_through_whole() {
    with_sandbox("", async |sandbox| {
        const BYTES: usize = 50_000_000;
        let script = format!("head -c {BYTES} /dev/zero | tr '\\0' a; printf END");
        let mut process = sandbox.link.start(terminal(&["/bin/sh", "-c", &script])).await.expect("a terminal");
        let (mut count, mut last) = (0, Vec::new());
        while let Some(bytes) = timeout(PATIENCE, process.output.next()).await.expect("more") {
            assert!(bytes.iter().all(|byte| b"aEND".contains(byte)), "something came that was not said");
            count += bytes.len();
            last.extend_from_slice(&bytes);
            last.drain(..last.len().saturating_sub(3));
        }
        assert_eq!((count, &*String::from_utf8_lossy(&last)), (BYTES + 3, "END"));
        assert_eq!(ended(&mut process).await, Ending::Exited { code: 0, stderr: String::new() });
    })
    .await;
}

/// As `docker load` does while it unpacks: for a while it reads nothing, and all of it must arrive all the same.
#[tokio::test]
async fn a_slow_reader_gets_everything_and_holds_up_nobody() {
    const WHOLE: usize = 40 * 1024 * 1024;
    with_sandbox("", async |sandbox| {
        let argv = ["/bin/sh", "-c", "mkfifo /run/go; read x < /run/go; wc -c"].map(str::to_owned).to_vec();
        let open = Open { machine: "host".to_owned(), uid: 0, argv, tty: None };
        let mut process = sandbox.link.start(open).await.expect("a process");
        let input = process.input.clone();
        let sending = tokio::spawn(async move {
            input.send(vec![b'x'; WHOLE]).await?;
            input.end().await
        });
        let mut shell = sandbox.link.start(terminal(&[])).await.expect("a terminal");
        shell.input.send("until test -p /run/go; do sleep 0.05; done; echo still h''ere\n").await.expect("sent");
        read_until(&mut shell.output, "still here\r\n").await;
        assert!(!sending.is_finished(), "40 MB wait here and not in the sandbox");
        shell.input.send("echo > /run/go\n").await.expect("sent");
        read_until(&mut process.output, &format!("{WHOLE}\n")).await;
        sending.await.expect("no panic").expect("sent");
        assert!(matches!(ended(&mut process).await, Ending::Exited { code: 0, .. }));
    })
    .await;
}
