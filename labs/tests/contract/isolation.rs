use std::sync::Arc;

use bulkhead_agent::protocol::{FaultKind, Open, Size};
use bulkhead_labs::link::LinkError;

use crate::bench::{Bench, Kind, MIB, run};

pub(crate) async fn sandboxes_do_not_share_processes(bench: Arc<Bench>) {
    let (one, two) = (bench.start(&bench.spec("one")).await, bench.start(&bench.spec("two")).await);
    let open = Open { machine: "host".to_owned(), uid: 0, argv: vec![], tty: Some(Size { cols: 80, rows: 24 }) };
    let shell = one.start(open).await.expect("a shell");
    assert!(two.processes().await.expect("processes").is_empty());
    match two.attach(shell.id).await {
        Err(LinkError::Fault(fault)) => assert_eq!(fault.kind, FaultKind::NotFound),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn limits_are_in_force(bench: Arc<Bench>) {
    let spec = bench.spec("limits");
    let status = bench.start(&spec).await.status().await.expect("a status");
    for (seen, asked) in status.machines.iter().zip(&spec.boot.machines) {
        assert_eq!(seen.name, asked.name);
        let near = |effective: Option<u64>, asked: u64| {
            effective.is_some_and(|effective| effective.abs_diff(asked) <= 64 * 1024)
        };
        assert!(near(seen.memory_bytes, asked.memory_bytes), "{seen:?}");
        assert_eq!(seen.pids, Some(asked.pids.into()));
        assert!(asked.disk_bytes == 0 || near(seen.disk_bytes, asked.disk_bytes), "{seen:?}");
    }
}

/// The fake has no kernel that could enforce less than was asked; a real one that does must be noticed.
#[tokio::test]
async fn less_than_asked_is_not_started() {
    let bench = Bench::fake();
    if let Kind::Fake(engine) = &bench.kind {
        engine.behave(|behaviour| behaviour.limits_percent = 50);
    }
    let refused = bench.engine().create(&bench.spec("weak")).await;
    assert!(matches!(refused, Err(bulkhead_labs::engine::EngineError::Unsupported { .. })), "{refused:?}");
    bench.assert_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_one_sandbox_sees_nothing_of_another() {
    crate::bench::on_docker(async |bench: Arc<Bench>| {
        let (one, two) = (bench.start(&bench.spec("one")).await, bench.start(&bench.spec("two")).await);
        let hidden = "bulkhead-hidden-4711";
        assert_eq!(run(&one, "host", &format!("echo {hidden} > /root/{hidden}; mkdir -p /var/lib/docker/{hidden}; (exec -a {hidden} sleep 600) >/dev/null 2>&1 &")).await.code, 0);
        // Files, in its own tree and in whatever file system it can mount or reach.
        let files = run(&two, "host", &format!("find / -xdev -name '{hidden}*' 2>/dev/null; find /proc/*/root/ -maxdepth 4 -name '{hidden}*' 2>/dev/null; true")).await;
        assert_eq!(files.stdout, "", "files");
        // Processes.
        let processes = run(&two, "host", "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'bulkhead-[h]idden-4711'; ls -d /proc/[0-9]* | wc -l").await;
        assert!(!processes.stdout.contains(hidden), "{}", processes.stdout);
        let visible: u32 = processes.stdout.trim().parse().expect("a count");
        assert!(visible < 60, "{visible} processes are visible");
        // Network: the same address on both sides is each one's own; no way out, no foreign Unix socket.
        let network = run(&two, "host", "ip -o route show default; grep -c . /proc/net/unix >/dev/null; ls /run/hsys /bulkhead /state 2>&1 | grep -v 'No such file'; true").await;
        assert_eq!(network.stdout, "", "network or platform files");
        let owners = run(&two, "host", "cat /proc/self/uid_map").await;
        assert_eq!(owners.stdout.split_whitespace().collect::<Vec<_>>(), ["0", "100000", "65536"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_a_bomb_stays_in_its_machine() {
    crate::bench::on_docker(async |bench: Arc<Bench>| {
        let spec = bench.spec("bomb");
        let link = bench.start(&spec).await;
        let memory = run(&link, "host", "exec tail /dev/zero").await;
        assert_eq!(memory.code, 137, "a line without an end fitted into 640 MiB");
        let disk =
            run(&link, "host", "head -c 300m /dev/zero > /root/full; stat -c %s /root/full; rm /root/full").await;
        let written: u64 = disk.stdout.trim().parse().expect("a size");
        assert!(written <= 130 * MIB, "{written} bytes on a disk of 128 MiB");
        link.status().await.expect("the sandbox is alive");
        bench.engine().destroy(&spec.id).await.expect("destroyed");
        bench.assert_nothing_left().await;
    })
    .await;
}
