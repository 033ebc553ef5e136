//! Kinds about networks and what answers on them, on what was recorded and on what a hostile student makes of it.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bulkhead_agent::look::{
    Look, Seen,
    facts::{Address, ProcessBrief, SocketFacts},
};
use insta::assert_snapshot;
use serde_json::json;

use super::{
    context,
    hosts::show,
    judge, lab_with,
    recorded::{Recorded, pid},
};
use crate::grade::{Context, Verdict, grade_lab};

fn net_id() -> String {
    "c".repeat(64)
}

fn networks(recorded: &mut Recorded, address: &str) {
    let hard = recorded
        .engine
        .keys()
        .find_map(|path| path.strip_prefix("/containers/")?.strip_suffix("/json"))
        .map(str::to_owned);
    let hard = hard.filter(|id| id.len() == 64).expect("a recorded container");
    let network = json!({ "Name": "back", "Id": net_id(), "Internal": true, "Labels": { "tier": "back" },
        "Containers": { hard: { "Name": "hard", "IPv4Address": format!("{address}/16") } } });
    recorded.answer("/networks", &json!([network, { "Name": "bridge", "Id": "d".repeat(64) }]));
    recorded.answer(&format!("/networks/{}", net_id()), &network);
}

#[tokio::test]
async fn network_believes_an_address_that_the_kernel_has() {
    let check = "kind = \"network\"\nname = \"back\"\nthat = \".Internal\"\nmembers = [\"cms\"]";
    let mut recorded = Recorded::with(&["hard"]);
    assert_snapshot!(show(&recorded, check).await, @"fail | the network back satisfies .Internal and has on it cms and nobody else | there is no such network | Not yet.");
    networks(&mut recorded, "172.18.0.2");
    let address = Address { interface: "eth0".into(), address: "172.18.0.2".into() };
    let own = pid("hard");
    recorded.on(
        move |look| *look == Look::Addresses { machine: "host".into(), pid: Some(own) },
        Seen::Addresses { addresses: vec![address] },
    );
    assert_snapshot!(show(&recorded, check).await, @"pass | the network back satisfies .Internal and has on it cms and nobody else | .Internal is true; on back is cms |");
    let by_label = "kind = \"network\"\nlabel = \"tier=back\"\nexcludes = [\"cms\"]";
    assert_snapshot!(show(&recorded, by_label).await, @"fail | every network with the label tier=back does not have on it cms | on back is cms | Not yet.");
    let absent = "kind = \"network\"\nname = \"back\"\nabsent = true";
    assert_snapshot!(show(&recorded, absent).await, @"fail | there is not the network back | there are 1 such networks | Not yet.");
    networks(&mut recorded, "172.18.0.9");
    assert_snapshot!(show(&recorded, check).await, @"unknown | the network back satisfies .Internal and has on it cms and nobody else |  | the engine says that cms has the address 172.18.0.9 there; the kernel does not have it");
    for odd in [json!({}), json!(null), json!([{ "Name": "back", "Id": "../x" }]), json!([{ "Name": "back" }])] {
        recorded.answer("/networks", &odd);
        assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown, "{odd}");
    }
}

/// The recorded container on a network of that driver, by the engine's word.
fn on_network(recorded: &mut Recorded, driver: &str, entry: &serde_json::Value) {
    networks(recorded, "0.0.0.0");
    let id = format!("/networks/{}", net_id());
    let mut network: serde_json::Value = serde_json::from_str(&recorded.engine[&id].1).unwrap();
    network["Driver"] = json!(driver);
    network["Containers"].as_object_mut().unwrap().values_mut().for_each(|on_it| *on_it = entry.clone());
    recorded.answer("/networks", &json!([network]));
    recorded.answer(&id, &network);
}

fn has_addresses(recorded: &mut Recorded, addresses: &[&str]) {
    let found = |address: &&str| Address { interface: "eth0".into(), address: (*address).to_owned() };
    let addresses = addresses.iter().map(found).collect();
    recorded.on(|look| matches!(look, Look::Addresses { pid: Some(_), .. }), Seen::Addresses { addresses });
}

fn shares_network(recorded: &mut Recorded, shares: bool) {
    recorded.processes.values_mut().for_each(|facts| _ = facts.shared_with_machine.insert("net".into(), shares));
}

#[tokio::test]
async fn network_knows_who_shares_the_machines_and_who_has_none() {
    let check = "kind = \"network\"\nname = \"back\"\nmembers = [\"cms\"]";
    let mut recorded = Recorded::with(&["hard"]);
    let nowhere = json!({ "IPv4Address": "", "IPv6Address": "" });
    on_network(&mut recorded, "host", &nowhere);
    shares_network(&mut recorded, true);
    assert_snapshot!(show(&recorded, check).await, @"pass | the network back has on it cms and nobody else | on back is cms |");
    shares_network(&mut recorded, false);
    assert_snapshot!(show(&recorded, check).await, @"unknown | the network back has on it cms and nobody else |  | the engine says that cms is on the machine's network; the kernel does not");
    on_network(&mut recorded, "null", &nowhere);
    has_addresses(&mut recorded, &["127.0.0.1", "::1"]);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass);
    has_addresses(&mut recorded, &["127.0.0.1", "172.17.0.2"]);
    assert_snapshot!(show(&recorded, check).await, @"unknown | the network back has on it cms and nobody else |  | the engine says that cms is on no network; the kernel has it on one");
    shares_network(&mut recorded, true);
    has_addresses(&mut recorded, &[]);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown);
    // A bridge on which the engine names no address is no proof of anything.
    shares_network(&mut recorded, false);
    for odd in [json!({}), nowhere, json!({ "IPv4Address": 7 }), json!({ "IPv4Address": "/16" })] {
        on_network(&mut recorded, "bridge", &odd);
        assert_eq!(judge(&recorded, check).await.verdict, Verdict::Unknown, "{odd}");
    }
}

#[tokio::test]
async fn network_compares_addresses_of_both_versions() {
    let check = "kind = \"network\"\nname = \"back\"\nmembers = [\"cms\"]";
    let mut recorded = Recorded::with(&["hard"]);
    let both = json!({ "IPv4Address": "172.18.0.2/16", "IPv6Address": "fd00:0:0::2/64" });
    on_network(&mut recorded, "bridge", &both);
    for (has, verdict) in [
        (&["172.18.0.2", "fd00::2"][..], Verdict::Pass),
        (&["172.18.0.2"], Verdict::Unknown),
        (&["fd00::2"], Verdict::Unknown),
        (&["172.18.0.2", "fd00::3", "x"], Verdict::Unknown),
    ] {
        has_addresses(&mut recorded, has);
        assert_eq!(judge(&recorded, check).await.verdict, verdict, "{has:?}");
    }
    on_network(&mut recorded, "bridge", &json!({ "IPv4Address": "", "IPv6Address": "fd00::2/64" }));
    has_addresses(&mut recorded, &["fd00::2"]);
    assert_eq!(judge(&recorded, check).await.verdict, Verdict::Pass, "a network of version 6 alone");
}

pub(super) fn socket(protocol: &str, address: &str, port: u16, exe: &str) -> SocketFacts {
    let owner =
        ProcessBrief { pid: 7, parent: 1, uid: 0, exe: exe.into(), cmdline: vec![exe.into()], cgroup: "/".into() };
    SocketFacts { protocol: protocol.into(), address: address.into(), port, uid: 0, owner: Some(owner) }
}

const MATRIX: &str = "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto = \"cms\"\nport = 5432\nreach = false\n\
    [[task.check.cell]]\nfrom = \"cms\"\nto_address = \"192.0.2.1\"\nport = 80\nreach = false";

#[tokio::test]
async fn net_tries_every_address_that_the_kernel_has() {
    let own = pid("hard");
    let mut recorded = Recorded::with(&["hard"]);
    let address = |address: &str| Address { interface: "eth0".into(), address: address.into() };
    let addresses =
        Seen::Addresses { addresses: ["127.0.0.1", "172.18.0.2", "172.19.0.2", "fe80::1"].map(address).to_vec() };
    recorded.on(|look| matches!(look, Look::Addresses { .. }), addresses);
    recorded.on(|look| matches!(look, Look::Connect { .. }), Seen::NoAnswer { why: "no answer in time".into() });
    recorded.on(|look| matches!(look, Look::Sockets { .. }), Seen::Sockets { sockets: Vec::new(), truncated: false });
    assert_snapshot!(show(&recorded, MATRIX).await, @"fail | probe does not reach cms:5432, cms does not reach 192.0.2.1:80 | nobody serves port 5432 in the network of cms | Not yet. What is not there cannot be reached, which shows nothing.");
    let serves = Seen::Sockets { sockets: vec![socket("tcp", "0.0.0.0", 5432, "/db")], truncated: false };
    recorded.on(move |look| matches!(look, Look::Sockets { pid: Some(pid), .. } if *pid == own), serves);
    assert_snapshot!(show(&recorded, MATRIX).await, @"pass | probe does not reach cms:5432, cms does not reach 192.0.2.1:80 | probe does not reach cms:5432: no answer in time; cms does not reach 192.0.2.1:80: no answer in time |");
    // One way is enough.
    recorded.on(
        |look| matches!(look, Look::Connect { host, pid: None, .. } if host == "172.19.0.2"),
        Seen::Connected { reply: String::new() },
    );
    assert_snapshot!(show(&recorded, MATRIX).await, @"fail | probe does not reach cms:5432, cms does not reach 192.0.2.1:80 | probe reaches cms:5432 at 172.19.0.2 | Not yet.");
    let reach = MATRIX.replacen("reach = false", "reach = true", 1);
    assert_eq!(judge(&recorded, &reach).await.verdict, Verdict::Pass);
    // … and with it nobody waits for the other addresses.
    let patient = Context { patience: Duration::from_mins(1), ..context() };
    let one = reach.split_once("\n[[task.check.cell]]\nfrom = \"cms\"").map_or(reach.as_str(), |(one, _)| one);
    let grading = grade_lab(&lab_with(one), &recorded, &patient, &|_| ()).await;
    assert!(grading.result("a").unwrap().verdict == Verdict::Pass && grading.round_trips < 10, "{grading:?}");
    // A service that hears nothing but itself cannot be reached whatever the networks are.
    let local = Seen::Sockets { sockets: vec![socket("tcp", "127.0.0.1", 5432, "/db")], truncated: false };
    recorded.on(|look| matches!(look, Look::Sockets { .. }), local);
    assert_eq!(judge(&recorded, MATRIX).await.verdict, Verdict::Fail);
}

/// In a container's own `/etc/hosts` stands no machine, and a name that nobody knows would look like a closed port.
#[tokio::test]
async fn a_container_tries_a_machine_by_its_addresses() {
    let matrix =
        "kind = \"net\"\n[[task.check.cell]]\nfrom = \"cms\"\nto_machine = \"probe\"\nport = 123\nreach = true";
    let mut recorded = Recorded::with(&["hard"]);
    let there = Address { interface: "eth0".into(), address: "10.77.0.3".into() };
    recorded.on(
        |look| matches!(look, Look::Addresses { machine, pid: None } if machine == "probe"),
        Seen::Addresses { addresses: vec![there] },
    );
    recorded.on(|look| matches!(look, Look::Connect { .. }), Seen::NoAnswer { why: "no such name".into() });
    recorded.on(
        |look| matches!(look, Look::Connect { host, pid: Some(_), .. } if host == "10.77.0.3"),
        Seen::Connected { reply: String::new() },
    );
    assert_eq!(judge(&recorded, matrix).await.verdict, Verdict::Pass);
}

/// What the kernel has on a machine, as `interface address`.
fn has(recorded: &mut Recorded, machine: &'static str, addresses: &[&str]) {
    let found = |text: &&str| {
        let (interface, address) = text.split_once(' ').expect("an interface and an address");
        Address { interface: interface.into(), address: address.into() }
    };
    let addresses = addresses.iter().map(found).collect();
    recorded.on(
        move |look| matches!(look, Look::Addresses { machine: of, pid: None } if of == machine),
        Seen::Addresses { addresses },
    );
}

fn answers_at(recorded: &mut Recorded, address: &'static str) {
    recorded.on(|look| matches!(look, Look::Connect { .. }), Seen::NoAnswer { why: "no answer in time".into() });
    recorded.on(
        move |look| matches!(look, Look::Connect { host, .. } if host == address),
        Seen::Connected { reply: String::new() },
    );
}

/// Addresses that were knocked at in the last grading.
fn tried(recorded: &Recorded) -> Vec<String> {
    let asked = std::mem::take(&mut *recorded.asked.lock().unwrap());
    let host = |look: Look| match look {
        Look::Connect { host, .. } => Some(host),
        _ => None,
    };
    let mut tried: Vec<String> = asked.into_iter().flatten().filter_map(host).collect();
    tried.sort();
    tried.dedup();
    tried
}

#[tokio::test]
async fn net_asks_by_ipv6_at_every_link() {
    let cell = |family: &str, reach: bool| {
        format!(
            "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto_machine = \"host\"\nport = 8080\nreach = {reach}\n{family}"
        )
    };
    let (six, any) = ("family = \"ipv6\"", "family = \"any\"");
    let mut recorded = Recorded::with(&["hard"]);
    let serves = Seen::Sockets { sockets: vec![socket("tcp6", "::", 8080, "/proxy")], truncated: false };
    recorded.on(|look| matches!(look, Look::Sockets { .. }), serves);
    has(&mut recorded, "host", &["lo ::1", "eth0 10.77.0.2", "eth0 fe80::a", "docker0 fe80::b", "eth0 fd00::2"]);
    has(&mut recorded, "probe", &["lo 127.0.0.1", "eth0 10.77.0.3", "eth0 fe80::c", "eth1 10.99.0.3"]);
    answers_at(&mut recorded, "fe80::a%eth0");
    assert_snapshot!(show(&recorded, &cell(six, false)).await, @"fail | probe does not reach host:8080 by IPv6 | probe reaches host:8080 at fe80::a%eth0 | Not yet.");
    recorded.asked.lock().unwrap().clear();
    assert_eq!(judge(&recorded, &cell(six, true)).await.verdict, Verdict::Pass);
    // An interface without IPv6 is no link for it.
    assert_eq!(tried(&recorded), ["fd00::2", "fe80::a%eth0", "fe80::b%eth0"]);
    assert_eq!(judge(&recorded, &cell(any, true)).await.verdict, Verdict::Pass);
    assert_eq!(tried(&recorded), ["10.77.0.2", "fd00::2", "fe80::a%eth0", "fe80::b%eth0"]);
    // By IPv4 it is as it was.
    assert_eq!(judge(&recorded, &cell("", false)).await.verdict, Verdict::Pass);
    assert_eq!(tried(&recorded), ["host"]);
    answers_at(&mut recorded, "nowhere");
    assert_eq!(judge(&recorded, &cell(six, false)).await.verdict, Verdict::Pass);
    has(&mut recorded, "host", &["lo ::1", "eth0 10.77.0.2"]);
    assert_snapshot!(show(&recorded, &cell(six, false)).await, @"pass | probe does not reach host:8080 by IPv6 | host has no address but its own loopback at which to ask it by IPv6 |");
}

/// Decoys must not push the address that counts out of what is tried.
#[tokio::test]
async fn net_says_nothing_of_a_place_with_more_addresses_than_it_tries() {
    let cell = "kind = \"net\"\n[[task.check.cell]]\nfrom_machine = \"probe\"\nto_machine = \"host\"\nfamily = \"ipv6\"\nport = 80\nreach = false";
    let mut recorded = Recorded::with(&["hard"]);
    let serves = Seen::Sockets { sockets: vec![socket("tcp6", "::", 80, "/proxy")], truncated: false };
    recorded.on(|look| matches!(look, Look::Sockets { .. }), serves);
    answers_at(&mut recorded, "nowhere");
    has(&mut recorded, "probe", &["eth0 fe80::c"]);
    for (count, verdict) in [(32, Verdict::Pass), (33, Verdict::Unknown)] {
        let many: Vec<String> = (1..=count).map(|number| format!("eth0 fd00::{number:x}")).collect();
        has(&mut recorded, "host", &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(judge(&recorded, cell).await.verdict, verdict, "{count}");
    }
    has(&mut recorded, "host", &["eth0 nonsense", "eth0 fe80::1%eth0", " fd00::1"]);
    assert_eq!(judge(&recorded, cell).await.verdict, Verdict::Pass);
    assert!(tried(&recorded).iter().all(|host| host.starts_with("fd00::")));
}

#[tokio::test]
async fn a_probe_asks_by_ipv6_where_somebody_answers() {
    let check = "kind = \"probe\"\nport = 8080\nfamily = \"ipv6\"\n[[task.check.step]]\npath = \"/echo?n={{nonce}}\"\nmatches = \"nonce={{nonce}}\"\n[[task.check.step]]\npath = \"/\"\nport = 81";
    let mut recorded = Recorded::with(&["hard"]);
    has(&mut recorded, "host", &["eth0 fe80::a", "docker0 fe80::b"]);
    has(&mut recorded, "probe", &["eth0 fe80::c"]);
    answers_at(&mut recorded, "fe80::b%eth0");
    assert_snapshot!(show(&recorded, check).await, @"pass | host:8080 by IPv6 answers 2 requests as it should | GET / at port 81 answered 200 |");
    let asked: Vec<(String, u16)> = recorded
        .asked
        .lock()
        .unwrap()
        .iter()
        .flatten()
        .filter_map(|look| match look {
            Look::Http { host, port, path, .. } if path != "/echo?n=" => Some((host.clone(), *port)),
            _ => None,
        })
        .filter(|(host, _)| host != "host")
        .collect();
    assert_eq!(asked, [("fe80::b%eth0".to_owned(), 8080), ("fe80::b%eth0".to_owned(), 81)]);
    answers_at(&mut recorded, "nowhere");
    assert_snapshot!(show(&recorded, check).await, @"fail | host:8080 by IPv6 answers 2 requests as it should | host:8080 by IPv6 does not answer: no answer in time | Not yet.");
    has(&mut recorded, "host", &[]);
    assert_snapshot!(show(&recorded, check).await, @"fail | host:8080 by IPv6 answers 2 requests as it should | host:8080 by IPv6 does not answer: it has no address | Not yet.");
}

const UNDER_ATTACK: &str = "kind = \"latency\"\nport = 8080\np95_ms = 300\ncount = 4\n\
    trigger = { port = 8081, path = \"/burn\", body = \"for {{nonce}}\" }";

/// Answers in peace with the first times, and after the trouble with the second.
fn answers_within(recorded: &mut Recorded, quiet: &[u32], troubled: &[u32], failed: u32) {
    let loads = AtomicU32::new(0);
    let is = |look: &Look| matches!(look, Look::Load { .. });
    recorded.on(is, Seen::Load { millis: troubled.to_vec(), failed });
    recorded.on(
        move |look| is(look) && loads.fetch_add(1, Ordering::Relaxed) == 0,
        Seen::Load { millis: quiet.to_vec(), failed: 0 },
    );
}

#[tokio::test]
async fn latency_is_that_of_a_service_while_its_neighbour_is_attacked() {
    let mut recorded = Recorded::with(&[]);
    recorded.on(|look| matches!(look, Look::Http { .. }), Seen::NoAnswer { why: "no answer in time".into() });
    answers_within(&mut recorded, &[2, 2, 3, 2], &[4, 5, 4, 9], 0);
    assert_snapshot!(show(&recorded, UNDER_ATTACK).await, @"pass | host:8080 answers after POST /burn 95 of 100 requests within 300 ms | 95 of 100 answers came within 9 ms, 0 did not come |");
    let sent = recorded.asked.lock().unwrap().iter().flatten().any(
        |look| matches!(look, Look::Http { method, body, port: 8081, .. } if method == "POST" && body.starts_with("for ") && body.len() > 10),
    );
    assert!(sent, "the trouble was made, with a nonce in it");
    answers_within(&mut recorded, &[2, 2, 3, 2], &[4, 5, 4, 301], 0);
    assert_snapshot!(show(&recorded, UNDER_ATTACK).await, @"fail | host:8080 answers after POST /burn 95 of 100 requests within 300 ms | 95 of 100 answers came within 301 ms, 0 did not come | Not yet.");
    answers_within(&mut recorded, &[2, 2, 3, 2], &[4, 5, 4], 1);
    assert_eq!(judge(&recorded, UNDER_ATTACK).await.verdict, Verdict::Fail);
    answers_within(&mut recorded, &[2, 2, 3, 2], &[], 4);
    assert_eq!(judge(&recorded, UNDER_ATTACK).await.verdict, Verdict::Fail);
    // A platform that is slow in peace already, and a service that is.
    answers_within(&mut recorded, &[9, 9, 9, 200], &[90, 90, 90, 390], 0);
    assert_snapshot!(show(&recorded, UNDER_ATTACK).await, @"pass | host:8080 answers after POST /burn 95 of 100 requests within 300 ms | 95 of 100 answers came within 390 ms, 0 did not come; 400 ms allowed on a busy platform |");
    answers_within(&mut recorded, &[9, 9, 9, 200], &[90, 90, 90, 401], 0);
    assert_eq!(judge(&recorded, UNDER_ATTACK).await.verdict, Verdict::Fail);
    answers_within(&mut recorded, &[], &[4, 4, 4, 4], 0);
    assert_snapshot!(show(&recorded, UNDER_ATTACK).await, @"fail | host:8080 answers after POST /burn 95 of 100 requests within 300 ms | host:8080 gave no answer in time, in peace | Not yet.");
    // Without trouble there is nothing to stand.
    answers_within(&mut recorded, &[2, 2, 3, 2], &[4, 5, 4, 9], 0);
    recorded.on(|look| matches!(look, Look::Http { .. }), Seen::NoAnswer { why: "ECONNREFUSED: refused".into() });
    assert_snapshot!(show(&recorded, UNDER_ATTACK).await, @"fail | host:8080 answers after POST /burn 95 of 100 requests within 300 ms | nobody listens on port 8081 to make trouble | Not yet. What is not under attack is quick by itself.");
}
