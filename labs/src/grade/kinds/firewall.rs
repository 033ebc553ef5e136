//! `kind = "firewall"`: the packet filter of a machine's network.
//!
//! | key | |
//! |---|---|
//! | `machine` | (default `host`) |
//! | `family` | `"ipv4"` (default) or `"ipv6"` |
//! | `table`, `chain` | the chain that it is about; `table` is `"filter"` unless given |
//! | `policy` | the chain's policy (`"DROP"`) |
//! | `has` | regular expressions that a rule each must match; placeholders allowed. Rules are written as `iptables-save` prints them, without `-A CHAIN` |
//! | `lacks` | regular expressions that no rule may match |
//! | `before` | the first rule that matches the first of `has` comes before every rule that matches this |
//! | `that`, `show` | a jq filter over `{ipv4: {filter: {INPUT: {policy, rules: […]}}}, ipv6: …, legacy_ipv4: …, legacy_ipv6: …, nft}` |
//!
//! The rules are printed by the image's own tools, run from its read-only tree in the machine's network, so that what the
//! student made of his `iptables` does not count. What a rule does is for `net` and `probe` to show: prefer them.

use std::collections::BTreeMap;

use bulkhead_agent::look::{Look, Seen};
use serde::Serialize;

use super::{Kind, container};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, eyes::misplaced, finding, jq::Jq, pattern::Pattern},
    manifest::{Fields, MachineName, Text},
};

const MOST_RULES: usize = 2_000;

#[derive(Debug)]
pub(super) struct FirewallCheck {
    machine: MachineName,
    family: &'static str,
    table: String,
    chain: Option<String>,
    policy: Option<String>,
    has: Vec<Pattern>,
    lacks: Vec<Pattern>,
    before: Option<Pattern>,
    that: Option<Jq>,
    show: Option<Jq>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Chain {
    policy: String,
    rules: Vec<String>,
}

type Tables = BTreeMap<String, BTreeMap<String, Chain>>;

/// All that the tools printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Filter {
    ipv4: Tables,
    ipv6: Tables,
    legacy_ipv4: Tables,
    legacy_ipv6: Tables,
    /// `nft list ruleset`, where the image has it.
    nft: String,
}

impl Filter {
    fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        let (mut section, mut table, mut rules) = ("", "", 0);
        for line in text.lines() {
            if let Some(program) = line.strip_prefix("## ") {
                (section, table) = (program, "");
                continue;
            }
            if section.contains("/nft ") {
                filter.nft.push_str(line);
                filter.nft.push('\n');
                continue;
            }
            let tables = match (section.contains("legacy"), section.contains("ip6tables")) {
                (false, false) => &mut filter.ipv4,
                (false, true) => &mut filter.ipv6,
                (true, false) => &mut filter.legacy_ipv4,
                (true, true) => &mut filter.legacy_ipv6,
            };
            if let Some(name) = line.strip_prefix('*') {
                table = name;
            } else if let Some(rest) = line.strip_prefix(':') {
                let mut words = rest.split(' ');
                let (name, policy) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                policy.clone_into(&mut chain(tables, table, name).policy);
            } else if let Some((name, rule)) =
                line.strip_prefix("-A ").map(|rest| rest.split_once(' ').unwrap_or((rest, "")))
                && rules < MOST_RULES
            {
                rules += 1;
                chain(tables, table, name).rules.push(rule.to_owned());
            }
        }
        filter
    }
}

fn chain<'a>(tables: &'a mut Tables, table: &str, name: &str) -> &'a mut Chain {
    tables.entry(table.to_owned()).or_default().entry(name.to_owned()).or_default()
}

impl FirewallCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let machine = containers::read_machine(fields, "machine", "host");
        let family = fields.opt_choice("family", &[("ipv4", "ipv4"), ("ipv6", "ipv6")]).unwrap_or("ipv4");
        let table = fields.opt_string("table").unwrap_or_else(|| "filter".to_owned());
        let chain = fields.opt_string("chain");
        let policy = fields.opt_string("policy");
        let has = fields.parsed_list("has", Pattern::parse);
        let lacks = fields.parsed_list("lacks", Pattern::parse);
        let before = fields.opt_pattern("before");
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        let of_chain = policy.is_some() || !has.is_empty() || !lacks.is_empty();
        if of_chain != chain.is_some() || (chain.is_none() && that.is_none()) {
            fields.error(
                "the check asks nothing of a chain",
                "add `chain` with `policy`, `has` or `lacks`, or `that` over all of them",
            );
        }
        if before.is_some() && has.is_empty() {
            fields.error("`before` says before what the first of `has` comes", "add `has`");
        }
        Some(Self { machine: machine?, family, table, chain, policy, has, lacks, before, that, show })
    }

    fn judge_chain(&self, eyes: &Eyes<'_>, filter: &Filter, name: &str) -> Outcome {
        let tables = if self.family == "ipv6" { &filter.ipv6 } else { &filter.ipv4 };
        let Some(chain) = tables.get(&self.table).and_then(|chains| chains.get(name)) else {
            return Ok(Finding::fail(format!("there is no chain {name} in the table {}", self.table)));
        };
        let values = eyes.values();
        let first = |pattern: &Pattern| -> Result<Option<usize>, Halt> {
            let regex = pattern.with(&values).map_err(Halt::Unknown)?;
            Ok(chain.rules.iter().position(|rule| regex.is_match(rule)))
        };
        let mut outcomes: Vec<Outcome> = Vec::new();
        if let Some(policy) = &self.policy {
            let observed = format!("the policy of {name} is {}", chain.policy);
            outcomes.push(Ok(Finding::new(chain.policy == *policy, observed)));
        }
        for pattern in &self.has {
            let found = first(pattern)?;
            let observed = match found.and_then(|at| chain.rules.get(at)) {
                Some(rule) => format!("{name} has `{rule}`"),
                None => format!("none of the {} rules of {name} matches {}", chain.rules.len(), pattern.source()),
            };
            outcomes.push(Ok(Finding::new(found.is_some(), observed)));
        }
        for pattern in &self.lacks {
            let found = first(pattern)?;
            let observed = match found.and_then(|at| chain.rules.get(at)) {
                Some(rule) => format!("{name} has `{rule}`"),
                None => format!("no rule of {name} matches {}", pattern.source()),
            };
            outcomes.push(Ok(Finding::new(found.is_none(), observed)));
        }
        if let (Some(before), Some(own)) = (&self.before, self.has.first())
            && let (Some(own), Some(other)) = (first(own)?, first(before)?)
        {
            let observed = format!("the rule is number {} of {name}, the other number {}", own + 1, other + 1);
            outcomes.push(Ok(Finding::new(own < other, observed)));
        }
        finding::all(outcomes)
    }
}

impl Kind for FirewallCheck {
    fn name(&self) -> &'static str {
        "firewall"
    }

    fn expected(&self) -> String {
        let mut wants = Vec::new();
        let list = |patterns: &[Pattern]| patterns.iter().map(Pattern::source).collect::<Vec<_>>().join(" and of ");
        wants.extend(self.policy.as_ref().map(|policy| format!("has the policy {policy}")));
        if !self.has.is_empty() {
            wants.push(format!("has a match of {}", list(&self.has)));
        }
        wants.extend(self.before.as_ref().map(|before| format!("has it before any match of {}", before.source())));
        if !self.lacks.is_empty() {
            wants.push(format!("has no match of {}", list(&self.lacks)));
        }
        let that = self.that.as_ref().map(|that| format!("the packet filter satisfies {}", that.source()));
        match &self.chain {
            Some(chain) => format!("the chain {chain} {}", wants.join(" and ")),
            None => that.unwrap_or_default(),
        }
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let filter = match eyes.see(Look::Firewall { machine: self.machine.to_string() })? {
            Seen::Text { truncated: true, .. } => {
                return Err(Halt::unknown("the rules could not all be printed, or are more than are read"));
            }
            Seen::Text { text, .. } => Filter::parse(text),
            other => return Err(misplaced(other)),
        };
        let mut outcomes = Vec::new();
        if let Some(chain) = &self.chain {
            outcomes.push(self.judge_chain(eyes, &filter, chain));
        }
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            let json = serde_json::to_value(&filter).map_err(|why| Halt::unknown(why.to_string()))?;
            outcomes.push(container::holds(eyes, &json, that, &show));
        }
        finding::all(outcomes)
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.machine]
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        let patterns = self.has.iter().chain(&self.lacks).chain(&self.before);
        patterns.map(|pattern| (pattern.text(), Vec::new())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: &str = "## /usr/sbin/iptables-nft-save
# Generated by iptables-nft-save v1.8.11
*filter
:INPUT DROP [0:0]
:DOCKER-USER - [0:0]
-A INPUT -i lo -j ACCEPT
-A DOCKER-USER -p tcp -m conntrack --ctorigdstport 8080 -j DROP
-A DOCKER-USER -j RETURN
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING
COMMIT
## /usr/sbin/ip6tables-nft-save
*filter
:INPUT ACCEPT [0:0]
## /usr/sbin/iptables-legacy-save -t filter
*filter
:INPUT DROP [1:2]
## /usr/sbin/nft list ruleset
table inet x {
:INPUT is no chain here
}
";

    #[test]
    fn what_was_printed_is_told_apart() {
        let filter = Filter::parse(SAVED);
        assert_eq!(filter.ipv4["filter"]["INPUT"].policy, "DROP");
        assert_eq!(filter.ipv4["filter"]["DOCKER-USER"].rules.len(), 2);
        assert_eq!(filter.ipv4["filter"]["DOCKER-USER"].rules[1], "-j RETURN");
        assert_eq!(filter.ipv4["nat"]["POSTROUTING"].rules, [""]);
        assert_eq!(filter.ipv6["filter"]["INPUT"].policy, "ACCEPT");
        assert_eq!(filter.legacy_ipv4["filter"]["INPUT"].policy, "DROP");
        assert!(filter.nft.starts_with("table inet x {\n"));
    }

    #[test]
    fn nonsense_and_floods_are_bounded() {
        assert_eq!(Filter::parse("-A\n:\n*\n## \n\u{0}\n"), {
            let mut filter = Filter::default();
            chain(&mut filter.ipv4, "", "");
            filter
        });
        let flood = format!("*filter\n{}", "-A INPUT -j ACCEPT\n".repeat(9_000));
        assert_eq!(Filter::parse(&flood).ipv4["filter"]["INPUT"].rules.len(), MOST_RULES);
    }
}
