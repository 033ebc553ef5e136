//! Which containers a check is about, and whether the engine tells the truth about them.
//!
//! A container is found by its label `bulkhead.role`, never by its name, and counts only while it runs. Where several
//! run with the same role, **every one** must hold: a hardened twin beside the old one fixes nothing.

use bulkhead_agent::look::{Look, ProcessFacts, Seen};
use serde_json::Value;

use super::{Eyes, Finding, Halt, Outcome, eyes::misplaced, finding};
use crate::manifest::{Fields, MachineName};

/// The label that says what a container is for.
pub const ROLE_LABEL: &str = "bulkhead.role";
const MAX_CANDIDATES: usize = 8;
const LIST_LIMIT: u32 = 256 * 1024;
const INSPECT_LIMIT: u32 = 128 * 1024;

/// `of = { role = "cms", machine = "host" }`; the machine is `host` unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    pub machine: MachineName,
    pub role: String,
}

impl Of {
    /// Reads the key `of`, which must be there.
    pub(crate) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Self::read_opt(fields);
        if of.is_none() && !fields.has("of") {
            fields.error("the check does not say which container it is about", "add of = { role = \"…\" }");
        }
        of
    }

    pub(crate) fn read_opt(fields: &Fields<'_>) -> Option<Self> {
        let of = fields.opt_table("of")?;
        let role = of.parsed("role", MachineName::parse);
        let machine = read_machine(&of, "machine", "host");
        of.finish();
        Some(Self { machine: machine?, role: role?.to_string() })
    }
}

/// A machine's name under `key`, with a default.
pub(crate) fn read_machine(fields: &Fields<'_>, key: &'static str, default: &str) -> Option<MachineName> {
    match fields.opt_string(key) {
        None if fields.has(key) => None,
        None => MachineName::parse(default).ok(),
        Some(name) => MachineName::parse(&name).map_err(|why| fields.error_at(key, "no machine", why.to_string())).ok(),
    }
}

/// A running container, as its engine describes it.
#[derive(Clone, Debug)]
pub struct Container {
    pub machine: MachineName,
    /// 64 hexadecimal digits, so fit for a path of the engine's API.
    pub id: String,
    pub inspect: Value,
}

impl Container {
    pub fn name(&self) -> &str {
        self.inspect["Name"].as_str().map_or("?", |name| name.trim_start_matches('/'))
    }
}

/// Judges every running container of the role; see the rule above.
pub fn every<'a>(eyes: &mut Eyes<'a>, of: &Of, mut judge: impl FnMut(&mut Eyes<'a>, &Container) -> Outcome) -> Outcome {
    let containers = running(eyes, of)?;
    let several = containers.len() > 1;
    let outcomes: Vec<Outcome> = containers
        .iter()
        .map(|container| {
            let named = |finding: Finding| Finding {
                observed: format!("{}: {}", container.name(), finding.observed),
                ..finding
            };
            match judge(eyes, container) {
                Ok(finding) if several => Ok(named(finding)),
                Err(Halt::Fails(finding)) if several => Err(Halt::Fails(named(finding))),
                outcome => outcome,
            }
        })
        .collect();
    finding::all(outcomes)
}

/// The running containers of a role; fails where there is none.
pub fn running(eyes: &mut Eyes<'_>, of: &Of) -> Result<Vec<Container>, Halt> {
    let list = list(eyes, of)?;
    let mut containers = Vec::new();
    let mut idle = Vec::new();
    let mut waiting = false;
    for entry in &list {
        let Some(id) = entry["Id"].as_str().filter(|id| is_id(id)) else {
            return Err(Halt::unknown("the engine lists a container without a proper id"));
        };
        if entry["State"].as_str() != Some("running") {
            idle.push(entry["State"].as_str().unwrap_or("in no state").to_owned());
            continue;
        }
        match inspect(eyes, of, id) {
            Ok(Some(container)) => containers.push(container),
            Ok(None) => idle.push("restarting or paused".to_owned()),
            Err(Halt::NotYet) => waiting = true,
            Err(halt) => return Err(halt),
        }
    }
    if waiting {
        return Err(Halt::NotYet);
    }
    if containers.is_empty() {
        let rest = if idle.is_empty() {
            String::new()
        } else {
            format!(" ({} that do not run: {})", idle.len(), idle.join(", "))
        };
        return Err(Halt::fails(format!("no container with the label {ROLE_LABEL}={} runs{rest}", of.role)));
    }
    Ok(containers)
}

fn list(eyes: &mut Eyes<'_>, of: &Of) -> Result<Vec<Value>, Halt> {
    // `{"label":["bulkhead.role=ROLE"]}`; a role is of a-z, 0-9 and `-`, and needs no encoding.
    let path = format!("/containers/json?all=1&filters=%7B%22label%22%3A%5B%22{ROLE_LABEL}%3D{}%22%5D%7D", of.role);
    let (status, list) = eyes.engine(&of.machine, &path, LIST_LIMIT)?;
    let Value::Array(list) = list else {
        return Err(Halt::unknown(format!("the engine answered {status} and no list of containers")));
    };
    // The engine filtered already; an engine that did not is no reason to judge a stranger.
    let list: Vec<Value> =
        list.into_iter().filter(|entry| entry["Labels"][ROLE_LABEL].as_str() == Some(&of.role)).collect();
    let running = list.iter().filter(|entry| entry["State"].as_str() == Some("running")).count();
    if running > MAX_CANDIDATES {
        return Err(Halt::fails(format!(
            "{running} containers run with the label {ROLE_LABEL}={}; one is meant",
            of.role
        )));
    }
    Ok(list)
}

/// `None`: it does not run after all.
fn inspect(eyes: &mut Eyes<'_>, of: &Of, id: &str) -> Result<Option<Container>, Halt> {
    let (status, inspect) = eyes.engine(&of.machine, &format!("/containers/{id}/json"), INSPECT_LIMIT)?;
    if status == 404 {
        return Ok(None);
    }
    if status != 200 || inspect["Id"].as_str() != Some(id) {
        return Err(Halt::unknown(format!("the engine answered {status} and not the container it was asked for")));
    }
    let state = &inspect["State"];
    let is = |key: &str| state[key].as_bool() == Some(true);
    let runs = is("Running") && !is("Restarting") && !is("Paused") && !is("Dead");
    Ok(runs.then(|| Container { machine: of.machine.clone(), id: id.to_owned(), inspect }))
}

/// The kernel's account of the container's first process, once it is proved to be in that container: the engine's word
/// on the pid is the student's, and could name a harmless process elsewhere.
pub fn process<'a>(eyes: &mut Eyes<'a>, container: &Container) -> Result<&'a ProcessFacts, Halt> {
    let pid = container.inspect["State"]["Pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 1);
    let Some(pid) = pid else {
        return Err(Halt::unknown("the engine names no process of the container"));
    };
    let facts = match eyes.see(Look::Process { machine: container.machine.to_string(), pid })? {
        Seen::Process(facts) => facts,
        Seen::Missing => {
            return Err(Halt::unknown(format!("the engine names process {pid}, which the kernel does not have")));
        }
        other => return Err(misplaced(other)),
    };
    if facts.pid != pid {
        return Err(Halt::unknown(format!("the kernel showed process {} and not {pid}", facts.pid)));
    }
    if !facts.cgroups.values().any(|path| in_cgroup_of(path, &container.id)) {
        return Err(Halt::unknown(format!("the engine names process {pid}, which is in no cgroup of this container")));
    }
    if facts.shared_with_machine.get("mnt") != Some(&false) {
        return Err(Halt::unknown(format!("the engine names process {pid}, which has no mount namespace of its own")));
    }
    Ok(facts)
}

/// `…/docker/<id>`, `…/docker-<id>.scope`, or a cgroup below such a one.
fn in_cgroup_of(path: &str, id: &str) -> bool {
    path.split('/').any(|part| part == id || part.strip_suffix(".scope").and_then(|p| p.rsplit('-').next()) == Some(id))
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
