//! Kinds that ask what is served, from other machines and from inside each network.

use bulkhead_labs::grade::Verdict;

use super::{fails, judge, passes};
use crate::ground::with_sandbox;

#[tokio::test]
async fn who_reaches_whom_is_tried_from_inside() {
    let setup = "docker network create --internal back; docker network create front
        run() { docker run -d --name $1 --label bulkhead.role=$1 --network $2 $4 cms:1; }
        run web front; run api front; docker network connect back api; run db back
        docker run -d --name quiet --label bulkhead.role=quiet --network back tiny:1 sleep 1000";
    with_sandbox(setup, async |sandbox| {
        let cell = |from: &str, to: &str, reach: bool| {
            format!("[[task.check.cell]]\nfrom = \"{from}\"\nto = \"{to}\"\nport = 8080\npath = \"/healthz\"\nreach = {reach}\n")
        };
        let matrix = format!(
            "kind = \"net\"\n{}{}{}[[task.check.cell]]\nfrom_machine = \"probe\"\nto = \"db\"\nport = 8080\nreach = false\n\
             [[task.check.cell]]\nfrom = \"db\"\nto_address = \"10.77.0.3\"\nport = 80\nreach = false",
            cell("web", "api", true),
            cell("api", "db", true),
            cell("web", "db", false)
        );
        let seen = passes(sandbox, &matrix).await;
        assert!(seen.contains("web reaches api:8080") && seen.contains("web does not reach db:8080"), "{seen}");
        fails(sandbox, &format!("kind = \"net\"\n{}", cell("web", "quiet", false))).await;
        // An internal network does not keep its containers from the host itself.
        let to_host = "kind = \"net\"\n[[task.check.cell]]\nfrom = \"db\"\nto_machine = \"host\"\nport = 22\nreach = false";
        sandbox.says("systemctl start ssh; until ss -ltn | grep -q :22; do sleep 0.1; done").await;
        fails(sandbox, to_host).await;
        sandbox.says("iptables -I INPUT -i br-$(docker network inspect -f '{{.Id}}' back | cut -c1-12) -j DROP").await;
        passes(sandbox, to_host).await;
        sandbox.says("docker network connect front db").await;
        let seen = fails(sandbox, &matrix).await;
        assert!(seen.contains("web reaches db:8080"), "{seen}");
    })
    .await;
}

#[tokio::test]
async fn services_are_asked_by_ipv6() {
    let setup = "docker run -d --name web --label bulkhead.role=web -p 8080:8080 cms:1";
    with_sandbox(setup, async |sandbox| {
        let cell = |reach: bool| {
            format!(
                "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto_machine = \"host\"\nfamily = \"ipv6\"\n\
                 port = 8080\npath = \"/healthz\"\nreach = {reach}"
            )
        };
        let step = "port = 8080\nfamily = \"ipv6\"\n[[task.check.step]]\npath = \"/healthz\"";
        let probe = format!("kind = \"probe\"\n{step}");
        let attack = format!("kind = \"attack\"\n{step}\nstatus = 403\nsilent = true\nbreach = \"(?s).\"");
        // Whoever is asked as soon as he is there must not look like one who refuses.
        fails(sandbox, &cell(false).replace("path = \"/healthz\"\n", "")).await;
        let seen = passes(sandbox, &cell(true)).await;
        assert!(seen.contains("at fe80::") && seen.contains("%eth0"), "{seen}");
        fails(sandbox, &cell(false)).await;
        passes(sandbox, &probe).await;
        fails(sandbox, &attack).await;

        sandbox.says("ip6tables -A INPUT -p tcp --dport 8080 -j REJECT").await;
        passes(sandbox, &cell(false)).await;
        fails(sandbox, &probe).await;
        passes(sandbox, &attack).await;
        passes(sandbox, &probe.replace("ipv6", "ipv4")).await;
    })
    .await;
}

#[tokio::test]
async fn who_shows_the_right_certificate_is_let_in_and_nobody_else() {
    let setup = r#"mkdir -p /root/tls; cd /root/tls
        ec() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "$@" 2>/dev/null; }
        sign() { openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -out $1.pem -extfile <(printf "$2") 2>/dev/null; }
        ec -x509 -keyout ca-key.pem -out ca.pem -days 30 -subj /CN=ca -addext basicConstraints=critical,CA:TRUE
        ec -keyout server-key.pem -out server.csr -subj /CN=host; sign server 'subjectAltName=DNS:host,IP:10.77.0.2\nextendedKeyUsage=serverAuth'
        ec -keyout client-key.pem -out client.csr -subj /CN=deploy; sign client 'extendedKeyUsage=clientAuth'
        ec -x509 -keyout other-key.pem -out other.pem -days 30 -subj /CN=other
        serve() { setsid openssl s_server -www -quiet -accept $1 -cert server.pem -key server-key.pem "${@:2}" < /dev/null > /dev/null 2>&1 & }
        serve 2376 -CAfile ca.pem -Verify 2 -verify_return_error
        serve 2377
        until ss -ltn | grep -q 2376 && ss -ltn | grep -q 2377; do sleep 0.1; done"#;
    with_sandbox(setup, async |sandbox| {
        let check = |port: u16, name: &str, ca: &str, client: &str| {
            format!("kind = \"tls\"\nport = {port}\npath = \"/\"\nclient = {{ name = \"{name}\", ca = \"/root/tls/{ca}.pem\"{client} }}")
        };
        let own = ", certificate = \"/root/tls/client.pem\", key = \"/root/tls/client-key.pem\"";
        let seen = passes(sandbox, &check(2376, "host", "ca", own)).await;
        assert!(seen.contains("may trust it") && seen.contains("no certificate gets no answer"), "{seen}");
        passes(sandbox, &check(2376, "10.77.0.2", "ca", own)).await;
        for (wrong, said) in [
            (check(2377, "host", "ca", own), "who shows no certificate gets 200"),
            (check(2376, "elsewhere", "ca", own), "not for the name elsewhere"),
            (check(2376, "host", "other", own), "not signed by that CA"),
            (check(2376, "host", "none", own), "there is no usable /root/tls/none.pem"),
            (check(2376, "host", "ca", ""), "refused"),
            (check(2376, "host", "ca", ", certificate = \"/root/tls/other.pem\", key = \"/root/tls/other-key.pem\""), "refused"),
            (check(2376, "host", "ca", ", certificate = \"/root/tls/client.pem\", key = \"/root/tls/other-key.pem\""), "of no use"),
            (check(22, "host", "ca", own), "no answer"),
        ] {
            let result = judge(sandbox, &wrong).await;
            assert!(result.verdict == Verdict::Fail && result.observed.contains(said), "{wrong}: {result:?}");
        }
        let probe = |name: &str| {
            format!("kind = \"probe\"\nport = 2376\ntls = {{ name = \"{name}\", ca = \"/root/tls/ca.pem\"{own} }}\n[[task.check.step]]\npath = \"/\"\nmatches = \"TLSv1\"")
        };
        passes(sandbox, &probe("host")).await;
        fails(sandbox, &probe("elsewhere")).await;
    })
    .await;
}

#[tokio::test]
async fn a_service_is_quick_or_not() {
    with_sandbox("docker run -d --name cms -p 8080:8080 cms:1", async |sandbox| {
        let check = |port: u16, keys: &str| {
            format!("kind = \"latency\"\nport = {port}\npath = \"/healthz\"\ncount = 10\np95_ms = 2000\n{keys}")
        };
        passes(sandbox, "kind = \"probe\"\nport = 8080\n[[task.check.step]]\npath = \"/healthz\"").await;
        passes(sandbox, &check(8080, "")).await;
        passes(sandbox, &check(8080, "trigger = { port = 8080, path = \"/healthz\" }")).await;
        fails(sandbox, &check(8081, "")).await;
        fails(sandbox, &check(8080, "trigger = { port = 8081, path = \"/burn\" }")).await;
    })
    .await;
}
