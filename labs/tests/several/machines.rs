use crate::ground::{until, with_sandbox};

#[tokio::test]
async fn every_machine_is_what_its_kind_says() {
    with_sandbox("kinds", async |sandbox| {
        let status = sandbox.link.status().await.expect("a status");
        let seen: Vec<_> = status.machines.iter().map(|machine| (machine.name.as_str(), machine.engine)).collect();
        let names = ["host", "probe", "attacker", "registry", "work"];
        assert_eq!(seen, names.map(|name| (name, name == "host")));
        for name in ["attacker", "registry", "work"] {
            assert_eq!(sandbox.says(name, "hostname; id -u; cat /proc/1/comm").await, format!("{name}\n0\ninit"));
            sandbox.refuses(name, "command -v dockerd").await;
        }
        // The registry runs from the start, as the lab configures it; nowhere else.
        until("the registry answers", async || {
            let said = sandbox.run("work", 0, "curl -fsS -D - -o /dev/null http://registry:5000/v2/").await;
            (said.code == 0 && said.stdout.contains("X-Lab: neighbours")).then_some(())
        })
        .await;
        assert_eq!(sandbox.says("registry", "systemctl is-active docker-registry").await, "active");
        assert_eq!(sandbox.says("registry", "stat -c %a /etc/docker/registry/config.yml").await, "640");
        sandbox.refuses("work", "systemctl is-active docker-registry").await;
        // What the lab puts there, and what it makes there.
        assert_eq!(sandbox.says("work", "cat /srv/notes/today.txt; stat -c %u /srv/notes").await, "bring milk\n0");
        let dev1: u32 = sandbox.says("work", "id -u dev1").await.parse().expect("an id");
        let who = sandbox.run("work", dev1, "id -un; pwd; touch /etc/x").await;
        assert_eq!((who.stdout.as_str(), who.code), ("dev1\n/home/dev1\n", 1));
        // A terminal is the account that the lab names, by what the machine itself says.
        assert_eq!(sandbox.link.account("work", "dev1").await, Ok(dev1));
        let nobody = sandbox.link.account("work", "dev2").await.expect_err("no such account").to_string();
        assert!(nobody.contains("work has no account dev2"), "{nobody}");
        sandbox.says("work", "rm /etc/passwd && mkfifo /etc/passwd").await;
        sandbox.link.account("work", "dev1").await.expect_err("a pipe is no list of accounts");
    })
    .await;
}

#[tokio::test]
async fn limits_are_each_machines_own() {
    with_sandbox("limits", async |sandbox| {
        let status = sandbox.link.status().await.expect("a status");
        for machine in &status.machines {
            let disk = if machine.name == "probe" { None } else { Some(()) };
            assert_eq!(machine.disk_bytes.map(|_| ()), disk, "{}", machine.name);
            assert!(machine.memory_bytes.is_some() && machine.pids.is_some(), "{machine:?}");
        }
        let full = sandbox.run("work", 0, "dd if=/dev/zero of=/root/full bs=1M count=200").await;
        assert!(full.code != 0 && full.stderr.contains("No space left"), "{full:?}");
        sandbox.says("registry", "dd if=/dev/zero of=/root/some bs=1M count=20").await;
    })
    .await;
}
