//! A student who lies, hides and floods: on the real engine, since only a kernel can be lied about.

use std::{sync::Arc, time::Instant};

use bulkhead_agent::{
    look::{FileKind, Look, Seen},
    protocol::Fault,
};
use bulkhead_labs::link::AgentLink;

use crate::bench::{Bench, PATIENCE, exec, on_docker, run};

async fn look(link: &AgentLink, look: Look) -> Result<Seen, Fault> {
    link.observe(vec![look]).await.expect("an answer").remove(0)
}

fn file(path: &str) -> Look {
    Look::File { machine: "host".to_owned(), pid: None, path: path.to_owned(), limit: 4096 }
}

fn engine(path: &str) -> Look {
    Look::Engine {
        machine: "host".to_owned(),
        method: "GET".to_owned(),
        path: path.to_owned(),
        body: None,
        timeout_ms: 3000,
        limit: 4096,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_links_lead_nowhere_but_into_his_own_tree() {
    on_docker(async |bench: Arc<Bench>| {
        let link = bench.start(&bench.spec("links")).await;
        let made = run(&link, "host", "cd /root; echo mine > target; ln -s / up; ln -s ../../../../../../../.. far; ln -s /proc/1/root first; ln -s /proc/self/root self; ln -s loop loop; mkfifo fifo; ln -s /dev/zero zero").await;
        assert_eq!(made.code, 0, "{}", made.stderr);
        for path in ["/root/up", "/root/far", "/root/first", "/root/self", "/../..", "/proc/1/root", "/proc/self/root"] {
            // The agent's own files lie in the root of the outer container; no path may reach them.
            for outer in ["bulkhead/agent", "preload", "host/etc/passwd", "state"] {
                let seen = look(&link, file(&format!("{path}/{outer}"))).await;
                assert!(!matches!(&seen, Ok(Seen::File(_))), "{path}/{outer} leads out: {seen:?}");
            }
        }
        match look(&link, file("/root/up/root/target")).await {
            Ok(Seen::File(facts)) => assert_eq!((facts.content.as_str(), facts.real_path.as_str()), ("mine\n", "/root/target")),
            other => panic!("{other:?}"),
        }
        let begun = Instant::now();
        for path in ["/root/fifo", "/root/zero", "/dev/zero", "/proc/kmsg"] {
            let seen = look(&link, file(path)).await;
            assert!(!matches!(&seen, Ok(Seen::File(facts)) if facts.kind == FileKind::File && facts.content.len() > 4096), "{path}: {seen:?}");
        }
        assert!(!matches!(look(&link, file("/root/loop")).await, Ok(Seen::File(facts)) if facts.kind == FileKind::File));
        assert!(begun.elapsed() < PATIENCE, "a file without an end was read for {:?}", begun.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_tools_that_he_replaced_deceive_and_hold_up_nobody() {
    on_docker(async |bench: Arc<Bench>| {
        let link = bench.start(&bench.spec("liar")).await;
        let up = async || loop {
            if link.status().await.expect("a status").machines.iter().any(|machine| machine.engine) {
                return;
            }
        };
        tokio::time::timeout(PATIENCE, up()).await.expect("an engine");
        let replaced = run(&link, "host", "for tool in docker systemctl curl; do rm -f /usr/bin/$tool; printf '#!/bin/bash\\nwhile :; do :; done\\n' > /usr/bin/$tool; chmod 755 /usr/bin/$tool; done").await;
        assert_eq!(replaced.code, 0, "{}", replaced.stderr);
        // His engine is asked by its socket, not by his client.
        match look(&link, engine("/version")).await {
            Ok(Seen::Http { status: 200, body, .. }) => assert!(body.contains("ApiVersion"), "{body}"),
            other => panic!("{other:?}"),
        }
        // A shell that is no shell: what runs in it fails, the agent does not.
        let gone = link.exec(exec("host", &["/bin/bash", "-c", "cp /bin/bash /root/bash; printf nonsense > /usr/bin/sh.new; chmod 755 /usr/bin/sh.new; mv -f /usr/bin/sh.new /usr/bin/sh"])).await.expect("an answer");
        assert_eq!(gone.code, 0, "{}", gone.stderr);
        let nonsense = link.exec(exec("host", &["/bin/sh", "-c", "echo alive"])).await;
        assert!(nonsense.as_ref().map_or(true, |result| result.code != 0), "{nonsense:?}");
        // A socket that is a link to a file, then one that is a pipe without a writer.
        for trap in ["ln -s /etc/passwd /run/docker.sock", "mkfifo /run/docker.sock"] {
            let set = link.exec(exec("host", &["/root/bash", "-c", &format!("rm -f /run/docker.sock; {trap}")])).await.expect("an answer");
            assert_eq!(set.code, 0, "{}", set.stderr);
            let begun = Instant::now();
            let seen = look(&link, engine("/version")).await;
            assert!(seen.is_err(), "{trap}: {seen:?}");
            assert!(begun.elapsed() < PATIENCE, "{trap} held the agent for {:?}", begun.elapsed());
        }
        link.status().await.expect("the agent answers");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_a_flood_is_bounded_and_a_fork_bomb_leaves_the_agent_answering() {
    on_docker(async |bench: Arc<Bench>| {
        let link = bench.start(&bench.spec("flood")).await;
        let flood = run(&link, "host", "yes '\x1b]0;title\x07\x1b[2J' | head -c 100m").await;
        assert!(flood.truncated && flood.stdout.len() <= 3 * 64 * 1024, "{} bytes kept", flood.stdout.len());
        // Bombs on until the timeout ends it; meanwhile another stream asks.
        let mut bomb = exec("host", &["/bin/bash", "-c", "bomb() { bomb | bomb & }; bomb; sleep 30"]);
        bomb.timeout_ms = 6000;
        let second = bench.link(&bench.spec("flood").id).await;
        let watch = async {
            loop {
                let status = second.status().await.expect("a status under the bomb");
                let host = status.machines.iter().find(|machine| machine.name == "host").expect("the host");
                assert!(host.pids_used <= host.pids.expect("a limit"), "{host:?}");
                // Full, or as near as a bomb under a short CPU share gets.
                if host.pids_used + 8 >= host.pids.expect("a limit") {
                    let seen = look(&second, file("/etc/hostname")).await;
                    assert!(matches!(seen, Ok(Seen::File(_))), "{seen:?}");
                    return;
                }
            }
        };
        let (ended, watched) = tokio::join!(link.exec(bomb), tokio::time::timeout(PATIENCE, watch));
        watched.expect("the bomb reached its limit");
        // Whatever came of the bomb itself, it was answered.
        drop(ended);
    })
    .await;
}
