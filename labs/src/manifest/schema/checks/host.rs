//! Kinds about machines and what runs on them.

use serde_json::{Value, json};

use super::{Keys, flag, id, jq, list, of, one_of, path, regex, table, text, texts, whole};

/// `of`, or `machine` and `user`.
pub(super) fn place() -> Keys {
    vec![
        ("of", of()),
        ("machine", id("In place of `of` (host)")),
        ("user", text("With `machine`: a name, or a number in quotes (root)")),
    ]
}

pub(super) fn that(what: &str) -> Keys {
    vec![("that", jq(what)), ("show", jq("what to show as evidence"))]
}

fn code() -> Value {
    json!({ "anyOf": [whole(0, 255, "(0)"), list(whole(0, 255, ""))] })
}

pub(super) fn exec() -> Keys {
    let run = [
        ("argv", texts("The command and its arguments")),
        ("script", text("Or a line for /bin/sh -c")),
        ("stdin", text("What it reads")),
        ("code", code()),
        ("fails", flag("Any code but 0, 126 and 127")),
        ("matches", regex("the output must match")),
        ("lacks", regex("the output must not match")),
        ("timeout", text("(5s)")),
    ];
    [place(), vec![("run", list(table(&run, &[])))]].concat()
}

pub(super) fn cgroup() -> Keys {
    let size = |what: &str| json!({ "type": "string", "pattern": "^[0-9]+[kmg]$", "description": what });
    let keys = vec![
        ("of", of()),
        ("memory_max", size("Limited, and to at most this")),
        ("memory_min", size("And to at least this")),
        ("swap", one_of(&["none"])),
        ("pids_max", whole(1, 1 << 22, "Limited, and to at most so many")),
        ("cpus_max", json!({ "type": "string", "pattern": "^[0-9]{1,4}(\\.[0-9]{1,3})?$" })),
        ("oom_kill", flag("The kernel may end it when its memory is used up")),
        ("running", flag("It is not frozen")),
    ];
    [keys, that("over {memory, swap, pids, milli_cpus, oom_kill, frozen, levels}")].concat()
}

pub(super) fn network() -> Keys {
    let keys = vec![
        ("machine", id("(host)")),
        ("name", text("Of the network")),
        ("label", text("Or key=value, for every network with it")),
        ("absent", flag("There must be none")),
        ("members", texts("Exactly these roles are on it")),
        ("includes", texts("At least these")),
        ("excludes", texts("None of these")),
    ];
    [keys, that("over GET /networks/ID")].concat()
}

pub(super) fn listen() -> Keys {
    let keys = vec![
        ("of", of()),
        ("machine", id("In place of `of` (host)")),
        ("port", whole(1, 65_535, "")),
        ("protocol", one_of(&["tcp", "udp"])),
        ("absent", flag("Nobody may listen there")),
        ("only_on", texts("Addresses")),
        ("owner", regex("the program of every holder must match")),
    ];
    [keys, that("over the list of such sockets")].concat()
}

pub(super) fn net() -> Keys {
    let cell = [
        ("from", id("The role of who tries")),
        ("from_machine", id("Or a machine")),
        ("to", id("The role of whom")),
        ("to_machine", id("Or a machine")),
        ("to_address", text("Or an address of either version")),
        ("family", one_of(&["ipv4", "ipv6", "any"])),
        ("on", id("With roles: whose engine (host)")),
        ("port", whole(1, 65_535, "")),
        ("protocol", one_of(&["tcp", "udp"])),
        ("reach", flag("What is right")),
        ("send", text("What is sent")),
        ("reply", regex("what comes back must match")),
        ("path", text("Or an HTTP path that must answer with 200 to 299")),
        ("timeout", text("300ms (1s)")),
    ];
    vec![("cell", list(table(&cell, &["port", "reach"])))]
}

pub(super) fn attempt() -> Value {
    let request = [
        ("unix", path()),
        ("host", text("Or a host")),
        ("port", whole(1, 65_535, "")),
        ("method", text("(GET)")),
        ("path", path()),
        ("headers", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
        ("body", text("")),
    ];
    let status = whole(100, 599, "Answers that are right (403)");
    let keys = [
        ("create_in", path()),
        ("execute_in", path()),
        ("create", path()),
        ("call", text("mount, unshare, ptrace, keyctl, bpf, socket:ALG, …")),
        ("read", path()),
        ("enter", path()),
        ("finds", regex("what an attacker is after")),
        ("mount_at", path()),
        ("request", table(&request, &["path"])),
        ("status", json!({ "anyOf": [status.clone(), list(status)] })),
        ("silent", flag("That nobody answers is right too")),
        ("timeout", text("Of the request, such as 300ms (5s)")),
        ("refused_with", texts("EROFS, EACCES, …")),
    ];
    table(&keys, &[])
}

pub(super) fn firewall() -> Keys {
    let keys = vec![
        ("machine", id("(host)")),
        ("family", one_of(&["ipv4", "ipv6"])),
        ("table", text("(filter)")),
        ("chain", text("DOCKER-USER")),
        ("policy", text("DROP")),
        ("has", texts("Regular expressions that a rule each must match")),
        ("lacks", texts("Regular expressions that no rule may match")),
        ("before", regex("the first of `has` comes before every rule that matches")),
    ];
    [keys, that("over {ipv4, ipv6, legacy_ipv4, legacy_ipv6, nft}")].concat()
}

pub(super) fn sysctl() -> Keys {
    let values = json!({ "type": "object", "additionalProperties": regex("the whole value") });
    vec![("of", of()), ("machine", id("In place of `of` (host)")), ("values", values)]
}
