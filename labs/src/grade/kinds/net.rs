//! `kind = "net"`: who reaches whom, tried by our own program from inside each network.
//!
//! Keys of a `[[task.check.cell]]`:
//!
//! | key | |
//! |---|---|
//! | `from` or `from_machine` | the role of the container that tries, or a machine |
//! | `to`, `to_machine` or `to_address` | the role of the container, the machine, or the address (of either version) that is tried |
//! | `family` | with `to` and `to_machine`: at which addresses, `"ipv4"` (default), `"ipv6"` or `"any"` of both |
//! | `on` | with roles: whose engine (default `host`) |
//! | `port`, `protocol` | `protocol` is `"tcp"` (default) or `"udp"` |
//! | `reach` | `true` or `false` |
//! | `send`, `reply` | what is sent, and a regular expression for what must come back; placeholders allowed. Over UDP nobody is there unless something comes back |
//! | `path` | or an HTTP path that must answer with 200 to 299 |
//! | `timeout` | default `"1s"`, at most `"5s"`; `"300ms"` |
//!
//! A container is tried at every address that the kernel has in its network, never at what its engine says; a machine
//! from a container's network, and by IPv6, at every address of the machine. Where `reach = false`, somebody must listen on that port
//! there, or the cell shows nothing. A container that shares the machine's network is tried as the machine.

use bulkhead_agent::look::{Look, Protocol, Seen, Way};

use super::{
    Kind,
    address::{self, Family, MOST_ADDRESSES, Spot},
};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Of},
        eyes::misplaced,
        finding,
        pattern::Pattern,
    },
    manifest::{Fields, MachineName, Text, parse_duration},
};

const MOST_CELLS: usize = 32;
const FAMILIES: [(&str, Family); 3] = [("ipv4", Family::V4), ("ipv6", Family::V6), ("any", Family::Any)];
const BODY_LIMIT: u32 = 4 * 1024;

#[derive(Debug)]
pub(super) struct NetCheck {
    cells: Vec<Cell>,
}

#[derive(Debug)]
enum End {
    Role(Of),
    Machine(MachineName),
    Address(String),
}

#[derive(Debug)]
struct Cell {
    from: End,
    to: End,
    family: Family,
    port: u16,
    protocol: Protocol,
    reach: bool,
    send: Option<Text>,
    reply: Option<Pattern>,
    path: Option<Text>,
    timeout_ms: u32,
}

impl NetCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        let tables = fields.tables("cell");
        let count = tables.len();
        let cells: Vec<Cell> = tables.into_iter().filter_map(Cell::read).collect();
        if count == 0 || count > MOST_CELLS {
            fields.error(format!("the check has {count} cells"), format!("add 1 to {MOST_CELLS} [[task.check.cell]]"));
        }
        Self { cells }
    }
}

impl Cell {
    fn read(fields: Fields<'_>) -> Option<Self> {
        let on = containers::read_machine(&fields, "on", "host");
        let role = |key| fields.opt_parsed(key, MachineName::parse);
        let of = |role: MachineName| on.clone().map(|machine| End::Role(Of { machine, role: role.to_string() }));
        let ends = [role("from").and_then(of), role("from_machine").map(End::Machine)];
        let from: Vec<End> = ends.into_iter().flatten().collect();
        let address = fields.opt_parsed("to_address", address::literal);
        let family = Family::read(&fields, &FAMILIES);
        let ends = [role("to").and_then(of), role("to_machine").map(End::Machine), address.map(End::Address)];
        let to: Vec<End> = ends.into_iter().flatten().collect();
        let port = fields.integer("port", 1..=65_535);
        let protocol =
            fields.opt_choice("protocol", &[("tcp", Protocol::Tcp), ("udp", Protocol::Udp)]).unwrap_or(Protocol::Tcp);
        let reach = fields.opt_bool("reach");
        let (send, reply) = (fields.opt_text("send"), fields.opt_pattern("reply"));
        let path = fields.opt_text("path");
        let timeout = fields.opt_parsed("timeout", parse_duration);
        if reach.is_none() && !fields.has("reach") {
            fields.error("the cell does not say what is right", "add reach = true or reach = false");
        }
        if from.len() != 1 || to.len() != 1 {
            fields.error(
                "the cell does not say who tries to reach whom",
                "write one of `from` and `from_machine`, and one of `to`, `to_machine` and `to_address`",
            );
        }
        if fields.has("family") && fields.has("to_address") {
            fields.error("an address says by itself of which family it is", "leave `family` out");
        }
        if path.is_some() && (send.is_some() || reply.is_some() || protocol == Protocol::Udp) {
            fields.error("the cell asks by HTTP and in other words", "keep `path`, or `send` and `reply`");
        }
        if protocol == Protocol::Udp && send.is_none() {
            fields.error("over UDP silence says nothing", "add `send`: something that the service answers");
        }
        fields.finish();
        let timeout_ms = timeout.and_then(|t| u32::try_from(t.as_millis()).ok()).unwrap_or(1_000).min(5_000);
        let one = |ends: Vec<End>| ends.into_iter().next();
        Some(Self {
            from: one(from)?,
            to: one(to)?,
            family,
            port,
            protocol,
            reach: reach?,
            send,
            reply,
            path,
            timeout_ms,
        })
    }

    fn describe(&self) -> String {
        let verb = if self.reach { "reaches" } else { "does not reach" };
        format!("{} {verb} {}:{}{}", self.from.describe(), self.to.describe(), self.port, self.family.by())
    }

    /// Every pair of running containers of both roles.
    fn judge(&self, eyes: &mut Eyes<'_>, number: usize) -> Outcome {
        let (from, to) = (self.from.spots(eyes)?, self.to.spots(eyes)?);
        let mut outcomes = Vec::new();
        for from in &from {
            match &self.to {
                End::Address(address) => {
                    outcomes.push(self.judge_pair(
                        eyes,
                        number,
                        from,
                        &self.to.describe(),
                        std::slice::from_ref(address),
                    ));
                }
                // By its name: the machines know each other so. Containers do not, and try each address.
                End::Machine(machine)
                    if from.machine != *machine && from.pid.is_none() && self.family == Family::V4 =>
                {
                    let name = machine.to_string();
                    let there = self.somebody_there(eyes, &Spot::machine(machine));
                    outcomes.push(
                        there.and_then(|()| self.judge_pair(eyes, number, from, &name, std::slice::from_ref(&name))),
                    );
                }
                End::Role(_) | End::Machine(_) => {
                    for to in &to {
                        outcomes.push(self.judge_spots(eyes, number, from, to));
                    }
                }
            }
        }
        finding::all(outcomes)
    }

    fn judge_spots(&self, eyes: &mut Eyes<'_>, number: usize, from: &Spot, to: &Spot) -> Outcome {
        self.somebody_there(eyes, to)?;
        let addresses = address::between(eyes, from, to, self.family)?;
        if addresses.is_empty() {
            let by = self.family.by();
            let observed = format!("{} has no address but its own loopback at which to ask it{by}", to.name);
            return Ok(Finding::new(!self.reach, observed));
        }
        self.judge_pair(eyes, number, from, &to.name, &addresses)
    }

    /// What nobody serves cannot be reached, and that nobody reaches it shows nothing.
    fn somebody_there(&self, eyes: &mut Eyes<'_>, to: &Spot) -> Result<(), Halt> {
        if self.reach {
            return Ok(());
        }
        match eyes.see(Look::Sockets { machine: to.machine.to_string(), pid: to.pid })? {
            Seen::Sockets { sockets, .. } => {
                let protocol = if self.protocol == Protocol::Udp { "udp" } else { "tcp" };
                let serves = sockets.iter().any(|socket| {
                    socket.port == self.port && socket.protocol.starts_with(protocol) && !is_loopback(&socket.address)
                });
                if serves {
                    return Ok(());
                }
                Err(Halt::Fails(
                    Finding::fail(format!("nobody serves port {} in the network of {}", self.port, to.name))
                        .because("What is not there cannot be reached, which shows nothing."),
                ))
            }
            Seen::Missing => Err(Halt::unknown("a container's process ended while we looked")),
            other => Err(misplaced(other)),
        }
    }

    fn judge_pair(&self, eyes: &mut Eyes<'_>, number: usize, from: &Spot, to: &str, addresses: &[String]) -> Outcome {
        let mut waiting = false;
        let mut heard = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let step = number * MOST_ADDRESSES + index;
            match self.knock(eyes, step, from, address) {
                Ok(answer) => heard.push((address, answer)),
                Err(Halt::NotYet) => waiting = true,
                Err(halt) => return Err(halt),
            }
        }
        // One answer is enough for what should be there: it must not wait for addresses on networks of others.
        let enough = self.reach && heard.iter().any(|(_, answer)| answer.is_ok());
        if waiting && !enough {
            return Err(Halt::NotYet);
        }
        let reached = heard.iter().find_map(|(address, answer)| answer.as_ref().ok().map(|said| (address, said)));
        let observed = match (&reached, heard.first()) {
            (Some((address, said)), _) => format!("{} reaches {to}:{} at {address}{said}", from.name, self.port),
            (None, Some((_, Err(why)))) => format!("{} does not reach {to}:{}: {why}", from.name, self.port),
            (None, _) => format!("{} does not reach {to}:{}", from.name, self.port),
        };
        Ok(Finding::new(reached.is_some() == self.reach, observed))
    }

    /// `Ok(Err(…))`: nobody there, and why.
    fn knock(
        &self,
        eyes: &mut Eyes<'_>,
        step: usize,
        from: &Spot,
        address: &str,
    ) -> Result<Result<String, String>, Halt> {
        let values = eyes.values();
        let (machine, pid, host) = (from.machine.to_string(), from.pid, address.to_owned());
        let look = match &self.path {
            Some(path) => Look::Http {
                machine,
                host,
                port: self.port,
                method: "GET".to_owned(),
                path: path.fill(&values),
                headers: Vec::new(),
                body: String::new(),
                timeout_ms: self.timeout_ms,
                limit: BODY_LIMIT,
                pid,
                way: Way::Tcp,
            },
            None => Look::Connect {
                machine,
                pid,
                host,
                port: self.port,
                protocol: self.protocol,
                send: self.send.as_ref().map(|text| text.fill(&values)).unwrap_or_default(),
                timeout_ms: self.timeout_ms,
            },
        };
        // What should be there may still be starting; what should not is asked once.
        let seen = if self.reach { eyes.act_patiently(step, look)? } else { eyes.act(step, look)? };
        Ok(match seen {
            Seen::Http { status: status @ 200..=299, .. } => Ok(format!(", which answers {status}")),
            Seen::Http { status, .. } if self.reach => Err(format!("it answers {status}")),
            // Any answer at all is an answer from there.
            Seen::Http { status, .. } => Ok(format!(", which answers {status}")),
            Seen::Connected { reply } => match &self.reply {
                None => Ok(String::new()),
                Some(pattern) if pattern.with(&values).map_err(Halt::Unknown)?.is_match(reply) => Ok(String::new()),
                Some(_) if !self.reach => Ok(String::new()),
                Some(pattern) => Err(format!("it answers `{reply}`, which does not match {}", pattern.source())),
            },
            Seen::NoAnswer { why } => Err(why.clone()),
            Seen::Missing => return Err(Halt::unknown("a container's process ended while we looked")),
            other => return Err(misplaced(other)),
        })
    }
}

impl End {
    fn describe(&self) -> String {
        match self {
            Self::Role(of) => of.role.clone(),
            Self::Machine(machine) => machine.to_string(),
            Self::Address(address) => address.clone(),
        }
    }

    fn machine(&self) -> Option<&MachineName> {
        match self {
            Self::Role(of) => Some(&of.machine),
            Self::Machine(machine) => Some(machine),
            Self::Address(_) => None,
        }
    }

    fn spots(&self, eyes: &mut Eyes<'_>) -> Result<Vec<Spot>, Halt> {
        let of = match self {
            Self::Address(_) => return Ok(Vec::new()),
            Self::Machine(machine) => {
                return Ok(vec![Spot::machine(machine)]);
            }
            Self::Role(of) => of,
        };
        let mut spots = Vec::new();
        let mut waiting = false;
        for container in containers::running(eyes, of)? {
            match containers::process(eyes, &container) {
                Ok(facts) => {
                    spots.push(Spot { machine: of.machine.clone(), pid: Some(facts.pid), name: of.role.clone() });
                }
                Err(Halt::NotYet) => waiting = true,
                Err(halt) => return Err(halt),
            }
        }
        if waiting { Err(Halt::NotYet) } else { Ok(spots) }
    }
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("127.") || address == "::1"
}

impl Kind for NetCheck {
    fn name(&self) -> &'static str {
        "net"
    }

    fn expected(&self) -> String {
        self.cells.iter().map(Cell::describe).collect::<Vec<_>>().join(", ")
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let outcomes: Vec<Outcome> =
            self.cells.iter().enumerate().map(|(number, cell)| cell.judge(eyes, number)).collect();
        finding::all(outcomes)
    }

    fn does_something(&self) -> bool {
        true
    }

    fn machines(&self) -> Vec<&MachineName> {
        self.cells.iter().flat_map(|cell| [cell.from.machine(), cell.to.machine()]).flatten().collect()
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        let texts = self
            .cells
            .iter()
            .flat_map(|cell| cell.send.iter().chain(&cell.path).chain(cell.reply.iter().map(Pattern::text)));
        texts.map(|text| (text, Vec::new())).collect()
    }
}
