use bulkhead_agent::look::{Look, Seen, Way};

use crate::ground::{Sandbox, until, with_sandbox};

const PING: &str = "ping -c 1 -W 1 -q";

async fn reaches(sandbox: &Sandbox, from: &str, to: &str) -> bool {
    sandbox.run(from, 0, &format!("{PING} {to}")).await.code == 0
}

#[tokio::test]
async fn a_machine_reaches_those_on_its_networks_and_no_others() {
    with_sandbox("matrix", async |sandbox| {
        // Address and name of each machine on each network.
        let lan = [("host", "10.77.0.2"), ("registry", "10.77.0.5"), ("work", "10.77.0.6"), ("probe", "10.77.0.3")];
        let ext = [("host", "10.99.0.2"), ("attacker", "10.99.0.7"), ("attacker", "10.99.0.8")];
        for (from, on) in
            [("host", [true, true]), ("registry", [true, false]), ("work", [true, false]), ("attacker", [false, true])]
        {
            for ((name, address), there) in lan.iter().map(|to| (to, on[0])).chain(ext.iter().map(|to| (to, on[1]))) {
                if *name != from {
                    assert_eq!(reaches(sandbox, from, address).await, there, "{from} to {name} at {address}");
                }
            }
        }
        for (from, known, unknown) in [
            ("host", vec!["probe", "attacker", "registry", "work"], vec![]),
            ("work", vec!["host", "registry", "probe"], vec!["attacker"]),
            ("attacker", vec!["host"], vec!["registry", "work", "probe"]),
        ] {
            for name in known {
                assert!(reaches(sandbox, from, name).await, "{from} to {name}");
            }
            for name in unknown {
                sandbox.refuses(from, &format!("getent hosts {name}")).await;
            }
        }
        // Not even with an address of the other network: they are two switches.
        sandbox.says("work", "ip address add 10.99.0.66/24 dev eth0").await;
        assert!(!reaches(sandbox, "work", "10.99.0.7").await);
        assert_eq!(sandbox.says("attacker", "getent hosts host | cut -d' ' -f1").await, "10.99.0.2");
        let interfaces = sandbox.says("host", "ls /sys/class/net").await;
        assert!(interfaces.contains("eth0") && interfaces.contains("ext0"), "{interfaces}");
    })
    .await;
}

#[tokio::test]
async fn the_attacker_has_two_addresses_and_a_way_to_containers() {
    with_sandbox("attacker", async |sandbox| {
        let get = "curl -fsS -m 3";
        let flag = until("the service answers", async || {
            let said = sandbox.run("attacker", 0, &format!("{get} http://host:8080/flag")).await;
            (said.code == 0).then(|| said.stdout.trim().to_owned())
        })
        .await;
        assert_eq!(flag, sandbox.flag);
        for own in ["10.99.0.7", "10.99.0.8"] {
            assert_eq!(sandbox.says("attacker", &format!("{get} --interface {own} http://host:8080/flag")).await, flag);
        }
        // One that publishes nothing.
        let hidden = "docker run -d --name hidden layers:1 sh -c 'echo hidden > /srv/flag; exec httpd -f -p 80 -h /srv' > /dev/null; \
            docker inspect -f '{{.NetworkSettings.IPAddress}}' hidden";
        let inside = sandbox.says("host", hidden).await;
        // The host forwarded from the start, so its engine leaves the door open.
        assert_eq!(sandbox.says("host", "iptables -S FORWARD | head -n 1").await, "-P FORWARD ACCEPT");
        until("the hidden one answers", async || {
            let said = sandbox.run("attacker", 0, &format!("{get} http://{inside}:80/flag")).await;
            (said.stdout == "hidden\n").then_some(())
        })
        .await;
        sandbox.says("host", "iptables -P FORWARD DROP").await;
        sandbox.refuses("attacker", &format!("{get} http://{inside}:80/flag")).await;
    })
    .await;
}

#[tokio::test]
async fn a_look_goes_where_its_machine_is() {
    with_sandbox("looks", async |sandbox| {
        let ask = async |from: &str, host: &str| {
            let look = Look::Http {
                machine: from.to_owned(),
                host: host.to_owned(),
                port: 8080,
                method: "GET".to_owned(),
                path: "/flag".to_owned(),
                headers: vec![],
                body: String::new(),
                timeout_ms: 1_000,
                limit: 1000,
                pid: None,
                way: Way::Tcp,
            };
            matches!(sandbox.look(look).await, Seen::Http { status: 200, .. })
        };
        until("the service answers", async || ask("probe", "host").await.then_some(())).await;
        assert!(ask("attacker", "host").await, "over ext");
        assert!(!ask("attacker", "10.77.0.2").await, "no way to the other network's address without a gateway");
    })
    .await;
}

#[tokio::test]
async fn cables_are_cut_and_put_back_each_for_itself() {
    with_sandbox("cables", async |sandbox| {
        assert!(reaches(sandbox, "work", "host").await && reaches(sandbox, "attacker", "host").await);
        sandbox.link.cut("host", Some("ext")).await.expect("cut");
        assert!(!reaches(sandbox, "attacker", "host").await);
        assert!(reaches(sandbox, "work", "host").await, "the other cable is in");
        sandbox.link.cut("host", None).await.expect("cut");
        assert!(!reaches(sandbox, "work", "host").await);
        sandbox.link.restore("host", Some("lan")).await.expect("restored");
        until("lan is back", async || reaches(sandbox, "work", "host").await.then_some(())).await;
        assert!(!reaches(sandbox, "attacker", "host").await);
        sandbox.link.restore("host", None).await.expect("restored");
        until("ext is back", async || reaches(sandbox, "attacker", "host").await.then_some(())).await;
        assert!(sandbox.link.cut("work", Some("ext")).await.is_err(), "it is not on that network");
        assert!(sandbox.link.cut("nobody", None).await.is_err());
        // Who is root there cannot put his own cable back by starting anew.
        sandbox.link.cut("work", Some("lan")).await.expect("cut");
        sandbox.run("work", 0, "kill -TERM 1").await;
        until("it started anew", async || {
            let status = sandbox.link.status().await.expect("a status");
            status
                .machines
                .iter()
                .any(|machine| machine.name == "work" && machine.up && machine.restarts == 1)
                .then_some(())
        })
        .await;
        assert!(!reaches(sandbox, "work", "registry").await);
        sandbox.link.restore("work", Some("lan")).await.expect("restored");
        until("work is back", async || reaches(sandbox, "work", "registry").await.then_some(())).await;
    })
    .await;
}
