//! `kind = "process"`: what the kernel lets a container's first process do.
//!
//! | key | |
//! |---|---|
//! | `of` | `{ role = "cms" }` |
//! | `not_root` | `true`: none of its user ids is 0 |
//! | `uid` | exactly this user id |
//! | `no_new_privs` | `true` or `false` |
//! | `seccomp` | `"off"`, `"strict"` or `"filter"` |
//! | `capabilities` | `{ effective = [], bounding = ["NET_BIND_SERVICE"] }`: at most these; also `permitted`, `inheritable`, `ambient` |
//! | `that`, `show` | a jq filter over all that the kernel shows of the process (`ProcessFacts` as JSON) |
//!
//! The engine's word is not asked, but where it says otherwise than the kernel, the verdict says so: a setting in
//! `daemon.json`, say, or a forged answer.

use bulkhead_agent::look::ProcessFacts;
use serde_json::Value;

use super::{Kind, Watch, capabilities, container};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Container, Of},
        finding,
        jq::Jq,
    },
    manifest::{Fields, MachineName},
};

type Set = (&'static str, fn(&ProcessFacts) -> u64);
const SETS: [Set; 5] = [
    ("effective", |p| p.cap_effective),
    ("permitted", |p| p.cap_permitted),
    ("bounding", |p| p.cap_bounding),
    ("inheritable", |p| p.cap_inheritable),
    ("ambient", |p| p.cap_ambient),
];
const SECCOMP: [(&str, u8); 3] = [("off", 0), ("strict", 1), ("filter", 2)];

#[derive(Debug)]
pub(super) struct ProcessCheck {
    of: Of,
    not_root: bool,
    uid: Option<u32>,
    no_new_privs: Option<bool>,
    seccomp: Option<u8>,
    /// Index into [`SETS`] and the most that it may hold.
    capabilities: Vec<(usize, u64)>,
    that: Option<Jq>,
    show: Option<Jq>,
}

impl ProcessCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read(fields);
        let not_root = fields.opt_bool("not_root").unwrap_or(false);
        let uid = fields.opt_integer("uid", 0..=u64::from(u32::MAX));
        let no_new_privs = fields.opt_bool("no_new_privs");
        let seccomp = fields.opt_choice("seccomp", &SECCOMP);
        let mut sets = Vec::new();
        if let Some(table) = fields.opt_table("capabilities") {
            for (index, (name, _)) in SETS.iter().enumerate() {
                if table.has(name) {
                    let most = table.parsed_list(name, capabilities::bit).into_iter().fold(0, |set, bit| set | bit);
                    sets.push((index, most));
                } else {
                    table.strings(name);
                }
            }
            table.finish();
        }
        let that = fields.opt_jq("that");
        let show = fields.opt_jq("show");
        let check = Self { of: of?, not_root, uid, no_new_privs, seccomp, capabilities: sets, that, show };
        if check.wants().is_empty() {
            fields.error(
                "the check asks nothing of the process",
                "add `not_root`, `uid`, `no_new_privs`, `seccomp`, `capabilities` or `that`",
            );
        }
        Some(check)
    }

    fn wants(&self) -> Vec<String> {
        let mut wants = Vec::new();
        if self.not_root {
            wants.push("does not run as user 0".to_owned());
        }
        if let Some(uid) = self.uid {
            wants.push(format!("runs as user {uid}"));
        }
        if let Some(flag) = self.no_new_privs {
            wants.push(format!("has NoNewPrivs {}", u8::from(flag)));
        }
        if let Some(mode) = self.seccomp {
            wants.push(format!("has seccomp {}", seccomp(mode)));
        }
        for (index, most) in &self.capabilities {
            let at_most = if *most == 0 { "" } else { "at most " };
            wants.push(format!("holds {at_most}{} in its {} set", capabilities::names(*most), SETS[*index].0));
        }
        if let Some(that) = &self.that {
            wants.push(format!("satisfies {}", that.source()));
        }
        wants
    }

    fn judge_process(&self, eyes: &Eyes<'_>, facts: &ProcessFacts, container: &Container) -> Outcome {
        let mut outcomes: Vec<Outcome> = Vec::new();
        let inspect = &container.inspect;
        let ids = facts.uid;
        if self.not_root {
            let finding = Finding::new(!ids.contains(&0), format!("its user ids are {}", list(&ids)));
            let claimed = inspect["Config"]["User"]
                .as_str()
                .is_some_and(|user| !matches!(user, "" | "0" | "root" | "0:0" | "root:root"));
            outcomes.push(Ok(disagree(finding, claimed, "a user other than root")));
        }
        if let Some(uid) = self.uid {
            outcomes.push(Ok(Finding::new(ids == [uid; 4], format!("its user ids are {}", list(&ids)))));
        }
        if let Some(wanted) = self.no_new_privs {
            let finding =
                Finding::new(facts.no_new_privs == wanted, format!("NoNewPrivs is {}", u8::from(facts.no_new_privs)));
            let claimed = security_options(inspect).any(|option| {
                matches!(option, "no-new-privileges" | "no-new-privileges:true" | "no-new-privileges=true")
            });
            outcomes.push(Ok(disagree(finding, claimed == wanted, &format!("no-new-privileges {}", on(claimed)))));
        }
        if let Some(wanted) = self.seccomp {
            let finding = Finding::new(facts.seccomp == wanted, format!("seccomp is {}", seccomp(facts.seccomp)));
            let off = inspect["HostConfig"]["Privileged"].as_bool() == Some(true)
                || security_options(inspect)
                    .any(|option| matches!(option, "seccomp=unconfined" | "seccomp:unconfined"));
            let claimed = if off { 0 } else { 2 };
            outcomes.push(Ok(disagree(finding, claimed == wanted, &format!("seccomp {}", seccomp(claimed)))));
        }
        for (index, most) in &self.capabilities {
            let (name, of) = SETS[*index];
            let beyond = of(facts) & !most;
            let observed = if beyond == 0 {
                format!("its {name} set holds {}", capabilities::names(of(facts)))
            } else {
                format!("its {name} set also holds {}", capabilities::names(beyond))
            };
            let dropped = inspect["HostConfig"]["CapDrop"]
                .as_array()
                .is_some_and(|list| list.iter().any(|c| c == "ALL" || c == "all"))
                && inspect["HostConfig"]["CapAdd"].as_array().is_none_or(Vec::is_empty)
                && inspect["HostConfig"]["Privileged"].as_bool() != Some(true);
            outcomes.push(Ok(disagree(
                Finding::new(beyond == 0, observed),
                dropped,
                "that all capabilities are dropped",
            )));
        }
        if let Some(that) = &self.that {
            let facts = serde_json::to_value(facts).map_err(|why| Halt::unknown(why.to_string()))?;
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            outcomes.push(container::holds(eyes, &facts, that, &show));
        }
        finding::all(outcomes)
    }
}

impl Kind for ProcessCheck {
    fn name(&self) -> &'static str {
        "process"
    }

    fn expected(&self) -> String {
        format!("the first process of the {} container {}", self.of.role, self.wants().join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        containers::every(eyes, &self.of, |eyes, container| {
            let facts = containers::process(eyes, container)?;
            self.judge_process(eyes, facts, container)
        })
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.of.machine]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch::engine())
    }
}

/// Adds what the engine claims where it claims otherwise than the kernel shows.
fn disagree(finding: Finding, engine_claims_it_holds: bool, claim: &str) -> Finding {
    match (finding.holds, engine_claims_it_holds) {
        (false, true) => {
            let why = format!("The engine claims {claim}; the kernel shows otherwise, and the kernel counts.");
            Finding { observed: format!("{}, though the engine claims {claim}", finding.observed), ..finding }
                .because(why)
        }
        _ => finding,
    }
}

fn security_options(inspect: &Value) -> impl Iterator<Item = &str> {
    inspect["HostConfig"]["SecurityOpt"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn seccomp(mode: u8) -> String {
    SECCOMP.iter().find(|(_, m)| *m == mode).map_or_else(|| format!("mode {mode}"), |(name, _)| (*name).to_owned())
}

fn on(flag: bool) -> &'static str {
    if flag { "on" } else { "off" }
}

fn list(ids: &[u32; 4]) -> String {
    if ids.iter().all(|id| *id == ids[0]) {
        return ids[0].to_string();
    }
    let names = ["real", "effective", "saved", "file system"];
    names.iter().zip(ids).map(|(name, id)| format!("{name} {id}")).collect::<Vec<_>>().join(", ")
}
