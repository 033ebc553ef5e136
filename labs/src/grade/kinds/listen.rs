//! `kind = "listen"`: who waits for callers in a network, by the kernel's own list.
//!
//! | key | |
//! |---|---|
//! | `machine` | in that machine's network (default `host`) |
//! | `of` | or in the network of the container of that role |
//! | `port`, `protocol` | the sockets that it is about; `protocol` is `"tcp"` (default) or `"udp"`, of both versions of IP |
//! | `absent` | `true`: nobody may listen there |
//! | `only_on` | somebody must listen there, and on these addresses only (`["127.0.0.1"]`) |
//! | `owner` | a regular expression that the program of every holder must match |
//! | `that`, `show` | a jq filter over the list of such sockets (of all, without `port`): `{protocol, address, port, uid, owner}` |
//!
//! Without `absent` and `only_on`, somebody must listen. Where the userland proxy is off, the engine holds the socket of a
//! published port all the same; that it answers is for a probe to show.

use std::net::IpAddr;

use bulkhead_agent::look::{Look, Seen, facts::SocketFacts};

use super::{Kind, container};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Of},
        eyes::misplaced,
        finding,
        jq::Jq,
        pattern::Pattern,
    },
    manifest::{Fields, MachineName, Text},
};

#[derive(Debug)]
enum Place {
    Machine(MachineName),
    Container(Of),
}

#[derive(Debug)]
pub(super) struct ListenCheck {
    place: Place,
    port: Option<u16>,
    protocol: &'static str,
    absent: bool,
    only_on: Vec<IpAddr>,
    owner: Option<Pattern>,
    that: Option<Jq>,
    show: Option<Jq>,
}

impl ListenCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read_opt(fields);
        let machine = containers::read_machine(fields, "machine", "host");
        let port = fields.opt_integer("port", 1..=65_535);
        let protocol = fields.opt_choice("protocol", &[("tcp", "tcp"), ("udp", "udp")]).unwrap_or("tcp");
        let absent = fields.opt_bool("absent").unwrap_or(false);
        let only_on = fields.parsed_list("only_on", |text| text.parse::<IpAddr>().map_err(|_| "write addresses"));
        let owner = fields.opt_pattern("owner");
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        if port.is_none() && that.is_none() {
            fields.error("the check names no port", "add `port`, or `that` over all sockets");
        }
        if absent && (!only_on.is_empty() || owner.is_some() || that.is_some()) {
            fields.error("the socket is to be absent and to have properties", "keep `absent` or the other keys");
        }
        let place = match of {
            Some(of) => Place::Container(of),
            None if fields.has("of") => return None,
            None => Place::Machine(machine?),
        };
        Some(Self { place, port, protocol, absent, only_on, owner, that, show })
    }

    fn what(&self) -> String {
        match self.port {
            Some(port) => format!("port {port}/{}", self.protocol),
            None => format!("{} ports", self.protocol),
        }
    }

    fn look(&self, eyes: &mut Eyes<'_>, machine: &MachineName, pid: Option<i32>) -> Outcome {
        match eyes.see(Look::Sockets { machine: machine.to_string(), pid })? {
            Seen::Sockets { truncated: true, .. } => Err(Halt::unknown("more sockets listen than are looked at")),
            Seen::Sockets { sockets, .. } => self.judge_sockets(eyes, sockets),
            Seen::Missing => Err(Halt::unknown("the container's process ended while we looked")),
            other => Err(misplaced(other)),
        }
    }

    fn judge_sockets(&self, eyes: &Eyes<'_>, sockets: &[SocketFacts]) -> Outcome {
        let meant: Vec<&SocketFacts> = sockets
            .iter()
            .filter(|socket| self.port.is_none_or(|port| socket.port == port))
            .filter(|socket| socket.protocol.trim_end_matches('6') == self.protocol)
            .collect();
        let seen = if meant.is_empty() {
            format!("nobody listens on {}", self.what())
        } else {
            meant.iter().map(|socket| describe(socket)).collect::<Vec<_>>().join("; ")
        };
        if self.absent {
            return Ok(Finding::new(meant.is_empty(), seen));
        }
        let mut outcomes: Vec<Outcome> = Vec::new();
        if self.port.is_some() {
            let elsewhere = meant.iter().any(|socket| {
                let address = socket.address.parse().ok();
                !self.only_on.is_empty() && address.is_none_or(|address| !self.only_on.contains(&address))
            });
            outcomes.push(Ok(Finding::new(!meant.is_empty() && !elsewhere, seen)));
        }
        if let Some(owner) = &self.owner {
            let regex = owner.with(&eyes.values()).map_err(Halt::Unknown)?;
            for socket in &meant {
                let exe = socket.owner.as_ref().map_or("nobody that could be found", |owner| owner.exe.as_str());
                outcomes.push(Ok(Finding::new(regex.is_match(exe), format!("{} is held by {exe}", self.what()))));
            }
        }
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            let list = serde_json::to_value(&meant).map_err(|why| Halt::unknown(why.to_string()))?;
            outcomes.push(container::holds(eyes, &list, that, &show));
        }
        finding::all(outcomes)
    }
}

impl Kind for ListenCheck {
    fn name(&self) -> &'static str {
        "listen"
    }

    fn expected(&self) -> String {
        let place = match &self.place {
            Place::Machine(machine) => format!("on {machine}"),
            Place::Container(of) => format!("in the network of the {} container", of.role),
        };
        let mut text = match (self.absent, self.port) {
            (true, _) => format!("nobody listens on {} {place}", self.what()),
            (false, Some(_)) => format!("somebody listens on {} {place}", self.what()),
            (false, None) => format!("what listens {place} satisfies"),
        };
        if !self.only_on.is_empty() {
            let addresses: Vec<String> = self.only_on.iter().map(IpAddr::to_string).collect();
            text = format!("{text}, on {} only", addresses.join(" and "));
        }
        if let Some(that) = &self.that {
            text = format!("{text} {}", that.source());
        }
        text
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        match &self.place {
            Place::Machine(machine) => self.look(eyes, machine, None),
            Place::Container(of) => containers::every(eyes, of, |eyes, container| {
                let pid = containers::process(eyes, container)?.pid;
                self.look(eyes, &container.machine, Some(pid))
            }),
        }
    }

    fn machines(&self) -> Vec<&MachineName> {
        match &self.place {
            Place::Machine(machine) => vec![machine],
            Place::Container(of) => vec![&of.machine],
        }
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        self.owner.iter().map(|pattern| (pattern.text(), Vec::new())).collect()
    }
}

fn describe(socket: &SocketFacts) -> String {
    let owner = socket.owner.as_ref().map(|owner| format!(" ({})", owner.exe)).unwrap_or_default();
    format!("{}:{}/{}{owner}", socket.address, socket.port, socket.protocol)
}
