//! `kind = "events"`: what happened on a machine's engine, by its own account.
//!
//! | key | |
//! |---|---|
//! | `machine` | whose engine (default `host`) |
//! | `type` | `"container"` (default), `"image"`, `"network"`, `"volume"`, `"plugin"` or `"daemon"` |
//! | `event` | which of its events count (`["create", "exec_create"]`); all unless given. What follows a colon in an event's name is left out |
//! | `where` | a jq filter over one event (`{Type, Action, Actor: {ID, Attributes}, time, …}`); only those for which it holds count |
//! | `at_least`, `at_most` | how many there must be |
//! | `that`, `show` | a jq filter over the list of those that count, the oldest first |
//!
//! An engine keeps its last 256 events, and forgets them all when it restarts: a lab that regrades after a restart cannot
//! ask for them. What the platform itself does there (`exec_create` and the like) is among them.

use bulkhead_agent::look::{Look, Seen};
use serde_json::Value;

use super::{Kind, container};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, eyes::misplaced, finding, jq::Jq},
    manifest::{Fields, MachineName},
};

const LIMIT: u32 = 384 * 1024;
const TYPES: [(&str, &str); 6] = [
    ("container", "container"),
    ("image", "image"),
    ("network", "network"),
    ("volume", "volume"),
    ("plugin", "plugin"),
    ("daemon", "daemon"),
];

#[derive(Debug)]
pub(super) struct EventsCheck {
    machine: MachineName,
    of_type: &'static str,
    events: Vec<String>,
    which: Option<Jq>,
    at_least: Option<usize>,
    at_most: Option<usize>,
    that: Option<Jq>,
    show: Option<Jq>,
}

impl EventsCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let machine = containers::read_machine(fields, "machine", "host");
        let of_type = fields.opt_choice("type", &TYPES).unwrap_or("container");
        let events = fields.parsed_list("event", |name| {
            let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'-');
            if fits { Ok(name.to_owned()) } else { Err("write an event, such as \"create\"") }
        });
        let which = fields.opt_jq("where");
        let (at_least, at_most) = (fields.opt_integer("at_least", 0..=256), fields.opt_integer("at_most", 0..=256));
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        let at_least = at_least.and_then(|count: u64| usize::try_from(count).ok());
        let at_most = at_most.and_then(|count: u64| usize::try_from(count).ok());
        if at_least.is_none() && at_most.is_none() && that.is_none() {
            fields.error("the check asks nothing of the events", "add `at_least`, `at_most` or `that`");
        }
        Some(Self { machine: machine?, of_type, events, which, at_least, at_most, that, show })
    }

    fn what(&self) -> String {
        let events = if self.events.is_empty() { String::new() } else { format!(" {}", self.events.join(" or ")) };
        let which = self.which.as_ref().map(|which| format!(" with {}", which.source())).unwrap_or_default();
        format!("{} events{events}{which}", self.of_type)
    }

    /// Those that count.
    fn counted(&self, eyes: &Eyes<'_>, text: &str) -> Result<Vec<Value>, Halt> {
        let variables = eyes.variables();
        let mut counted = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let event: Value =
                serde_json::from_str(line).map_err(|_| Halt::unknown("the engine tells an event that is no JSON"))?;
            let action = event["Action"].as_str().unwrap_or_default().split(':').next().unwrap_or_default();
            let named = self.events.is_empty() || self.events.iter().any(|name| name == action);
            if event["Type"].as_str() != Some(self.of_type) || !named {
                continue;
            }
            let holds = match &self.which {
                Some(which) => which.holds(&event, &variables).map_err(|why| Halt::unknown(why.to_string()))?,
                None => true,
            };
            if holds {
                counted.push(event);
            }
        }
        Ok(counted)
    }
}

impl Kind for EventsCheck {
    fn name(&self) -> &'static str {
        "events"
    }

    fn expected(&self) -> String {
        let mut wants = Vec::new();
        wants.extend(self.at_least.map(|count| format!("at least {count}")));
        wants.extend(self.at_most.map(|count| format!("at most {count}")));
        wants.extend(self.that.as_ref().map(|that| format!("what satisfies {}", that.source())));
        format!("of {} on {} there are {}", self.what(), self.machine, wants.join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        // `{"type":["container"]}`, for an address.
        let filters = format!("%7B%22type%22%3A%5B%22{}%22%5D%7D", self.of_type);
        let counted = match eyes.see(Look::Events { machine: self.machine.to_string(), filters, limit: LIMIT })? {
            Seen::Text { truncated: true, .. } => return Err(Halt::unknown("the engine tells more than is read")),
            Seen::Text { text, .. } => self.counted(eyes, text)?,
            other => return Err(misplaced(other)),
        };
        let count = counted.len();
        let mut outcomes: Vec<Outcome> = Vec::new();
        if self.at_least.is_some() || self.at_most.is_some() {
            let holds =
                self.at_least.is_none_or(|least| count >= least) && self.at_most.is_none_or(|most| count <= most);
            outcomes.push(Ok(Finding::new(holds, format!("there are {count} {}", self.what()))));
        }
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            outcomes.push(container::holds(eyes, &Value::Array(counted), that, &show));
        }
        finding::all(outcomes)
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.machine]
    }
}
