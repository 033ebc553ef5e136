//! `kind = "inventory"`: what an engine keeps, by name.
//!
//! | key | |
//! |---|---|
//! | `machine` | whose engine (default `host`) |
//! | `what` | `"images"` (their tags; one without a name is `<none>`), `"containers"`, `"volumes"` or `"networks"` (without the three that every engine has) |
//! | `label` | only those with that label, `"key=value"` or `"key"` |
//! | `running` | `true`: of containers only those that run |
//! | `exactly` | these names and no others; placeholders allowed. A value with commas stands for several names |
//! | `includes`, `excludes` | or: at least these, and none of those |
//! | `ignore` | a regular expression for names that do not count |
//! | `that`, `show` | a jq filter over the engine's own list |

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Kind, Watch, container};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, finding, jq::Jq, pattern::Pattern},
    manifest::{Fields, MachineName, Text},
};

const LIST_LIMIT: u32 = 768 * 1024;
/// Names of so many are shown.
const SHOWN: usize = 6;
const BUILT_IN: [&str; 3] = ["bridge", "host", "none"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Images,
    Containers,
    Volumes,
    Networks,
}

#[derive(Debug)]
pub(super) struct InventoryCheck {
    machine: MachineName,
    what: What,
    label: Option<String>,
    running: bool,
    exactly: Option<Vec<Text>>,
    includes: Vec<Text>,
    excludes: Vec<Text>,
    ignore: Option<Pattern>,
    that: Option<Jq>,
    show: Option<Jq>,
}

impl InventoryCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let machine = containers::read_machine(fields, "machine", "host");
        let choices = [
            ("images", What::Images),
            ("containers", What::Containers),
            ("volumes", What::Volumes),
            ("networks", What::Networks),
        ];
        let what = fields.opt_choice("what", &choices);
        if what.is_none() && !fields.has("what") {
            fields.error("the check does not say what is listed", "add what = \"images\"");
        }
        let label = fields.opt_string("label");
        let running = fields.opt_bool("running").unwrap_or(false);
        let exactly = fields.parsed_list("exactly", Text::parse);
        let exactly = fields.has("exactly").then_some(exactly);
        let includes = fields.parsed_list("includes", Text::parse);
        let excludes = fields.parsed_list("excludes", Text::parse);
        let ignore = fields.opt_pattern("ignore");
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        if exactly.is_none() && includes.is_empty() && excludes.is_empty() && that.is_none() {
            fields.error("the check asks nothing of the list", "add `exactly`, `includes`, `excludes` or `that`");
        }
        if running && what != Some(What::Containers) {
            fields.error("only containers run", "take `running` out");
        }
        Some(Self { machine: machine?, what: what?, label, running, exactly, includes, excludes, ignore, that, show })
    }

    fn path(&self) -> &'static str {
        match self.what {
            What::Images => "/images/json",
            What::Containers => "/containers/json?all=1",
            What::Volumes => "/volumes",
            What::Networks => "/networks",
        }
    }

    fn noun(&self) -> &'static str {
        match self.what {
            What::Images => "images",
            What::Containers => "containers",
            What::Volumes => "volumes",
            What::Networks => "networks",
        }
    }

    /// What counts of the engine's list.
    fn list(&self, eyes: &mut Eyes<'_>) -> Result<Vec<Value>, Halt> {
        let (status, answer) = eyes.engine(&self.machine, self.path(), LIST_LIMIT)?;
        let list = if self.what == What::Volumes && status == 200 {
            match &answer["Volumes"] {
                // An engine says `null` for no volumes.
                Value::Null => Value::Array(Vec::new()),
                other => other.clone(),
            }
        } else {
            answer
        };
        let Value::Array(list) = list else {
            return Err(Halt::unknown(format!("the engine answered {status} and no list of {}", self.noun())));
        };
        let labelled = |entry: &Value| match &self.label {
            None => true,
            Some(label) => {
                let (key, value) = label.split_once('=').unwrap_or((label, ""));
                entry["Labels"][key].as_str().is_some_and(|found| found == value || !label.contains('='))
            }
        };
        let runs = |entry: &Value| !self.running || entry["State"].as_str() == Some("running");
        Ok(list.into_iter().filter(|entry| labelled(entry) && runs(entry)).collect())
    }

    fn names(&self, entry: &Value) -> Vec<String> {
        let texts = |key: &str| {
            let list = entry[key].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(|name| name.trim_start_matches('/').to_owned()).collect::<Vec<_>>()
        };
        match self.what {
            What::Images => {
                let tags: Vec<String> = texts("RepoTags").into_iter().filter(|tag| tag != "<none>:<none>").collect();
                if tags.is_empty() { vec!["<none>".to_owned()] } else { tags }
            }
            What::Containers => texts("Names").into_iter().take(1).collect(),
            What::Volumes => entry["Name"].as_str().map(str::to_owned).into_iter().collect(),
            What::Networks => {
                entry["Name"].as_str().filter(|name| !BUILT_IN.contains(name)).map(str::to_owned).into_iter().collect()
            }
        }
    }

    fn judge_names(&self, eyes: &Eyes<'_>, found: &BTreeSet<String>) -> Finding {
        let values = eyes.values();
        let fill = |texts: &[Text]| -> BTreeSet<String> {
            let filled = texts.iter().map(|text| text.fill(&values));
            filled.flat_map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
        };
        let (mut missing, mut surplus) = (BTreeSet::new(), BTreeSet::new());
        if let Some(exactly) = &self.exactly {
            let wanted = fill(exactly);
            missing.extend(wanted.difference(found).cloned());
            surplus.extend(found.difference(&wanted).cloned());
        }
        missing.extend(fill(&self.includes).difference(found).cloned());
        surplus.extend(fill(&self.excludes).intersection(found).cloned());
        let mut said = vec![format!("there are {} {}", found.len(), self.noun())];
        if !missing.is_empty() {
            said.push(format!("{} is missing", some(&missing)));
        }
        if !surplus.is_empty() {
            said.push(format!("{} should not be there", some(&surplus)));
        }
        Finding::new(missing.is_empty() && surplus.is_empty(), said.join(", "))
    }
}

impl Kind for InventoryCheck {
    fn name(&self) -> &'static str {
        "inventory"
    }

    fn expected(&self) -> String {
        let list = |texts: &[Text]| texts.iter().map(Text::source).collect::<Vec<_>>().join(", ");
        let mut wants = Vec::new();
        wants.extend(self.exactly.as_ref().map(|names| format!("are exactly {}", list(names))));
        if !self.includes.is_empty() {
            wants.push(format!("include {}", list(&self.includes)));
        }
        if !self.excludes.is_empty() {
            wants.push(format!("do not include {}", list(&self.excludes)));
        }
        wants.extend(self.that.as_ref().map(|that| format!("satisfy {}", that.source())));
        let running = if self.running { "running " } else { "" };
        let label = self.label.as_ref().map(|label| format!(" with the label {label}")).unwrap_or_default();
        format!("the {running}{}{label} on {} {}", self.noun(), self.machine, wants.join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let list = self.list(eyes)?;
        let ignored = match &self.ignore {
            Some(pattern) => Some(pattern.with(&eyes.values()).map_err(Halt::Unknown)?),
            None => None,
        };
        let mut outcomes = Vec::new();
        if self.exactly.is_some() || !self.includes.is_empty() || !self.excludes.is_empty() {
            let names = list.iter().flat_map(|entry| self.names(entry));
            let counted = names.filter(|name| ignored.as_ref().is_none_or(|ignored| !ignored.is_match(name)));
            outcomes.push(Ok(self.judge_names(eyes, &counted.collect())));
        }
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            outcomes.push(container::holds(eyes, &Value::Array(list), that, &show));
        }
        finding::all(outcomes)
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![&self.machine]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch::engine())
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        let names = self.exactly.iter().flatten().chain(&self.includes).chain(&self.excludes);
        names.chain(self.ignore.iter().map(Pattern::text)).map(|text| (text, Vec::new())).collect()
    }
}

fn some(names: &BTreeSet<String>) -> String {
    let rest = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}
