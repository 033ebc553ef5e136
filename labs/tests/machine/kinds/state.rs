//! Kinds about answers, the past, the host's settings and what becomes true in time.

use super::{fails, passes};
use crate::ground::with_sandbox;

#[tokio::test]
async fn answers_are_recomputed_from_the_live_state() {
    let setup = r#"docker run -d --name web --label bulkhead.role=web tiny:1 sleep 1000
        P=$(docker inspect -f '{{.State.Pid}}' web); mkdir -p /root/answers
        U=$(docker inspect -f '{{.GraphDriver.Data.UpperDir}}' web)
        printf '{"pid": %s, "net": "%s", "cgroup": "%s", "image": "%s", "upper": "%s", "shim": %s, "link": "%s"}' $P \
          $(readlink /proc/$P/ns/net | tr -dc 0-9) $(sed -n 's/.*pids:\(.*\)/\1/p; s/^0:://p' /proc/$P/cgroup | head -1) \
          $(docker inspect -f '{{.Image}}' web) $U $(ps -o ppid= -p $P) \
          $(sed -n 's/.* \/ \/ .*upperdir=\([^,]*\).*/\1/p' /proc/$P/mountinfo) > /root/answers/a.json"#;
    with_sandbox(setup, async |sandbox| {
        let check = |key: &str, see: &str, that: &str| {
            format!(
                "kind = \"answer\"\nfile = {{ path = \"/root/answers/a.json\", that = \".{key}\" }}\n\
                 live = {{ of = {{ role = \"web\" }}, see = \"{see}\", that = '{that}' }}"
            )
        };
        let upper = "[.mounts[] | select(.mount_point == \"/\") | .super_options[] | select(startswith(\"upperdir=\")) | ltrimstr(\"upperdir=\")]";
        let all = [
            check("pid", "process", ".pid"),
            check("net", "process", ".namespaces.net"),
            check("cgroup", "process", "[.cgroups[]]"),
            check("image", "inspect", ".Image"),
            check("upper", "inspect", ".GraphDriver.Data.UpperDir"),
            check("link", "process", upper),
            check("shim", "parent", ".pid"),
        ];
        for check in &all {
            passes(sandbox, check).await;
        }
        sandbox.says("docker restart -t 0 web").await;
        // The kernel may number the new network namespace as it did the old one.
        for stale in [&all[0], &all[6]] {
            fails(sandbox, stale).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_past_the_filter_the_settings_and_the_engine_are_judged() {
    let setup = r"docker run -d --name talker --label bulkhead.role=talker --sysctl net.ipv4.ip_default_ttl=33 tiny:1 sh -c 'echo ready; echo error-7 >&2; sleep 1000'
        docker volume create keep; docker network create back; docker tag tiny:1 shop:1; docker tag tiny:1 shop:2
        iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 8080 -j DROP; iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT
        printf 'one\ntwo\nthree\n' > /var/log/authz.log; printf '#!/bin/sh\necho forged\n' > /usr/local/sbin/iptables-save; chmod +x /usr/local/sbin/iptables-save";
    with_sandbox(setup, async |sandbox| {
        passes(sandbox, "kind = \"events\"\nevent = [\"create\", \"start\"]\nwhere = '.Actor.Attributes.name == \"talker\"'\nat_least = 2\nat_most = 2").await;
        fails(sandbox, "kind = \"events\"\nevent = [\"destroy\"]\nat_least = 1").await;
        passes(sandbox, "kind = \"events\"\ntype = \"image\"\nevent = [\"tag\"]\nthat = \"length == 2\"").await;

        passes(sandbox, "kind = \"logs\"\nof = { role = \"talker\" }\nmatches = \"^ready$\"\nlacks = \"panic\"").await;
        fails(sandbox, "kind = \"logs\"\nof = { role = \"talker\" }\nlacks = \"error-[0-9]\"").await;
        passes(sandbox, "kind = \"logs\"\npath = \"/var/log/authz.log\"\nmatches = \"^t\"\nat_least = 2").await;
        fails(sandbox, "kind = \"logs\"\npath = \"/var/log/none.log\"\nmatches = \"x\"").await;

        let rule = "kind = \"firewall\"\nchain = \"DOCKER-USER\"\nhas = [\"--ctorigdstport 8080 .*DROP\"]";
        passes(sandbox, &format!("{rule}\nbefore = \"RETURN\"")).await;
        fails(sandbox, &rule.replace("8080", "9090")).await;
        passes(sandbox, "kind = \"firewall\"\nchain = \"INPUT\"\npolicy = \"DROP\"\nhas = [\"-i lo -j ACCEPT\"]\nlacks = [\"8080\"]").await;
        passes(sandbox, "kind = \"firewall\"\nthat = '.ipv4.nat.POSTROUTING.rules | any(test(\"MASQUERADE\"))'").await;
        sandbox.says("iptables -D DOCKER-USER 1; iptables -A DOCKER-USER -p tcp -m conntrack --ctorigdstport 8080 -j DROP; iptables -I DOCKER-USER -j RETURN").await;
        fails(sandbox, &format!("{rule}\nbefore = \"RETURN\"")).await;

        passes(sandbox, "kind = \"sysctl\"\nvalues = { \"net.ipv4.ip_forward\" = \"1\" }").await;
        fails(sandbox, "kind = \"sysctl\"\nvalues = { \"net.ipv4.ip_forward\" = \"0\", \"net.no.such\" = \"1\" }").await;
        passes(sandbox, "kind = \"sysctl\"\nof = { role = \"talker\" }\nvalues = { \"net.ipv4.ip_default_ttl\" = \"3[0-9]\" }").await;

        passes(sandbox, "kind = \"engine\"\nthat = '.exe == \"/usr/sbin/dockerd\" and .uid == 0 and (.effective.icc != false)'").await;
        passes(sandbox, "kind = \"engine\"\nsee = \"info\"\nthat = '.Driver == \"overlay2\"'").await;
        let hard = "kind = \"engine\"\nthat = '.effective.icc == false and .effective[\"log-opts\"][\"max-size\"] == \"10m\"'";
        fails(sandbox, hard).await;
        sandbox.says(r#"echo '{"icc": false, "log-opts": {"max-size": "10m"}}' > /etc/docker/daemon.json && systemctl restart docker && docker start talker"#).await;
        passes(sandbox, hard).await;

        let images = |names: &str| format!("kind = \"inventory\"\nwhat = \"images\"\nexactly = [{names}]\nignore = \"^(cms|tiny):\"");
        passes(sandbox, &images("\"shop:1,shop:2\"")).await;
        fails(sandbox, &images("\"shop:1\"")).await;
        passes(sandbox, "kind = \"inventory\"\nwhat = \"containers\"\nexactly = [\"talker\"]").await;
        passes(sandbox, "kind = \"inventory\"\nwhat = \"volumes\"\nincludes = [\"keep\"]\nexcludes = [\"gone\"]").await;
        passes(sandbox, "kind = \"inventory\"\nwhat = \"networks\"\nexactly = [\"back\"]").await;
        fails(sandbox, "kind = \"inventory\"\nwhat = \"containers\"\nlabel = \"bulkhead.role\"\nrunning = true\nexcludes = [\"talker\"]").await;
    })
    .await;
}

#[tokio::test]
async fn a_state_is_waited_for_and_networks_without_addresses_have_members() {
    let setup = "docker run -d --name alone --label bulkhead.role=alone --network none tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let late = "(sleep 4; docker run -d --name late --label bulkhead.role=late --network host tiny:1 sleep 1000)";
        sandbox.says(&format!("setsid sh -c '{late}' > /dev/null 2>&1 < /dev/null &")).await;
        let running = "kind = \"container\"\nof = { role = \"late\" }\nthat = \".State.Running\"";
        fails(sandbox, running).await;
        passes(sandbox, &format!("{running}\nwithin = \"30s\"")).await;

        let on =
            |network: &str, members: &str| format!("kind = \"network\"\nname = \"{network}\"\nmembers = [{members}]");
        passes(sandbox, &on("host", "\"late\"")).await;
        fails(sandbox, &on("host", "")).await;
        passes(sandbox, &on("none", "\"alone\"")).await;
        fails(sandbox, &on("none", "\"alone\", \"late\"")).await;
    })
    .await;
}
