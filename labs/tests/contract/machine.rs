//! The student's machine is a Debian host with an engine: what a student takes for granted works.

use std::sync::Arc;

use bulkhead_labs::link::AgentLink;

use crate::bench::{Bench, PATIENCE, on_docker, run};

async fn engine_is_up(link: &AgentLink) {
    let up = async { while !link.status().await.expect("a status").machines.iter().any(|machine| machine.engine) {} };
    tokio::time::timeout(PATIENCE, up).await.expect("the inner engine answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_docker_accounts_services_and_a_reboot_work() {
    on_docker(async |bench: Arc<Bench>| {
        let link = bench.start(&bench.spec("debian")).await;
        engine_is_up(&link).await;
        for (what, script, expected) in [
            ("su", "su - student -c 'id -un'", "student\n"),
            ("sudo", "su - student -c 'sudo -n id -u'", "0\n"),
            ("ssh", "ssh -o BatchMode=yes -o StrictHostKeyChecking=no localhost id -u 2>/dev/null", "0\n"),
            (
                "systemctl",
                "for unit in docker ssh cron; do systemctl restart $unit && systemctl is-active $unit; done",
                "active\nactive\nactive\n",
            ),
            ("stop", "systemctl stop cron; systemctl is-active cron; echo $?", "inactive\n3\n"),
            ("start", "systemctl start cron; service cron status | grep -c 'active (running)'", "1\n"),
            ("unknown unit", "systemctl status nothing.service >/dev/null 2>&1; echo $?", "4\n"),
            ("not root", "su - student -c 'systemctl stop docker' 2>/dev/null; systemctl is-active docker", "active\n"),
            ("engine", "docker info --format '{{.Driver}} {{.ServerVersion}}' | cut -d. -f1", "overlay2 26\n"),
        ] {
            let result = run(&link, "host", script).await;
            assert_eq!(result.stdout, expected, "{what}: {}", result.stderr);
        }
        // A reboot is a restart of the machine, with all that is on it.
        assert_eq!(run(&link, "host", "echo kept > /root/kept").await.code, 0);
        let before = restarts(&link).await;
        // Its exec ends with the machine, one way or the other.
        drop(link.exec(crate::bench::exec("host", &["/usr/sbin/reboot"])).await);
        let again = async { while restarts(&link).await == before {} };
        tokio::time::timeout(PATIENCE, again).await.expect("the machine comes back");
        engine_is_up(&link).await;
        assert_eq!(run(&link, "host", "cat /root/kept").await.stdout, "kept\n");
    })
    .await;
}

async fn restarts(link: &AgentLink) -> u32 {
    let status = link.status().await.expect("a status");
    status.machines.iter().find(|machine| machine.name == "host").expect("the host").restarts
}
