//! `kind = "engine"`: a machine's engine itself.
//!
//! | key | |
//! |---|---|
//! | `machine` | whose (default `host`) |
//! | `see` | `"config"` (default), `"info"` or `"version"` |
//! | `that`, `show` | a jq filter over it |
//!
//! `config` is what the running engine was started with: `{argv, flags, file, effective, uid, exe}`. The command line is
//! the running process's own, as the kernel shows it; `file` is `daemon.json` (or what `--config-file` names), read now;
//! `effective` has both, under the names of `daemon.json` (`hosts`, `icc`, `log-opts`, …), the command line over the file.
//! An engine that was not restarted since the file changed does not have what the file says: ask behaviour too, or have
//! the lab regrade after a restart. `info` and `version` are the engine's own word, and lag behind.

use bulkhead_agent::look::{FileKind, Look, Seen, facts::ProcessBrief};
use serde_json::{Map, Value, json};

use super::{Kind, Watch, container};
use crate::{
    grade::{Eyes, Halt, Outcome, containers, eyes::misplaced, jq::Jq},
    manifest::{Fields, MachineName},
};

const INFO_LIMIT: u32 = 128 * 1024;
const FILE_LIMIT: u32 = 64 * 1024;
const PID_FILE: &str = "/run/docker.pid";
const USUAL_FILE: &str = "/etc/docker/daemon.json";
/// Flags that need no value.
const SWITCHES: [&str; 20] = [
    "allow-nondistributable-artifacts",
    "cri-containerd",
    "debug",
    "experimental",
    "icc",
    "init",
    "ip-forward",
    "ip-masq",
    "ip6tables",
    "iptables",
    "ipv6",
    "live-restore",
    "no-new-privileges",
    "raw-logs",
    "rootless",
    "selinux-enabled",
    "tls",
    "tlsverify",
    "userland-proxy",
    "validate",
];
/// Flags that may be given again, and what they are called in the file.
const LISTS: [(&str, &str); 10] = [
    ("authorization-plugin", "authorization-plugins"),
    ("dns", "dns"),
    ("dns-opt", "dns-opts"),
    ("dns-search", "dns-search"),
    ("exec-opt", "exec-opts"),
    ("host", "hosts"),
    ("insecure-registry", "insecure-registries"),
    ("label", "labels"),
    ("registry-mirror", "registry-mirrors"),
    ("storage-opt", "storage-opts"),
];
/// Flags whose values are `name=value`.
const MAPS: [(&str, &str); 2] = [("log-opt", "log-opts"), ("default-ulimit", "default-ulimits")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum See {
    Config,
    Info,
    Version,
}

#[derive(Debug)]
pub(super) struct EngineCheck {
    machine: MachineName,
    see: See,
    that: Jq,
    show: Jq,
}

impl EngineCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let machine = containers::read_machine(fields, "machine", "host");
        let choices = [("config", See::Config), ("info", See::Info), ("version", See::Version)];
        let see = fields.opt_choice("see", &choices).unwrap_or(See::Config);
        let that = fields.parsed("that", Jq::parse);
        let show = fields.opt_jq("show");
        let that = that?;
        let show = show.unwrap_or_else(|| container::evidence(&that));
        Some(Self { machine: machine?, see, that, show })
    }

    fn look(&self, eyes: &mut Eyes<'_>) -> Result<Value, Halt> {
        let path = match self.see {
            See::Config => return config(eyes, &self.machine),
            See::Info => "/info",
            See::Version => "/version",
        };
        match eyes.engine(&self.machine, path, INFO_LIMIT)? {
            (200, value) => Ok(value),
            (status, _) => Err(Halt::unknown(format!("the engine answered {status}"))),
        }
    }
}

impl Kind for EngineCheck {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn expected(&self) -> String {
        let what = match self.see {
            See::Config => "what the engine was started with",
            See::Info => "the engine's account of itself",
            See::Version => "the engine's version",
        };
        format!("{what} satisfies {}", self.that.source())
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let seen = self.look(eyes)?;
        container::holds(eyes, &seen, &self.that, &self.show)
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.machine]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch { engine: true, files: vec![USUAL_FILE] })
    }
}

fn config(eyes: &mut Eyes<'_>, machine: &MachineName) -> Result<Value, Halt> {
    let name = machine.to_string();
    let pid_file = Look::File { machine: name.clone(), pid: None, path: PID_FILE.to_owned(), limit: 32 };
    // Both are asked for at once.
    let pid = eyes.see(pid_file);
    let processes = match eyes.see(Look::Processes { machine: name.clone() })? {
        Seen::Processes { processes, .. } => processes,
        other => return Err(misplaced(other)),
    };
    let pid = match pid? {
        Seen::File(facts) => facts.content.trim().parse::<i32>().ok(),
        _ => None,
    };
    let engine = running(processes, pid).ok_or_else(|| Halt::fails("no engine runs"))?;
    let flags = flags(engine.cmdline.get(1..).unwrap_or_default());
    let path = flags["config-file"].as_str().unwrap_or(USUAL_FILE).to_owned();
    let file = match eyes.see(Look::File { machine: name, pid: None, path: path.clone(), limit: FILE_LIMIT })? {
        Seen::File(facts) if facts.kind == FileKind::File => {
            let parsed = serde_json::from_str(&facts.content);
            parsed.map_err(|why| Halt::fails(format!("{path} is no JSON: {why}")))?
        }
        _ => json!({}),
    };
    let mut effective = file.as_object().cloned().unwrap_or_default();
    effective.extend(flags.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    Ok(json!({
        "argv": engine.cmdline,
        "exe": engine.exe,
        "uid": engine.uid,
        "flags": flags,
        "file": file,
        "effective": effective,
    }))
}

/// The engine that its pid file names, else the first there is.
fn running(processes: &[ProcessBrief], pid: Option<i32>) -> Option<&ProcessBrief> {
    let is_engine = |process: &&ProcessBrief| process.exe.rsplit('/').next() == Some("dockerd");
    let mut engines = processes.iter().filter(is_engine);
    engines.clone().find(|process| Some(process.pid) == pid).or_else(|| engines.next())
}

/// A command line under the names of `daemon.json`.
fn flags(arguments: &[String]) -> Value {
    let mut flags = Map::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (name, given) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let name = match name {
            "-H" => "host",
            "-D" => "debug",
            "-G" => "group",
            "-b" => "bridge",
            "-g" => "data-root",
            "-l" => "log-level",
            "-p" => "pidfile",
            "-s" => "storage-driver",
            name => match name.strip_prefix("--") {
                Some(long) => long,
                None => continue,
            },
        };
        if SWITCHES.contains(&name) {
            let on = given.is_none_or(|value| matches!(value.as_str(), "true" | "1" | "t" | "T" | "TRUE" | "True"));
            flags.insert(name.to_owned(), Value::Bool(on));
            continue;
        }
        let Some(value) = given.or_else(|| rest.next().cloned()) else { continue };
        let named = |names: &[(&str, &'static str)]| names.iter().find(|(flag, _)| *flag == name).map(|(_, key)| *key);
        if let Some(key) = named(&LISTS) {
            let list = flags.entry(key).or_insert_with(|| json!([]));
            list.as_array_mut().into_iter().for_each(|list| list.push(Value::String(value.clone())));
        } else if let Some(key) = named(&MAPS) {
            let (name, value) = value.split_once('=').unwrap_or((&value, ""));
            let map = flags.entry(key).or_insert_with(|| json!({}));
            map.as_object_mut().into_iter().for_each(|map| {
                map.insert(name.to_owned(), Value::String(value.to_owned()));
            });
        } else {
            flags.insert(name.to_owned(), Value::String(value));
        }
    }
    Value::Object(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_told_in_the_words_of_the_file() {
        let argv: Vec<String> = "-H fd:// --host=tcp://0.0.0.0:2375 --icc=false -D --log-opt max-size=10m --log-level info --tlsverify --data-root /x stray --label"
            .split(' ').map(str::to_owned).collect();
        assert_eq!(
            flags(&argv),
            json!({ "hosts": ["fd://", "tcp://0.0.0.0:2375"], "icc": false, "debug": true, "log-opts": { "max-size": "10m" },
                "log-level": "info", "tlsverify": true, "data-root": "/x" })
        );
        assert_eq!(flags(&[]), json!({}));
        // Nonsense is left out, or stands under no name.
        assert!(flags(&["=".into(), "--".into(), "-".into()]).as_object().is_some_and(|flags| flags.len() <= 1));
    }

    #[test]
    fn of_several_the_pid_files_counts() {
        let process = |pid: i32, exe: &str| ProcessBrief {
            pid,
            parent: 1,
            uid: 0,
            exe: exe.into(),
            cmdline: Vec::new(),
            cgroup: "/".into(),
        };
        let all =
            [process(5, "/usr/bin/dockerd-rootless.sh"), process(7, "/usr/sbin/dockerd"), process(9, "/root/dockerd")];
        assert_eq!(running(&all, Some(9)).map(|engine| engine.pid), Some(9));
        assert_eq!(running(&all, Some(5)).map(|engine| engine.pid), Some(7));
        assert_eq!(running(&all, None).map(|engine| engine.pid), Some(7));
        assert_eq!(running(&all[..1], None), None);
    }
}
