//! Kinds about images.

use super::{Keys, flag, id, jq, list, of, path, regex, table, text, texts, whole};

fn which() -> Keys {
    let every = [("label", text("key=value")), ("reference", text("All tags of a name")), ("all", flag("Every image"))];
    vec![
        ("of", of()),
        ("name", text("An image by name, in place of `of`")),
        ("every", table(&every, &[])),
        ("machine", id("With `name` and `every` (host)")),
    ]
}

pub(super) fn image() -> Keys {
    let size = [("of", text("Another image")), ("percent", whole(1, 1000, "Of its size"))];
    let keys = vec![
        ("that", jq("over the image's inspect")),
        ("show", jq("what to show as evidence")),
        ("lacks", list(path())),
        ("has", list(path())),
        ("lacks_text", texts("In no layer, configuration or history")),
        ("cache", flag("Nor in what builds left")),
        ("no_setuid", flag("No set-id bit and no file capability")),
        ("without_programs", texts("Names of programs")),
        ("without_packages", texts("Of dpkg")),
        ("user_at_least", whole(0, u64::from(u32::MAX), "The user's id, by the image's own passwd")),
        ("exec_form", flag("No shell between the engine and the program")),
        ("healthcheck", flag("It has one")),
        ("built_on", text("An image whose layers are its lowest")),
        ("size_below", table(&size, &["of", "percent"])),
    ];
    [which(), keys].concat()
}

pub(super) fn history() -> Keys {
    let keys = vec![
        ("that", jq("over the list of steps, the oldest first")),
        ("show", jq("what to show as evidence")),
        ("matches", regex("a command must match")),
        ("lacks", regex("no command may match")),
    ];
    [which(), keys].concat()
}
