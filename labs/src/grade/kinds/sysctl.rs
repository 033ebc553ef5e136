//! `kind = "sysctl"`: kernel settings as something meets them.
//!
//! | key | |
//! |---|---|
//! | `machine` | as that machine does (default `host`) |
//! | `of` | or as the container of that role does |
//! | `values` | `{ "net.ipv4.ip_forward" = "1" }`: each a regular expression for the whole value; placeholders allowed |
//!
//! Only settings that each network or container has of its own (`net.*`, some of `kernel.*`) are the student's; the rest
//! are those of the platform's kernel. A file below `/etc/sysctl.d` is for `file`.

use bulkhead_agent::look::{Look, Seen};

use super::Kind;
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Of},
        eyes::misplaced,
        finding,
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
pub(super) struct SysctlCheck {
    place: Place,
    values: Vec<(String, Pattern)>,
}

impl SysctlCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read_opt(fields);
        let machine = containers::read_machine(fields, "machine", "host");
        let mut values = Vec::new();
        for (name, pattern) in fields.map("values") {
            match (setting(&name), Pattern::parse(&pattern)) {
                (Ok(name), Ok(pattern)) => values.push((name, pattern)),
                (Err(why), _) | (_, Err(why)) => fields.error_at("values", format!("`{name}` does not hold"), why),
            }
        }
        if !fields.has("values") {
            fields.error("the check names no setting", "add values = { \"net.ipv4.ip_forward\" = \"1\" }");
        }
        let place = match of {
            Some(of) => Place::Container(of),
            None if fields.has("of") => return None,
            None => Place::Machine(machine?),
        };
        Some(Self { place, values })
    }

    fn look(&self, eyes: &mut Eyes<'_>, machine: &MachineName, pid: Option<i32>) -> Outcome {
        let names = self.values.iter().map(|(name, _)| name.clone()).collect();
        let found = match eyes.see(Look::Sysctl { machine: machine.to_string(), pid, names })? {
            Seen::Settings { values } => values,
            Seen::Missing => return Err(Halt::unknown("the container's process ended while we looked")),
            other => return Err(misplaced(other)),
        };
        let known = eyes.values();
        finding::all(self.values.iter().map(|(name, pattern)| match found.get(name) {
            Some(Some(value)) => {
                // Some hold several numbers, between tabs.
                let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
                let right = pattern.whole(&known).map_err(Halt::Unknown)?.is_match(&value);
                Ok(Finding::new(right, format!("{name} is {value}")))
            }
            Some(None) => Ok(Finding::fail(format!("there is no {name}"))),
            None => Err(Halt::unknown(format!("{name} was not looked at"))),
        }))
    }
}

impl Kind for SysctlCheck {
    fn name(&self) -> &'static str {
        "sysctl"
    }

    fn expected(&self) -> String {
        let place = match &self.place {
            Place::Machine(machine) => format!("on {machine}"),
            Place::Container(of) => format!("in the {} container", of.role),
        };
        let list: Vec<String> =
            self.values.iter().map(|(name, value)| format!("{name} is {}", value.source())).collect();
        format!("{place}, {}", list.join(" and "))
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
        self.values.iter().map(|(_, pattern)| (pattern.text(), Vec::new())).collect()
    }
}

fn setting(name: &str) -> Result<String, String> {
    let fits = name.contains('.')
        && !name.split(['.', '/']).any(str::is_empty)
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
    if fits { Ok(name.to_owned()) } else { Err("write a setting, such as \"net.ipv4.ip_forward\"".to_owned()) }
}
