//! Kinds about services asked from outside.

use serde_json::Value;

use super::{Keys, flag, id, one_of, path, table, text, whole};

/// A client's files.
pub(super) fn client() -> Value {
    let keys = [
        ("name", text("What the server's certificate must be for (the machine that is asked)")),
        ("machine", id("Where the files lie (host)")),
        ("ca", path()),
        ("certificate", path()),
        ("key", path()),
    ];
    table(&keys, &["ca"])
}

fn between() -> Keys {
    vec![("from", id("(probe)")), ("to", id("(host)")), ("port", whole(1, 65_535, ""))]
}

pub(super) fn tls() -> Keys {
    let keys = vec![
        ("timeout", text("(3s)")),
        ("client", client()),
        ("path", path()),
        ("alone", flag("Nobody else is let in (true)")),
        ("version", one_of(&["1.2", "1.3"])),
    ];
    [between(), keys].concat()
}

pub(super) fn latency() -> Keys {
    let trigger = [("port", whole(1, 65_535, "")), ("path", path()), ("method", text("(POST)")), ("body", text(""))];
    let keys = vec![
        ("path", path()),
        ("count", whole(1, 200, "(40)")),
        ("p95_ms", whole(1, 10_000, "95 of 100 answers come within this")),
        ("trigger", table(&trigger, &["port", "path"])),
    ];
    [between(), keys].concat()
}
