//! How a judgement asks for what it wants to see.
//!
//! A judgement is a pure function that is run again and again: where it asks for a look that was not taken yet, it
//! stops with [`Halt::NotYet`] and the look is noted; the grader takes all noted looks of all checks in one request and
//! runs the judgements again. So each kind reads like a straight story, and a lab takes few round trips.

use std::collections::{BTreeMap, HashMap};

use bulkhead_agent::{
    look::{Look, Seen},
    protocol::{Fault, FaultKind},
};
use serde_json::Value;

use super::{Answer, Halt, Nonce, Outcome, Variables, clean};
use crate::manifest::{CheckId, MachineName};

/// What was seen so far in one grading.
#[derive(Debug, Default)]
pub struct Memory(HashMap<Key, Result<Seen, Fault>>);

impl Memory {
    pub fn insert(&mut self, key: Key, seen: Result<Seen, Fault>) {
        self.0.insert(key, seen);
    }

    /// What came of a look that changes nothing, where it was taken.
    pub fn get(&self, look: &Look) -> Option<&Result<Seen, Fault>> {
        self.0.get(&Key::of(look))
    }
}

/// Which look. Looks that change nothing are shared by all checks; each act is its check's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    act: Option<(CheckId, usize, u32)>,
    look: String,
}

impl Key {
    /// Of a look that changes nothing.
    fn of(look: &Look) -> Self {
        Self { act: None, look: serde_json::to_string(look).unwrap_or_default() }
    }
}

/// A look that a judgement waits for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub key: Key,
    pub look: Look,
}

impl Wanted {
    /// A look that changes nothing.
    pub fn of(look: Look) -> Self {
        Self { key: Key::of(&look), look }
    }
}

/// What the judgement of one check may know beside what it sees.
#[derive(Debug)]
pub struct Case<'a> {
    pub check: &'a CheckId,
    pub variables: &'a Variables,
    pub nonce: &'a Nonce,
    /// What the student answered to this check.
    pub answer: Option<&'a Answer>,
    /// A service that does not answer yet is asked again.
    pub patient: bool,
    /// What does not hold yet is looked at again.
    pub waits: bool,
}

pub struct Eyes<'a> {
    memory: &'a Memory,
    case: &'a Case<'a>,
    wanted: Vec<Wanted>,
    retries: bool,
    /// How often all of this check was looked at before.
    turn: u32,
}

/// Stands in for the step of looks that are taken anew.
const TURNS: usize = usize::MAX;

impl<'a> Eyes<'a> {
    pub fn new(memory: &'a Memory, case: &'a Case<'a>) -> Self {
        Self { memory, case, wanted: Vec::new(), retries: false, turn: 0 }
    }

    pub fn case(&self) -> &'a Case<'a> {
        self.case
    }

    /// Looks to take before the next run, and whether one of them is a retry that should wait a moment.
    pub fn into_wanted(self) -> (Vec<Wanted>, bool) {
        (self.wanted, self.retries)
    }

    /// Judges, and where it does not hold looks at everything anew, until it holds or its time is over.
    pub fn judge(&mut self, judge: impl Fn(&mut Self) -> Outcome) -> Outcome {
        // What was seen in the turns before did not hold.
        self.turn = self.latest_turn();
        let outcome = judge(self);
        let holds = matches!(&outcome, Ok(finding) if finding.holds);
        if holds || outcome == Err(Halt::NotYet) || !self.case.waits {
            return outcome;
        }
        self.turn += 1;
        self.retries = true;
        judge(self)
    }

    /// A look that changes nothing; shared with every check that asks the same, unless it is taken anew.
    pub fn see(&mut self, look: Look) -> Result<&'a Seen, Halt> {
        let key = match self.turn {
            0 => Key::of(&look),
            turn => Key { act: Some((self.case.check.clone(), TURNS, turn)), ..Key::of(&look) },
        };
        self.find(key, look)
    }

    /// 0 where nothing was looked at anew.
    fn latest_turn(&self) -> u32 {
        let turns = self.memory.0.keys().filter_map(|key| key.act.as_ref());
        let own = turns.filter(|(check, step, _)| check == self.case.check && *step == TURNS);
        own.map(|(_, _, turn)| *turn).max().unwrap_or_default()
    }

    /// A look that may change something, taken once for this check and `step`.
    pub fn act(&mut self, step: usize, look: Look) -> Result<&'a Seen, Halt> {
        self.attempt(step, 0, look)
    }

    /// Like [`Self::act`], but asks again while nobody answers and there is patience left.
    pub fn act_patiently(&mut self, step: usize, look: Look) -> Result<&'a Seen, Halt> {
        for attempt in 0.. {
            let seen = self.attempt(step, attempt, look.clone());
            if seen == Err(Halt::NotYet) {
                self.retries |= attempt > 0;
                return seen;
            }
            let again = matches!(seen, Ok(Seen::NoAnswer { .. }))
                && (self.case.patient || self.taken(step, attempt + 1, &look));
            if !again {
                return seen;
            }
        }
        Err(Halt::NotYet)
    }

    fn attempt(&mut self, step: usize, attempt: u32, look: Look) -> Result<&'a Seen, Halt> {
        self.find(self.act_key(step, attempt, &look), look)
    }

    fn act_key(&self, step: usize, attempt: u32, look: &Look) -> Key {
        Key {
            act: Some((self.case.check.clone(), step, attempt)),
            look: serde_json::to_string(look).unwrap_or_default(),
        }
    }

    fn taken(&self, step: usize, attempt: u32, look: &Look) -> bool {
        self.memory.0.contains_key(&self.act_key(step, attempt, look))
    }

    fn find(&mut self, key: Key, look: Look) -> Result<&'a Seen, Halt> {
        match self.memory.0.get(&key) {
            Some(Ok(seen)) => Ok(seen),
            Some(Err(fault)) => Err(Halt::Unknown(explain(fault))),
            None => {
                self.wanted.push(Wanted { key, look });
                Err(Halt::NotYet)
            }
        }
    }

    /// Asks a machine's engine, and reads its answer as JSON.
    pub fn engine(&mut self, machine: &MachineName, path: &str, limit: u32) -> Result<(u16, Value), Halt> {
        let look = Look::Engine {
            machine: machine.to_string(),
            method: "GET".to_owned(),
            path: path.to_owned(),
            body: None,
            timeout_ms: 5_000,
            limit,
        };
        match self.see(look)? {
            Seen::Http { truncated: true, .. } => Err(Halt::unknown(format!(
                "the engine on {machine} answered more than {}",
                clean::bytes(limit as usize)
            ))),
            Seen::Http { status, body, .. } => match serde_json::from_str(body) {
                Ok(value) => Ok((*status, value)),
                Err(_) => {
                    Err(Halt::unknown(format!("the engine on {machine} answered {status} without readable JSON")))
                }
            },
            Seen::NoAnswer { why } => Err(Halt::unknown(format!("the engine on {machine} does not answer: {why}"))),
            other => Err(misplaced(other)),
        }
    }

    /// Variables and `{{nonce}}`, for placeholders.
    pub fn values(&self) -> BTreeMap<String, String> {
        let mut values = self.case.variables.values().clone();
        values.insert("nonce".to_owned(), self.case.nonce.as_str().to_owned());
        values.insert("before".to_owned(), self.case.nonce.before().to_owned());
        values
    }

    /// The same for a filter's `$vars`.
    pub fn variables(&self) -> Value {
        self.values()
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// The agent answered something else than it was asked.
pub(crate) fn misplaced(seen: &Seen) -> Halt {
    let kind = match seen {
        Seen::Http { .. } | Seen::NoAnswer { .. } => "an answer",
        Seen::Process(_) => "a process",
        Seen::Missing => "nothing there",
        Seen::File(_) => "a file",
        Seen::Tree { .. } => "a tree",
        Seen::Attempt { .. } => "an attempt",
        Seen::Exec(_) => "a command",
        Seen::Visit { .. } => "a visit",
        Seen::Cgroup { .. } => "control groups",
        Seen::Sockets { .. } => "sockets",
        Seen::Settings { .. } => "settings",
        Seen::Addresses { .. } => "addresses",
        Seen::Connected { .. } => "a connection",
        Seen::Tls { .. } => "a TLS connection",
        Seen::Load { .. } => "times",
        Seen::Text { .. } => "a text",
        Seen::Search { .. } => "a search",
        Seen::Scan { .. } => "a scan",
        Seen::Tampered { .. } => "changed programs",
        Seen::Processes { .. } => "processes",
        Seen::Happened { .. } => "what happened",
    };
    Halt::unknown(format!("the sandbox's agent reported {kind}, which was not asked"))
}

fn explain(fault: &Fault) -> String {
    let what = match fault.kind {
        FaultKind::NotFound => "it was gone",
        FaultKind::Invalid => "the platform asked for something impossible",
        FaultKind::Down => "the machine or its engine is down",
        FaultKind::TimedOut => "it took too long",
        FaultKind::Exhausted => "the sandbox is at one of its limits",
        FaultKind::Failed => "the kernel refused",
    };
    format!("The platform could not look: {what} ({})", fault.message)
}
