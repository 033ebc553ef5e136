//! A check's keys: those of every check, and those of its kind.

mod engines;
mod host;
mod images;
mod services;

use serde_json::{Value, json};

use super::{flag, id, list, one_of, table, text, texts, whole};

type Keys = Vec<(&'static str, Value)>;

pub(super) fn check() -> Value {
    let kind = |(kind, keys, required): (&str, Keys, Vec<&str>)| {
        let mut all = common();
        all.push(("kind", json!({ "const": kind })));
        all.extend(keys);
        table(&all, &[vec!["id", "kind", "fail"], required].concat())
    };
    json!({ "oneOf": kinds().into_iter().map(kind).collect::<Vec<_>>() })
}

fn common() -> Keys {
    vec![
        ("id", id("Unique in the whole lab")),
        ("title", text("Shown on the task's card")),
        ("weight", whole(1, 100, "Within its task (1)")),
        ("expected", text("In place of the kind's own words")),
        ("fail", text("Told to the student when it fails")),
        ("why", text("Why it matters")),
        ("refs", texts("CIS 5.13, …")),
        ("lesson", text("Id of the lesson that explains it")),
        ("passes_at_start", flag("The untouched start may pass it")),
        ("after", texts("Checks that are judged before this one looks")),
        ("within", text("Looked at again until it holds, at most so long, such as 10s (30s at most)")),
    ]
}

fn of() -> Value {
    table(&[("role", id("Label bulkhead.role")), ("machine", id("(host)"))], &["role"])
}

fn jq(what: &str) -> Value {
    json!({ "type": "string", "description": format!("jq filter: {what}") })
}

fn regex(what: &str) -> Value {
    json!({ "type": "string", "description": format!("Regular expression: {what}") })
}

fn path() -> Value {
    json!({ "type": "string", "pattern": "^/" })
}

/// A value in a file of JSON.
fn entry(what: &str) -> Value {
    table(&[("machine", id("(host)")), ("path", path()), ("that", jq(what))], &["path", "that"])
}

fn kinds() -> Vec<(&'static str, Keys, Vec<&'static str>)> {
    let show = || ("show", jq("what to show as evidence"));
    vec![
        (
            "container",
            vec![("of", of()), ("see", one_of(&["inspect", "changes"])), ("that", jq("must hold")), show()],
            vec!["of", "that"],
        ),
        ("image", images::image(), vec![]),
        ("process", process(), vec!["of"]),
        (
            "mount",
            vec![
                ("of", of()),
                ("at", path()),
                ("absent", flag("Nothing may be mounted there")),
                ("fs_type", json!({ "anyOf": [text(""), texts("")] })),
                ("options", texts("All must be set")),
                ("without", texts("None may be set")),
                ("max_size", text("32m")),
                ("source_volume", text("A named volume")),
            ],
            vec!["of", "at"],
        ),
        ("file", file(), vec!["path"]),
        ("probe", requests(false), vec!["port", "step"]),
        ("attack", attack(), vec![]),
        (
            "answer",
            vec![
                ("question", text("Shown above the field")),
                ("file", entry("the answer, from the file's JSON")),
                ("equals", text("Placeholders allowed")),
                ("ignore_case", flag("")),
                ("matches", regex("the whole answer")),
                ("same_as", entry("the right answer, from the JSON of a file that the student does not write")),
                (
                    "live",
                    table(
                        &[
                            ("of", of()),
                            ("see", one_of(&["inspect", "process", "parent", "cgroup", "image"])),
                            ("that", jq("the right answer, or a list of right ones")),
                        ],
                        &["of", "that"],
                    ),
                ),
            ],
            vec![],
        ),
        ("exec", host::exec(), vec!["run"]),
        ("cgroup", host::cgroup(), vec!["of"]),
        ("network", host::network(), vec![]),
        ("listen", host::listen(), vec![]),
        ("net", host::net(), vec!["cell"]),
        ("image-history", images::history(), vec![]),
        ("events", engines::events(), vec![]),
        ("logs", engines::logs(), vec![]),
        ("firewall", host::firewall(), vec![]),
        ("sysctl", host::sysctl(), vec!["values"]),
        ("engine", engines::engine(), vec!["that"]),
        ("inventory", engines::inventory(), vec!["what"]),
        ("tls", services::tls(), vec!["port", "client"]),
        ("latency", services::latency(), vec!["port", "p95_ms"]),
    ]
}

fn process() -> Keys {
    let sets =
        ["effective", "permitted", "bounding", "inheritable", "ambient"].map(|set| (set, texts("At most these")));
    vec![
        ("of", of()),
        ("not_root", flag("")),
        ("uid", whole(0, u64::from(u32::MAX), "")),
        ("no_new_privs", flag("")),
        ("seccomp", one_of(&["off", "strict", "filter"])),
        ("capabilities", table(&sets, &[])),
        ("that", jq("over all that the kernel shows")),
        ("show", jq("what to show as evidence")),
    ]
}

fn file() -> Keys {
    vec![
        ("of", of()),
        ("machine", id("In place of `of` (host)")),
        ("path", path()),
        ("absent", flag("There must be nothing")),
        ("type", one_of(&["file", "directory", "any"])),
        ("mode", json!({ "type": "string", "pattern": "^[0-7]{3,4}$", "description": "No bit outside may be set" })),
        ("owner", whole(0, u64::from(u32::MAX), "")),
        ("group", whole(0, u64::from(u32::MAX), "")),
        ("matches", regex("the content must match")),
        ("lacks", regex("the content must not match")),
        ("that", jq("over the content as JSON")),
        ("show", jq("what to show as evidence")),
        ("sha256", text("")),
        ("real_path", path()),
    ]
}

fn requests(attack: bool) -> Keys {
    let status = whole(100, 599, "Unless given, any from 200 to 299");
    let mut step = vec![
        ("port", whole(1, 65_535, "In place of the check's")),
        ("method", text("(GET)")),
        ("path", path()),
        ("headers", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
        ("body", text("")),
        ("status", json!({ "anyOf": [status.clone(), list(status)] })),
        ("matches", regex("the body must match")),
        ("lacks", regex("the body must not match")),
        ("that", jq("over {status, headers, body, json}")),
        ("capture", json!({ "type": "object", "additionalProperties": jq("a value for later steps") })),
    ];
    if attack {
        step.push(("breach", regex("a body that matches shows that the exploit works")));
        step.push(("silent", flag("That nobody answers is right too")));
    }
    vec![
        ("from", id("(probe)")),
        ("to", id("(host)")),
        ("port", whole(1, 65_535, "")),
        ("family", one_of(&["ipv4", "ipv6"])),
        ("tls", services::client()),
        ("timeout", text("300ms (3s)")),
        ("step", list(table(&step, &["path"]))),
    ]
}

fn attack() -> Keys {
    let mut keys = vec![("worked_at_start", flag("The untouched start must fail because the exploit works (true)"))];
    keys.extend(host::place());
    keys.push(("attempt", list(host::attempt())));
    keys.extend(requests(true));
    keys
}
