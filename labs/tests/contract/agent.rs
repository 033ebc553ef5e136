use std::sync::Arc;

use bulkhead_agent::protocol::{Exec, FaultKind, Open, Size};
use bulkhead_labs::link::{AgentLink, Ending, LinkError, Output, Process};

use crate::bench::{Bench, PATIENCE, exec, run};

/// Execs: an agent that once missed an end now and then missed five of so many.
const MANY: usize = 1000;
const SIDE_BY_SIDE: usize = 6;
const SIZE: Size = Size { cols: 80, rows: 24 };

fn shell(machine: &str) -> Open {
    Open { machine: machine.to_owned(), uid: 0, argv: vec![], tty: Some(SIZE) }
}

fn piped(script: &str) -> Open {
    Open { machine: "host".to_owned(), uid: 0, argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(), tty: None }
}

/// Reads until `text` was printed; all that came.
async fn until(output: &mut Output, text: &str) -> String {
    let mut seen = String::new();
    let found = tokio::time::timeout(PATIENCE, async {
        while !seen.contains(text) {
            let Some(bytes) = output.next().await else { return false };
            seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        true
    });
    match found.await {
        Ok(true) => seen,
        Ok(false) => panic!("it ended without {text:?}: {seen:?}"),
        Err(late) => panic!("no {text:?} in {seen:?}: {late}"),
    }
}

async fn ended(process: &mut Process) -> Ending {
    tokio::time::timeout(PATIENCE, process.output.ending()).await.expect("an end")
}

pub(crate) async fn exec_tells_output_and_code(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("exec")).await;
    let done = run(&link, "host", "echo hello; exit 7").await;
    assert_eq!((done.code, done.stdout.as_str(), done.truncated, done.timed_out), (7, "hello\n", false, false));
    let with_env = Exec {
        env: vec![("GREETING".to_owned(), "good day".to_owned())],
        ..exec("host", &["/usr/bin/printenv", "GREETING"])
    };
    assert_eq!(link.exec(with_env).await.expect("printenv").stdout, "good day\n");
    let with_input = Exec { stdin: "in and out".to_owned(), ..exec("host", &["/bin/cat"]) };
    assert_eq!(link.exec(with_input).await.expect("cat").stdout, "in and out");
}

pub(crate) async fn exec_is_bounded(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("bounds")).await;
    let long = link.exec(Exec { limit: 100, ..exec("host", &["/usr/bin/seq", "100000"]) }).await.expect("seq");
    assert!(long.truncated && long.stdout.len() <= 100, "{} bytes", long.stdout.len());
    let slow = link.exec(Exec { timeout_ms: 300, ..exec("host", &["/bin/sleep", "600"]) }).await.expect("sleep");
    assert!(slow.timed_out, "{slow:?}");
    assert!(slow.millis < 20_000, "{slow:?}");
}

/// A program's pipes end a moment before it does, and the longer before it, the more it has open. Whoever looks in between
/// must still hear of the end.
pub(crate) async fn execs_are_over_when_their_processes_are(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("over")).await;
    let argv = ["/usr/bin/curl", "-s", "http://127.0.0.1:1/"];
    for _ in 0..MANY / SIDE_BY_SIDE {
        let execs = (0..SIDE_BY_SIDE).map(|_| link.exec(Exec { timeout_ms: 20_000, ..exec("host", &argv) }));
        for done in futures::future::join_all(execs).await {
            let done = done.expect("curl");
            assert!(done.code != 0 && done.millis < 10_000, "{done:?}");
        }
    }
}

pub(crate) async fn a_terminal_echoes_resizes_and_ends(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("terminal")).await;
    let mut terminal = link.start(shell("host")).await.expect("a terminal");
    assert_eq!(terminal.offset, 0);
    terminal.input.send("echo one-$((1+1))x; echo done\n").await.expect("sent");
    until(&mut terminal.output, "done\r\n").await;
    terminal.input.send("stty size\n").await.expect("sent");
    until(&mut terminal.output, "24 80\r\n").await;
    link.resize(terminal.id, Size { cols: 132, rows: 43 }).await.expect("resized");
    terminal.input.send("stty size\n").await.expect("sent");
    until(&mut terminal.output, "43 132\r\n").await;
    terminal.input.send("exit 7\n").await.expect("sent");
    assert_eq!(ended(&mut terminal).await, Ending::Exited { code: 7, stderr: String::new() });
    link.close(terminal.id).await.expect("forgotten");
    link.close(terminal.id).await.expect("forgotten again");
    assert!(link.processes().await.expect("processes").is_empty());
}

pub(crate) async fn a_terminal_outlives_its_link(bench: Arc<Bench>) {
    let spec = bench.spec("reattach");
    let link = bench.start(&spec).await;
    let mut terminal = link.start(shell("host")).await.expect("a terminal");
    terminal.input.send("echo before\n").await.expect("sent");
    until(&mut terminal.output, "before\r\n").await;
    let id = terminal.id;
    drop((terminal, link));

    let link = bench.link(&spec.id).await;
    let open = link.processes().await.expect("processes");
    assert_eq!(
        open.iter().map(|process| (process.process, process.tty, process.exited)).collect::<Vec<_>>(),
        [(id, Some(SIZE), None)]
    );
    let mut terminal = link.attach(id).await.expect("the same terminal");
    assert_eq!(terminal.offset, 0, "all of its output was still there");
    until(&mut terminal.output, "before\r\n").await;
    terminal.input.send("echo after\n").await.expect("sent");
    until(&mut terminal.output, "after\r\n").await;
    terminal.input.send("exit 3\n").await.expect("sent");
    assert_eq!(ended(&mut terminal).await, Ending::Exited { code: 3, stderr: String::new() });
}

pub(crate) async fn a_second_viewer_takes_over(bench: Arc<Bench>) {
    let spec = bench.spec("viewers");
    let link = bench.start(&spec).await;
    let mut first = link.start(shell("host")).await.expect("a terminal");
    // Over another stream, and then over the same.
    let other = bench.link(&spec.id).await;
    let mut second = other.attach(first.id).await.expect("attached");
    assert_eq!(ended(&mut first).await, Ending::Detached);
    let mut third = other.attach(first.id).await.expect("attached");
    assert_eq!(ended(&mut second).await, Ending::Detached);
    third.input.send("echo mine\n").await.expect("sent");
    until(&mut third.output, "mine\r\n").await;
}

pub(crate) async fn a_piped_process_reads_to_the_end(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("piped")).await;
    let mut process = link.start(piped("cat; exit 5")).await.expect("a process");
    process.input.send("first ").await.expect("sent");
    until(&mut process.output, "first ").await;
    process.input.send("second").await.expect("sent");
    process.input.end().await.expect("sent");
    until(&mut process.output, "second").await;
    assert!(matches!(ended(&mut process).await, Ending::Exited { code: 5, .. }));
}

pub(crate) async fn output_waits_for_its_reader(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("flow")).await;
    let mut process = link.start(piped("seq 500000")).await.expect("a process");
    // While nobody reads it is held back, and others are served.
    assert_eq!(run(&link, "host", "echo alive").await.stdout, "alive\n");
    let held = link.processes().await.expect("processes");
    assert!(held.iter().all(|it| it.offset < 2_000_000), "it ran on without its reader: {held:?}");
    let (mut bytes, mut last) = (0, Vec::new());
    while let Some(piece) = tokio::time::timeout(PATIENCE, process.output.next()).await.expect("more output") {
        bytes += piece.len();
        last = piece[piece.len().saturating_sub(7)..].to_vec();
    }
    assert_eq!((bytes, last.as_slice()), (3_388_895, &b"500000\n"[..]));
    assert!(matches!(ended(&mut process).await, Ending::Exited { code: 0, .. }));
}

pub(crate) async fn what_is_not_there_is_a_fault(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("faults")).await;
    let kind = |error: LinkError| match error {
        LinkError::Fault(fault) => fault.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(link.exec(exec("nowhere", &["/bin/true"])).await.expect_err("no machine")), FaultKind::NotFound);
    assert_eq!(kind(link.start(shell("nowhere")).await.expect_err("no machine")), FaultKind::NotFound);
    assert_eq!(kind(link.attach(4711).await.expect_err("no process")), FaultKind::NotFound);
    assert_eq!(kind(link.resize(4711, SIZE).await.expect_err("no process")), FaultKind::NotFound);
    link.status().await.expect("and the link is as good as before");
}

pub(crate) async fn many_at_once(bench: Arc<Bench>) {
    let link = bench.start(&bench.spec("many")).await;
    let one = |link: AgentLink, number: usize| async move {
        let mut process = link.start(piped(&format!("echo number {number}; exit {number}"))).await.expect("a process");
        let seen = until(&mut process.output, "\n").await;
        assert_eq!(seen, format!("number {number}\n"));
        assert!(
            matches!(ended(&mut process).await, Ending::Exited { code, .. } if code == i32::try_from(number).expect("small"))
        );
        link.close(process.id).await.expect("forgotten");
    };
    let execs = (0..8).map(|number| {
        let link = link.clone();
        async move { assert_eq!(run(&link, "host", &format!("echo {number}")).await.stdout, format!("{number}\n")) }
    });
    tokio::join!(
        futures::future::join_all((0..16).map(|number| one(link.clone(), number))),
        futures::future::join_all(execs)
    );
}
