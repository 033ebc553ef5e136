use bulkhead_agent::{
    look::{Look, Seen, Way},
    protocol::Fault,
};

use crate::ground::{Sandbox, until, with, with_sandbox};

const SERVE: &str = "docker run -d --name cms --label bulkhead.role=cms -p 8080:8080 cms:1";

async fn ask(sandbox: &Sandbox<'_>, host: &str) -> Result<Seen, Fault> {
    let look = Look::Http {
        machine: "probe".to_owned(),
        host: host.to_owned(),
        port: 8080,
        method: "GET".to_owned(),
        path: "/healthz".to_owned(),
        headers: vec![],
        body: String::new(),
        timeout_ms: 1_000,
        limit: 1000,
        pid: None,
        way: Way::Tcp,
    };
    sandbox.look(look).await
}

async fn answers(sandbox: &Sandbox<'_>) -> bool {
    matches!(ask(sandbox, "host").await, Ok(Seen::Http { status: 200, .. }))
}

#[tokio::test]
async fn the_probe_reaches_the_host_while_the_cable_is_in() {
    with_sandbox(SERVE, async |sandbox| {
        until("cms answers the probe", async || answers(sandbox).await.then_some(())).await;
        sandbox.link.cut("host", None).await.expect("out");
        assert!(matches!(ask(sandbox, "host").await, Ok(Seen::NoAnswer { .. })), "without a cable");
        assert_eq!(sandbox.says("curl -fsS -o /dev/null http://127.0.0.1:8080/healthz && echo served").await, "served");
        sandbox.link.restore("host", None).await.expect("in");
        until("cms answers again", async || answers(sandbox).await.then_some(())).await;
    })
    .await;
}

/// An address that its kernel still asks about can be reached by nobody, and a grading would take that for a rule.
#[tokio::test]
async fn a_machine_that_is_up_is_heard_at_each_of_its_addresses() {
    with_sandbox("", async |sandbox| {
        let addresses = sandbox.says("ip -6 -oneline address show dev eth0").await;
        assert!(addresses.contains("inet6 fe80::") && !addresses.contains("tentative"), "{addresses}");
    })
    .await;
}

#[tokio::test]
async fn the_same_address_in_another_sandbox_is_another_machine() {
    with(async |ground| {
        let (one, two) = (ground.sandbox("one", SERVE).await, ground.sandbox("two", "").await);
        until("cms answers its own probe", async || answers(&one).await.then_some(())).await;
        for host in ["host", "10.77.0.2", "10.77.0.1"] {
            assert!(matches!(ask(&two, host).await, Ok(Seen::NoAnswer { .. })), "{host} of another sandbox");
        }
        assert_eq!(two.says("docker ps -aq; ip route show default").await, "");
        // Names outside the file system: System V memory and abstract sockets.
        one.serve(
            "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Local => \"\\0bulkhead-abstract\", Listen => 1) or die $!;
             shmget(4711, 4096, 01666) // die $!; open(my $r, '>', '/run/ready'); sleep 1000;",
        )
        .await;
        assert!(one.says("cat /proc/net/unix /proc/sysvipc/shm").await.contains("4711"));
        let names = two.says("cat /proc/net/unix /proc/sysvipc/shm").await;
        assert!(!names.contains("bulkhead-abstract") && !names.contains("4711"), "{names}");
    })
    .await;
}
