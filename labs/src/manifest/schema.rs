//! The JSON Schema of `lab.toml`, for editors (taplo reads a first line `#:schema PATH`).
//!
//! The reader decides what holds; a test keeps the keys here equal to those that it knows.

mod checks;

use serde_json::{Map, Value, json};

use super::VariableKind;

/// What `bulkhead lab schema` prints.
pub fn schema() -> Value {
    let mut schema = table(
        &LAB.map(|(key, describe)| (key, describe())),
        &["schema", "id", "title", "summary", "module", "minutes", "machine"],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Bulkhead lab");
    schema
}

type Describe = fn() -> Value;

const LAB: [(&str, Describe); 25] = [
    ("schema", || json!({ "const": 1 })),
    ("id", || id("Immutable; also the folder's name")),
    ("title", || text("")),
    ("playground", || flag("A machine to try things on: no tasks, nothing to pass")),
    ("summary", || text("One or two sentences for the list of labs")),
    ("module", || whole(1, 8, "Of the course")),
    ("difficulty", || one_of(&["easy", "medium", "hard"])),
    ("minutes", || whole(1, 600, "What a student is likely to need")),
    ("objectives", || texts("What one can do after it")),
    ("pass", || whole(1, 100, "Score from which it counts as passed (80)")),
    ("story", || text("Markdown file (story.md)")),
    ("time", time),
    ("services", || texts("Roles (label bulkhead.role) of containers that must keep serving; asks for a gate")),
    ("network", || list(network())),
    ("machine", || list(machine())),
    (
        "variables",
        || json!({ "type": "object", "additionalProperties": { "anyOf": [one_of(&VariableKind::NAMES), texts("One of these")] }, "description": "Per student and attempt; {{name}} in texts, BULKHEAD_NAME in scripts" }),
    ),
    ("setup", || {
        let setup = script("Runs as root before the student gets in", &[], &[]);
        json!({ "anyOf": [setup, list(setup.clone())] })
    }),
    ("gate", || table(&[("checks", texts("Probes that must pass, or the score is capped at 40"))], &["checks"])),
    ("task", || list(task())),
    ("regrade", || one_of(&["never", "engine", "engine-and-containers"])),
    ("solution", || {
        let more = [("text", text("Markdown file (solution.md)")), ("also", also())];
        script("The reference; scores 100", &more, &[])
    }),
    ("wrong_fix", || {
        list(script(
            "Plausible and wrong; must not pass",
            &[("title", text("Why it is wrong")), ("fails", texts("Checks that it must fail")), ("also", also())],
            &["title", "fails"],
        ))
    }),
    ("lessons", || texts("Ids of the lessons that belong to it")),
    ("references", || texts("CIS 5.13, NIST SP 800-190 4.4.4, CVE-2019-5736, https://…")),
    ("requires", requires),
];

fn time() -> Value {
    let duration = |what: &str| json!({ "type": "string", "pattern": "^[0-9]+[smh]$", "description": what });
    let keys = [
        ("limit", duration("A sandbox's life (60m)")),
        ("extend", duration("What one extension adds (15m)")),
        ("max", duration("However often it is extended (120m)")),
        ("orphan", duration("After the student's last sign (10m)")),
        ("warn", list(duration("Before the end"))),
    ];
    table(&keys, &[])
}

fn network() -> Value {
    table(&[("name", id("")), ("subnet", text("10.77.0.0/24"))], &["name", "subnet"])
}

fn machine() -> Value {
    let route = table(&[("to", text("172.17.0.0/16")), ("via", id("(host)"))], &["to"]);
    let size = || json!({ "type": "string", "pattern": "^[0-9]+[kmg]$" });
    let keys = [
        ("name", id("Also its host name")),
        ("kind", one_of(&["docker-host", "probe", "plain", "registry", "attacker"])),
        ("image", text("Its sandbox image")),
        ("memory", size()),
        ("pids", whole(16, 32_768, "")),
        ("disk", size()),
        ("networks", texts("In the order of its interfaces; may be left out where the lab has one at most")),
        (
            "addresses",
            each(&json!({ "anyOf": [text(""), texts("")] }), "Network to addresses, { lan = [\"10.77.0.7\"] }"),
        ),
        ("interfaces", each(&text(""), "Network to the interface's name, { ext = \"ext0\" }")),
        ("gateway", id("The machine over which everything else is reached")),
        ("routes", list(route)),
        ("ip_forward", flag("It forwards between its interfaces from the start")),
        ("terminal", flag("The student may open terminals on it")),
        ("user", text("Account of those terminals (root)")),
        ("summary", text("")),
    ];
    table(&keys, &["name", "kind"])
}

fn task() -> Value {
    let hint = table(
        &[("text", text("Markdown")), ("after", whole(0, 100, "Graded attempts before it opens (0)"))],
        &["text"],
    );
    let keys = [
        ("id", id("")),
        ("title", text("")),
        ("points", whole(1, 100, "All tasks' points sum to 100")),
        ("needs", texts("Tasks to be done first")),
        ("body", text("Markdown file (tasks/ID.md)")),
        ("hints", list(hint)),
        ("check", list(checks::check())),
    ];
    table(&keys, &["id", "title", "points", "hints", "check"])
}

fn requires() -> Value {
    let keys = [
        ("engine", text("Lowest version of the outer engine")),
        ("cgroup", json!({ "anyOf": [whole(1, 2, ""), list(whole(1, 2, ""))] })),
        ("kernel", text("Lowest kernel")),
    ];
    table(&keys, &[])
}

fn script(what: &str, more: &[(&str, Value)], required: &[&str]) -> Value {
    let mut keys = vec![
        ("script", text("File with a shebang")),
        ("machine", id("(host)")),
        ("timeout", text("(60s for setup, else 180s)")),
    ];
    keys.extend(more.iter().cloned());
    let mut schema = table(&keys, &[&["script"], required].concat());
    schema["description"] = json!(what);
    schema
}

fn also() -> Value {
    list(script("Runs after it", &[], &[]))
}

fn each(value: &Value, what: &str) -> Value {
    json!({ "type": "object", "additionalProperties": value, "description": what })
}

fn table(keys: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|(key, schema)| ((*key).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn texts(what: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": what })
}

fn text(what: &str) -> Value {
    json!({ "type": "string", "description": what })
}

fn flag(what: &str) -> Value {
    json!({ "type": "boolean", "description": what })
}

fn whole(least: u64, most: u64, what: &str) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most, "description": what })
}

fn id(what: &str) -> Value {
    json!({ "type": "string", "pattern": "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", "description": what })
}

fn one_of(values: &[&str]) -> Value {
    json!({ "enum": values })
}

#[cfg(test)]
mod tests;
