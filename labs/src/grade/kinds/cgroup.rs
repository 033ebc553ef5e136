//! `kind = "cgroup"`: what a container may use up, as the kernel limits it.
//!
//! | key | |
//! |---|---|
//! | `of` | `{ role = "noisy" }` |
//! | `memory_max` | limited, and to at most this (`"128m"`) |
//! | `memory_min` | and to at least this |
//! | `swap` | `"none"`: it may not swap beyond its memory |
//! | `pids_max` | limited, and to at most so many processes |
//! | `cpus_max` | limited, and to at most this many processors (`"0.5"`) |
//! | `oom_kill` | `true`: the kernel may end it when its memory is used up |
//! | `running` | `true`: it is not frozen (`docker pause`) |
//! | `that`, `show` | a jq filter over `{memory, swap, pids, milli_cpus, oom_kill, frozen, levels}`; `null` is no limit |
//!
//! A limit counts wherever it is set above the container's process, but for that of the machine itself. Read from the
//! kernel's files outside the machine, of either version; where the engine claims a limit that is not there, it is said.

use bulkhead_agent::look::{Look, Seen, facts::CgroupLevel};
use serde_json::{Value, json};

use super::{Kind, Watch, container};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Container, Of},
        eyes::misplaced,
        finding,
        jq::Jq,
    },
    manifest::{Fields, MachineName, format_size, parse_size},
};

/// Version 1 writes "no limit" as a huge number that differs by page size.
const UNLIMITED: u64 = 1 << 60;

#[derive(Debug)]
pub(super) struct CgroupCheck {
    of: Of,
    memory_max: Option<u64>,
    memory_min: Option<u64>,
    no_swap: bool,
    pids_max: Option<u64>,
    milli_cpus_max: Option<u64>,
    oom_kill: bool,
    running: bool,
    that: Option<Jq>,
    show: Option<Jq>,
}

/// What may be swapped out beside memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Swap {
    /// The kernel does not count it.
    #[default]
    Uncounted,
    Unlimited,
    Bytes(u64),
}

/// What holds over all levels. `None`: no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    memory: Option<u64>,
    swap: Swap,
    pids: Option<u64>,
    milli_cpus: Option<u64>,
    oom_kill: bool,
    frozen: bool,
}

impl CgroupCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read(fields);
        let memory_max = fields.opt_parsed("memory_max", parse_size);
        let memory_min = fields.opt_parsed("memory_min", parse_size);
        let no_swap = fields.opt_choice("swap", &[("none", true)]).unwrap_or(false);
        let pids_max = fields.opt_integer("pids_max", 1..=1 << 22);
        let milli_cpus_max = fields.opt_parsed("cpus_max", milli_cpus);
        let oom_kill = fields.opt_bool("oom_kill").unwrap_or(false);
        let running = fields.opt_bool("running").unwrap_or(false);
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        let check =
            Self { of: of?, memory_max, memory_min, no_swap, pids_max, milli_cpus_max, oom_kill, running, that, show };
        if check.wants().is_empty() {
            fields.error(
                "the check asks nothing of the container's groups",
                "add `memory_max`, `swap`, `pids_max`, `cpus_max`, `oom_kill`, `running` or `that`",
            );
        }
        Some(check)
    }

    fn wants(&self) -> Vec<String> {
        let mut wants = Vec::new();
        let mut want = |text: Option<String>| wants.extend(text);
        want(self.memory_max.map(|most| format!("at most {} of memory", format_size(most))));
        want(self.memory_min.map(|least| format!("at least {} of memory", format_size(least))));
        want(self.no_swap.then(|| "no swap".to_owned()));
        want(self.pids_max.map(|most| format!("at most {most} processes")));
        want(self.milli_cpus_max.map(|most| format!("at most {} processors", cpus(most))));
        want(self.oom_kill.then(|| "an end when its memory is used up".to_owned()));
        want(self.running.then(|| "processes that are not frozen".to_owned()));
        want(self.that.as_ref().map(|that| format!("what satisfies {}", that.source())));
        wants
    }

    fn judge_limits(&self, eyes: &Eyes<'_>, levels: &[CgroupLevel], container: &Container) -> Outcome {
        let limits = Limits::of(levels);
        let claims = &container.inspect["HostConfig"];
        let claimed = |key: &str| claims[key].as_u64().filter(|value| *value > 0);
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut at_most = |what: &str, found: Option<u64>, most: u64, claim: Option<u64>, show: fn(u64) -> String| {
            let finding = match found {
                None => Finding::fail(format!("its {what} is not limited")),
                Some(found) => Finding::new(found <= most, format!("its {what} is limited to {}", show(found))),
            };
            outcomes.push(Ok(disagree(finding, claim.filter(|claim| *claim <= most).map(show))));
        };
        if let Some(most) = self.memory_max {
            at_most("memory", limits.memory, most, claimed("Memory"), format_size);
        }
        if let Some(most) = self.pids_max {
            at_most("number of processes", limits.pids, most, claimed("PidsLimit"), |count| count.to_string());
        }
        if let Some(most) = self.milli_cpus_max {
            let claim = claimed("NanoCpus").map(|nano| nano / 1_000_000);
            at_most("share of processors", limits.milli_cpus, most, claim, cpus);
        }
        if let Some(least) = self.memory_min {
            let found = limits.memory;
            let observed = found.map_or("its memory is not limited".to_owned(), |bytes| {
                format!("its memory is limited to {}", format_size(bytes))
            });
            outcomes.push(Ok(Finding::new(found.is_none_or(|bytes| bytes >= least), observed)));
        }
        if self.no_swap {
            outcomes.push(Ok(no_swap(limits.swap, claims)));
        }
        if self.oom_kill {
            let said = if limits.oom_kill { "may" } else { "may not" };
            outcomes.push(Ok(Finding::new(
                limits.oom_kill,
                format!("the kernel {said} end it when its memory is used up"),
            )));
        }
        if self.running {
            let said = if limits.frozen { "frozen" } else { "not frozen" };
            outcomes.push(Ok(Finding::new(!limits.frozen, format!("its processes are {said}"))));
        }
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            outcomes.push(container::holds(eyes, &limits.json(levels), that, &show));
        }
        finding::all(outcomes)
    }
}

impl Kind for CgroupCheck {
    fn name(&self) -> &'static str {
        "cgroup"
    }

    fn expected(&self) -> String {
        format!("the kernel gives the {} container {}", self.of.role, self.wants().join(", "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        containers::every(eyes, &self.of, |eyes, container| {
            let levels = levels(eyes, container)?;
            self.judge_limits(eyes, levels, container)
        })
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.of.machine]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch::engine())
    }
}

/// The container's groups, the machine's own left out.
pub(super) fn levels<'a>(eyes: &mut Eyes<'a>, container: &Container) -> Result<&'a [CgroupLevel], Halt> {
    let pid = containers::process(eyes, container)?.pid;
    match eyes.see(Look::Cgroup { machine: container.machine.to_string(), pid })? {
        Seen::Cgroup { levels } => {
            let own =
                levels.split_last().filter(|(machine, _)| machine.path == "/").map_or(&levels[..], |(_, own)| own);
            if own.is_empty() {
                return Err(Halt::unknown("the container's process is in no group of its own"));
            }
            Ok(own)
        }
        Seen::Missing => Err(Halt::unknown("the container's process ended while we looked")),
        other => Err(misplaced(other)),
    }
}

impl Limits {
    pub(super) fn of(levels: &[CgroupLevel]) -> Self {
        let least = |read: &dyn Fn(&CgroupLevel) -> Option<u64>| levels.iter().filter_map(read).min();
        let file = |level: &CgroupLevel, name: &str| level.files.get(name).and_then(|text| limit(text));
        let memory = |level: &CgroupLevel| file(level, "memory.max").or_else(|| file(level, "memory.limit_in_bytes"));
        let swap = |level: &CgroupLevel| {
            let both = file(level, "memory.memsw.limit_in_bytes").and_then(|both| both.checked_sub(memory(level)?));
            both.or_else(|| file(level, "memory.swap.max"))
        };
        let has =
            |names: [&str; 2]| levels.iter().any(|level| names.iter().any(|name| level.files.contains_key(*name)));
        let counted = has(["memory.memsw.limit_in_bytes", "memory.swap.max"]);
        let cpu = |level: &CgroupLevel| {
            let text = |name: &str| level.files.get(name).map(String::as_str);
            text("cpu.max").and_then(quota).or_else(|| {
                let (quota_us, period_us) = (text("cpu.cfs_quota_us")?, text("cpu.cfs_period_us")?);
                quota(&format!("{quota_us} {period_us}"))
            })
        };
        let says = |name: &str, text: &str| {
            levels.iter().any(|level| level.files.get(name).is_some_and(|found| found.contains(text)))
        };
        Self {
            memory: least(&memory),
            swap: if counted { least(&swap).map_or(Swap::Unlimited, Swap::Bytes) } else { Swap::Uncounted },
            pids: least(&|level| file(level, "pids.max")),
            milli_cpus: least(&cpu),
            oom_kill: !says("memory.oom_control", "oom_kill_disable 1"),
            frozen: says("freezer.state", "FROZEN") || says("freezer.state", "FREEZING") || says("cgroup.freeze", "1"),
        }
    }

    pub(super) fn json(&self, levels: &[CgroupLevel]) -> Value {
        json!({
            "memory": self.memory,
            "swap": if let Swap::Bytes(bytes) = self.swap { Some(bytes) } else { None },
            "pids": self.pids,
            "milli_cpus": self.milli_cpus,
            "oom_kill": self.oom_kill,
            "frozen": self.frozen,
            "levels": levels,
        })
    }
}

fn no_swap(swap: Swap, claims: &Value) -> Finding {
    match swap {
        Swap::Bytes(0) => Finding::pass("it may not swap"),
        Swap::Bytes(bytes) => Finding::fail(format!("it may swap {}", format_size(bytes))),
        Swap::Unlimited => Finding::fail("its swap is not limited"),
        // Without a count in the kernel only the engine's word is left, and its memory limit holds all the same.
        Swap::Uncounted => {
            let (memory, both) = (claims["Memory"].as_i64(), claims["MemorySwap"].as_i64());
            let asked = memory.is_some_and(|memory| memory > 0) && memory == both;
            let said = if asked { "asked for no swap" } else { "did not ask for no swap" };
            Finding::new(asked, format!("this kernel does not count swap, and the engine {said}"))
        }
    }
}

/// Adds what the engine claims where it claims a limit that the kernel does not show.
fn disagree(finding: Finding, claim: Option<String>) -> Finding {
    match claim {
        Some(claim) if !finding.holds => {
            let why = format!("The engine claims {claim}; the kernel shows otherwise, and the kernel counts.");
            Finding { observed: format!("{}, though the engine claims {claim}", finding.observed), ..finding }
                .because(why)
        }
        _ => finding,
    }
}

/// `max`, -1, version 1's huge numbers and nonsense are no limit.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|value| *value < UNLIMITED)
}

/// Thousandths of a processor, from `QUOTA PERIOD` in microseconds; rounded up, so that a little over is over.
fn quota(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    let (quota, period): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    if period == 0 { None } else { Some(quota.checked_mul(1000)?.div_ceil(period)) }
}

/// `"0.5"` → 500.
fn milli_cpus(text: &str) -> Result<u64, String> {
    let wrong = || "write a number of processors with at most three decimals, such as \"0.5\"".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 || whole.len() > 4 {
        return Err(wrong());
    }
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    Ok(number(whole)? * 1000 + number(&format!("{part:0<3}"))?)
}

fn cpus(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(path: &str, files: &[(&str, &str)]) -> CgroupLevel {
        CgroupLevel {
            path: path.into(),
            files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        }
    }

    #[test]
    fn both_versions_say_the_same() {
        let one = [level(
            "/docker/a",
            &[
                ("memory.limit_in_bytes", "67108864"),
                ("memory.memsw.limit_in_bytes", "67108864"),
                ("pids.max", "50"),
                ("cpu.cfs_quota_us", "50000"),
                ("cpu.cfs_period_us", "100000"),
                ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0"),
                ("freezer.state", "THAWED"),
            ],
        )];
        let two = [level(
            "/docker/a",
            &[
                ("memory.max", "67108864"),
                ("memory.swap.max", "0"),
                ("pids.max", "50"),
                ("cpu.max", "50000 100000"),
                ("cgroup.freeze", "0"),
            ],
        )];
        let expected = Limits {
            memory: Some(64 << 20),
            swap: Swap::Bytes(0),
            pids: Some(50),
            milli_cpus: Some(500),
            oom_kill: true,
            frozen: false,
        };
        assert_eq!(Limits::of(&one), expected);
        assert_eq!(Limits::of(&two), expected);
    }

    #[test]
    fn a_limit_above_holds_below() {
        let levels = [
            level("/docker/a", &[("pids.max", "max"), ("memory.max", "max"), ("cpu.max", "max 100000")]),
            level("/docker", &[("pids.max", "30"), ("memory.max", "1048576")]),
        ];
        let limits = Limits::of(&levels);
        assert_eq!((limits.pids, limits.memory, limits.milli_cpus), (Some(30), Some(1 << 20), None));
        assert_eq!(limits.swap, Swap::Uncounted);
    }

    #[test]
    fn no_limit_and_nonsense_are_none() {
        let levels = [level(
            "/a",
            &[
                ("memory.limit_in_bytes", "9223372036854771712"),
                ("memory.memsw.limit_in_bytes", "9223372036854771712"),
                ("pids.max", "-1"),
                ("cpu.cfs_quota_us", "-1"),
                ("cpu.cfs_period_us", "0"),
                ("freezer.state", "FROZEN"),
                ("memory.oom_control", "oom_kill_disable 1"),
            ],
        )];
        let limits = Limits::of(&levels);
        assert_eq!(
            limits,
            Limits { memory: None, swap: Swap::Unlimited, pids: None, milli_cpus: None, oom_kill: false, frozen: true }
        );
    }

    #[test]
    fn processors_are_read_in_thousandths() {
        assert_eq!(milli_cpus("0.5"), Ok(500));
        assert_eq!(milli_cpus("2"), Ok(2000));
        assert_eq!(milli_cpus("1.025"), Ok(1025));
        for odd in ["", ".", "x", "-1", "0.5555", "1e3", "99999"] {
            assert!(milli_cpus(odd).is_err(), "{odd}");
        }
        assert_eq!(cpus(500), "0.5");
        assert_eq!(cpus(2000), "2");
        assert_eq!(quota("50001 100000"), Some(501), "a little over is over");
    }
}
