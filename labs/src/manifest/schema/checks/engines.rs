//! Kinds about an engine and what it tells.

use super::{Keys, flag, host::that, id, jq, of, one_of, path, regex, text, texts, whole};

pub(super) fn events() -> Keys {
    let keys = vec![
        ("machine", id("(host)")),
        ("type", one_of(&["container", "image", "network", "volume", "plugin", "daemon"])),
        ("event", texts("create, start, exec_create, …")),
        ("where", jq("over one event; only those for which it holds count")),
        ("at_least", whole(0, 256, "")),
        ("at_most", whole(0, 256, "")),
    ];
    [keys, that("over those that count, the oldest first")].concat()
}

pub(super) fn logs() -> Keys {
    vec![
        ("of", of()),
        ("machine", id("With `path` (host)")),
        ("path", path()),
        ("lines", whole(1, 10_000, "Of a container's log (200)")),
        ("matches", regex("a line must match")),
        ("lacks", regex("no line may match")),
        ("at_least", whole(1, 1000, "So many lines must match (1)")),
    ]
}

pub(super) fn engine() -> Keys {
    let keys = vec![("machine", id("(host)")), ("see", one_of(&["config", "info", "version"]))];
    [keys, that("over it; config is {argv, flags, file, effective, uid, exe}")].concat()
}

pub(super) fn inventory() -> Keys {
    let keys = vec![
        ("machine", id("(host)")),
        ("what", one_of(&["images", "containers", "volumes", "networks"])),
        ("label", text("key=value")),
        ("running", flag("Of containers only those that run")),
        ("exactly", texts("These names and no others; a value with commas stands for several")),
        ("includes", texts("At least these")),
        ("excludes", texts("None of these")),
        ("ignore", regex("names that do not count")),
    ];
    [keys, that("over the engine's own list")].concat()
}
