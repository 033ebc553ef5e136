//! An image's configuration as it lies on the disk. Its id is the hash of these bytes, so that nobody can forge it for an
//! id; that a container runs from that id is the engine's word.

use bulkhead_agent::look::{FileKind, Look, Seen};
use serde_json::Value;

use super::{layers, which::Image};
use crate::grade::{Eyes, Finding, Halt, Outcome, eyes::misplaced};

const STORE: &str = "/var/lib/docker/image/overlay2/imagedb/content/sha256";
const CONFIG_LIMIT: u32 = 256 * 1024;
const PASSWD_LIMIT: u32 = 64 * 1024;

/// The text, and what it says.
pub(super) fn read<'a>(eyes: &mut Eyes<'a>, image: &Image) -> Result<(&'a str, Value), Halt> {
    let id = image.inspect["Id"].as_str().filter(|id| super::is_digest(id));
    let hash = id.ok_or_else(|| Halt::unknown("the engine names no id of the image"))?.trim_start_matches("sha256:");
    let look = Look::File {
        machine: image.machine.to_string(),
        pid: None,
        path: format!("{STORE}/{hash}"),
        limit: CONFIG_LIMIT,
    };
    match eyes.see(look)? {
        Seen::File(facts) if facts.kind == FileKind::File && facts.sha256.as_deref() == Some(hash) => {
            if facts.truncated {
                return Err(Halt::unknown(format!("the image's configuration is {} bytes long", facts.size)));
            }
            let config = serde_json::from_str(&facts.content)
                .map_err(|why| Halt::unknown(format!("the image's configuration is no JSON: {why}")))?;
            Ok((&facts.content, config))
        }
        Seen::File(_) => Err(Halt::unknown("the image's configuration on the disk is not the one that its id names")),
        Seen::Missing => Err(Halt::unknown("the image's configuration is not where the engine keeps it")),
        other => Err(misplaced(other)),
    }
}

/// `Config.User` leads to an id of at least `least`, by the image's own `/etc/passwd`.
pub(super) fn user(eyes: &mut Eyes<'_>, image: &Image, config: &Value, least: u32) -> Outcome {
    let user = config["config"]["User"].as_str().unwrap_or_default();
    let name = user.split(':').next().unwrap_or_default();
    if name.is_empty() {
        return Ok(Finding::new(least == 0, "the image names no user, which is root"));
    }
    if let Ok(id) = name.parse::<u32>() {
        return Ok(Finding::new(id >= least, format!("the image's user is {user}")));
    }
    let layers = layers::layers(&image.inspect)?;
    let passwd = layers::merged(eyes, &image.machine, &layers, "/etc/passwd", PASSWD_LIMIT)?.unwrap_or_default();
    Ok(match crate::grade::kinds::place::in_passwd(passwd, name) {
        Some(id) => Finding::new(id >= least, format!("the image's user is {user}, which is {id}")),
        None => Finding::fail(format!("the image's user is {user}, whom its /etc/passwd does not have")),
    })
}

/// Neither `CMD` nor `ENTRYPOINT` goes through a shell, and one of them is there.
pub(super) fn exec_form(config: &Value) -> Finding {
    let config = &config["config"];
    let words = |key: &str| {
        let list = config[key].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let shell = words("Shell");
    let through_shell = |command: &[String]| match command {
        [program, flag, ..] if flag == "-c" => {
            ["/bin/sh", "/bin/bash", "sh", "bash"].contains(&program.as_str()) || shell.first() == Some(program)
        }
        _ => false,
    };
    let (entrypoint, cmd) = (words("Entrypoint"), words("Cmd"));
    let described = format!("its entry point is {entrypoint:?}, its command {cmd:?}");
    let nothing = entrypoint.is_empty() && cmd.is_empty();
    Finding::new(!(nothing || through_shell(&entrypoint) || through_shell(&cmd)), described)
}

pub(super) fn healthcheck(config: &Value) -> Finding {
    let test = config["config"]["Healthcheck"]["Test"].as_array();
    match test.and_then(|test| test.first()).and_then(Value::as_str) {
        None => Finding::fail("the image has no health check"),
        Some("NONE") => Finding::fail("the image turns the health check off"),
        Some(_) => Finding::pass(format!("its health check is {}", config["config"]["Healthcheck"]["Test"])),
    }
}

/// Its lowest layers are all those of `base`.
pub(super) fn built_on(config: &Value, base: &Value, name: &str) -> Outcome {
    let layers = |config: &Value| config["rootfs"]["diff_ids"].as_array().cloned().unwrap_or_default();
    let (own, below) = (layers(config), layers(base));
    if below.is_empty() {
        return Err(Halt::unknown(format!("{name} has no layers")));
    }
    let holds = own.len() >= below.len() && own.iter().zip(&below).all(|(a, b)| a == b);
    let said = if holds { "lies on" } else { "does not lie on" };
    Ok(Finding::new(holds, format!("the image {said} {name}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shell_is_found_in_either_command() {
        let holds = |config: Value| exec_form(&json!({ "config": config })).holds;
        assert!(holds(json!({ "Cmd": ["/app", "--serve"] })));
        assert!(holds(json!({ "Entrypoint": ["/app"], "Cmd": null })));
        assert!(!holds(json!({ "Cmd": ["/bin/sh", "-c", "/app"] })));
        assert!(!holds(json!({ "Entrypoint": ["/bin/bash", "-c", "/app"], "Cmd": ["x"] })));
        assert!(!holds(json!({ "Shell": ["/bin/ash", "-c"], "Cmd": ["/bin/ash", "-c", "x"] })));
        assert!(!holds(json!({})) && !holds(json!({ "Cmd": 7, "Entrypoint": {} })));
    }

    #[test]
    fn a_health_check_that_is_none_is_none() {
        let holds = |test: Value| healthcheck(&json!({ "config": { "Healthcheck": { "Test": test } } })).holds;
        assert!(holds(json!(["CMD", "/app", "--health"])));
        for none in [json!(["NONE"]), json!([]), json!(null), json!("CMD")] {
            assert!(!holds(none.clone()), "{none}");
        }
    }

    #[test]
    fn a_base_is_all_of_the_lowest_layers() {
        let of = |layers: &[&str]| json!({ "rootfs": { "diff_ids": layers } });
        let holds = |own: &[&str], base: &[&str]| built_on(&of(own), &of(base), "base:1").map(|found| found.holds);
        assert_eq!(holds(&["a", "b", "c"], &["a", "b"]), Ok(true));
        assert_eq!(holds(&["a"], &["a", "b"]), Ok(false));
        assert_eq!(holds(&["b", "a"], &["a"]), Ok(false));
        assert!(holds(&["a"], &[]).is_err());
    }
}
