//! `kind = "network"`: a network of a machine's engine, and who is on it.
//!
//! | key | |
//! |---|---|
//! | `name` or `label` | the network of that name, or every network with that label (`"bulkhead.role=back"`) |
//! | `machine` | whose engine (default `host`) |
//! | `absent` | `true`: there must be none (no other key then) |
//! | `that`, `show` | a jq filter over `GET /networks/ID` |
//! | `members` | the roles of the containers on it: exactly these |
//! | `includes`, `excludes` | or: at least these, and none of those |
//!
//! That a container is on a network is the engine's word. The address that it names, of either version, must be one that
//! the kernel has in the container's network; who is on `host` must share the machine's, and who is on `none` must have a
//! network of its own without an address.

use std::{collections::BTreeSet, net::IpAddr};

use bulkhead_agent::look::{Look, Seen};
use serde_json::Value;

use super::{Kind, Watch, container};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Container, ROLE_LABEL},
        eyes::misplaced,
        finding,
        jq::Jq,
    },
    manifest::{Fields, MachineName},
};

const LIST_LIMIT: u32 = 256 * 1024;
const MOST_NETWORKS: usize = 8;
const MOST_MEMBERS: usize = 32;

#[derive(Debug)]
enum Which {
    Name(String),
    Label(String),
}

#[derive(Debug)]
pub(super) struct NetworkCheck {
    machine: MachineName,
    which: Which,
    absent: bool,
    that: Option<Jq>,
    show: Option<Jq>,
    members: Option<BTreeSet<String>>,
    includes: Vec<String>,
    excludes: Vec<String>,
}

impl NetworkCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let machine = containers::read_machine(fields, "machine", "host");
        let name = fields.opt_parsed("name", plain);
        let label = fields.opt_parsed("label", plain);
        let absent = fields.opt_bool("absent").unwrap_or(false);
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        let roles = |key| fields.parsed_list(key, |role| MachineName::parse(role).map(|role| role.to_string()));
        let members = roles("members");
        let (includes, excludes) = (roles("includes"), roles("excludes"));
        let members = fields.has("members").then(|| members.into_iter().collect());
        let asks = that.is_some() || members.is_some() || !includes.is_empty() || !excludes.is_empty();
        if absent == asks {
            fields.error(
                "the check asks nothing of the network, or that it be absent and more",
                "add `that`, `members`, `includes` or `excludes`, or `absent = true` alone",
            );
        }
        let which = match (name, label) {
            (Some(name), None) => Which::Name(name),
            (None, Some(label)) => Which::Label(label),
            _ => {
                fields.error("the check does not say which network it is about", "add either `name` or `label`");
                return None;
            }
        };
        Some(Self { machine: machine?, which, absent, that, show, members, includes, excludes })
    }

    fn is_meant(&self, network: &Value) -> bool {
        match &self.which {
            Which::Name(name) => network["Name"].as_str() == Some(name),
            Which::Label(label) => {
                let (key, value) = label.split_once('=').unwrap_or((label, ""));
                network["Labels"][key].as_str().is_some_and(|found| found == value || !label.contains('='))
            }
        }
    }

    fn describe(&self) -> String {
        match &self.which {
            Which::Name(name) => format!("the network {name}"),
            Which::Label(label) => format!("every network with the label {label}"),
        }
    }

    fn wants(&self) -> Vec<String> {
        let mut wants = Vec::new();
        wants.extend(self.that.as_ref().map(|that| format!("satisfies {}", that.source())));
        wants.extend(self.members.as_ref().map(|members| format!("has on it {} and nobody else", list(members))));
        if !self.includes.is_empty() {
            wants.push(format!("has on it {}", list(&self.includes)));
        }
        if !self.excludes.is_empty() {
            wants.push(format!("does not have on it {}", list(&self.excludes)));
        }
        wants
    }

    fn judge_network(&self, eyes: &mut Eyes<'_>, id: &str) -> Outcome {
        let (status, network) = eyes.engine(&self.machine, &format!("/networks/{id}"), LIST_LIMIT)?;
        if status != 200 || network["Id"].as_str() != Some(id) {
            return Err(Halt::unknown(format!("the engine answered {status} and not the network it was asked for")));
        }
        let name = network["Name"].as_str().unwrap_or("?").to_owned();
        let mut outcomes = Vec::new();
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            outcomes.push(container::holds(eyes, &network, that, &show));
        }
        if self.members.is_some() || !self.includes.is_empty() || !self.excludes.is_empty() {
            outcomes.push(members(eyes, &self.machine, &network).map(|found| self.judge_members(&name, &found)));
        }
        finding::all(outcomes)
    }

    fn judge_members(&self, name: &str, found: &BTreeSet<String>) -> Finding {
        let on_it = if found.is_empty() { "nobody".to_owned() } else { list(found) };
        let missing = self.includes.iter().find(|role| !found.contains(*role));
        let surplus = self.excludes.iter().find(|role| found.contains(*role));
        let exact = self.members.as_ref().is_none_or(|members| members == found);
        Finding::new(exact && missing.is_none() && surplus.is_none(), format!("on {name} is {on_it}"))
    }
}

impl Kind for NetworkCheck {
    fn name(&self) -> &'static str {
        "network"
    }

    fn expected(&self) -> String {
        if self.absent {
            return format!("there is not {}", self.describe());
        }
        format!("{} {}", self.describe(), self.wants().join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let (status, networks) = eyes.engine(&self.machine, "/networks", LIST_LIMIT)?;
        let Value::Array(networks) = networks else {
            return Err(Halt::unknown(format!("the engine answered {status} and no list of networks")));
        };
        let ids: Option<Vec<&str>> = networks
            .iter()
            .filter(|network| self.is_meant(network))
            .map(|network| network["Id"].as_str().filter(|id| is_id(id)))
            .collect();
        let ids = ids.ok_or_else(|| Halt::unknown("the engine lists a network without a proper id"))?;
        if self.absent {
            return Ok(Finding::new(ids.is_empty(), format!("there are {} such networks", ids.len())));
        }
        if ids.is_empty() {
            return Ok(Finding::fail("there is no such network"));
        }
        if ids.len() > MOST_NETWORKS {
            return Ok(Finding::fail(format!("there are {} such networks", ids.len())));
        }
        let outcomes: Vec<Outcome> = ids.iter().map(|id| self.judge_network(eyes, id)).collect();
        finding::all(outcomes)
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.machine]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch::engine())
    }
}

/// The roles on a network; a container without a role is named by its name. Each must have there, by the kernel, the
/// address that the engine says it has.
fn members(eyes: &mut Eyes<'_>, machine: &MachineName, network: &Value) -> Result<BTreeSet<String>, Halt> {
    let empty = serde_json::Map::new();
    let containers = network["Containers"].as_object().unwrap_or(&empty);
    if containers.len() > MOST_MEMBERS {
        return Err(Halt::fails(format!("{} containers are on the network", containers.len())));
    }
    let mut found = BTreeSet::new();
    let mut waiting = false;
    for (id, entry) in containers {
        match member(eyes, machine, network, id, entry) {
            Ok(role) => _ = found.insert(role),
            Err(Halt::NotYet) => waiting = true,
            Err(halt) => return Err(halt),
        }
    }
    if waiting { Err(Halt::NotYet) } else { Ok(found) }
}

fn member(
    eyes: &mut Eyes<'_>,
    machine: &MachineName,
    network: &Value,
    id: &str,
    entry: &Value,
) -> Result<String, Halt> {
    if !is_id(id) {
        return Err(Halt::unknown("the engine names a container without a proper id"));
    }
    let (status, inspect) = eyes.engine(machine, &format!("/containers/{id}/json"), LIST_LIMIT)?;
    if status != 200 || inspect["Id"].as_str() != Some(id) {
        return Err(Halt::unknown(format!("the engine answered {status} and not the container it was asked for")));
    }
    let container = Container { machine: machine.clone(), id: id.to_owned(), inspect };
    let role = container.inspect["Config"]["Labels"][ROLE_LABEL].as_str().unwrap_or(container.name()).to_owned();
    let facts = containers::process(eyes, &container)?;
    let shares = facts.shared_with_machine.get("net").copied();
    let driver = network["Driver"].as_str().unwrap_or_default();
    if driver == "host" {
        return match shares {
            Some(true) => Ok(role),
            _ => Err(Halt::unknown(format!(
                "the engine says that {role} is on the machine's network; the kernel does not"
            ))),
        };
    }
    let own = match eyes.see(Look::Addresses { machine: machine.to_string(), pid: Some(facts.pid) })? {
        Seen::Addresses { addresses } => addresses,
        Seen::Missing => return Err(Halt::unknown("the container's process ended while we looked")),
        other => return Err(misplaced(other)),
    };
    if driver == "null" {
        let alone = shares == Some(false) && own.iter().all(|found| is_loopback(&found.address));
        return if alone {
            Ok(role)
        } else {
            Err(Halt::unknown(format!("the engine says that {role} is on no network; the kernel has it on one")))
        };
    }
    let claims = ["IPv4Address", "IPv6Address"].map(|key| entry[key].as_str().unwrap_or_default());
    let claims: Vec<&str> =
        claims.iter().filter_map(|claim| claim.split('/').next()).filter(|c| !c.is_empty()).collect();
    let has = |claim: &str| own.iter().any(|found| same_address(&found.address, claim));
    match claims.iter().find(|claim| !has(claim)) {
        None if !claims.is_empty() => Ok(role),
        odd => Err(Halt::unknown(format!(
            "the engine says that {role} has the address {} there; the kernel does not have it",
            odd.copied().unwrap_or_default()
        ))),
    }
}

/// Version 6 has several ways to write the same.
fn same_address(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn list<'a>(roles: impl IntoIterator<Item = &'a String>) -> String {
    roles.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn plain(text: &str) -> Result<String, String> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b));
    if fits { Ok(text.to_owned()) } else { Err("write a name, or a label as key=value".to_owned()) }
}
