//! `kind = "image-history"`: how an image came about, by its own configuration.
//!
//! | key | |
//! |---|---|
//! | `of`, `name` or `every`, `machine` | as in `image` |
//! | `that`, `show` | a jq filter over the list of `{created_by, empty_layer, comment, …}`, the oldest first |
//! | `matches`, `lacks` | regular expressions that one of the commands, or none of them, must match; placeholders allowed |
//!
//! `docker history` prints the same. What was squashed or imported has none.

use serde_json::Value;

use super::{
    config,
    which::{Image, Which},
};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome, finding,
        jq::Jq,
        kinds::{Kind, Watch, container},
        pattern::Pattern,
    },
    manifest::{Fields, MachineName, Text},
};

#[derive(Debug)]
pub(in crate::grade::kinds) struct HistoryCheck {
    which: Which,
    that: Option<Jq>,
    show: Option<Jq>,
    matches: Option<Pattern>,
    lacks: Option<Pattern>,
}

impl HistoryCheck {
    pub(in crate::grade::kinds) fn read(fields: &Fields<'_>) -> Option<Self> {
        let which = Which::read(fields);
        let (that, show) = (fields.opt_jq("that"), fields.opt_jq("show"));
        let (matches, lacks) = (fields.opt_pattern("matches"), fields.opt_pattern("lacks"));
        if that.is_none() && matches.is_none() && lacks.is_none() {
            fields.error("the check asks nothing of the history", "add `that`, `matches` or `lacks`");
        }
        Some(Self { which: which?, that, show, matches, lacks })
    }

    fn judge_image(&self, eyes: &mut Eyes<'_>, image: &Image) -> Outcome {
        let (_, config) = config::read(eyes, image)?;
        let history = &config["history"];
        let commands: Vec<&str> =
            history.as_array().into_iter().flatten().filter_map(|step| step["created_by"].as_str()).collect();
        let mut outcomes = Vec::new();
        if let Some(that) = &self.that {
            let show = self.show.clone().unwrap_or_else(|| container::evidence(that));
            let list = if history.is_array() { history.clone() } else { Value::Array(Vec::new()) };
            outcomes.push(container::holds(eyes, &list, that, &show));
        }
        for (pattern, wanted) in [(&self.matches, true), (&self.lacks, false)] {
            let Some(pattern) = pattern else { continue };
            let regex = pattern.with(&eyes.values()).map_err(Halt::Unknown)?;
            let found = commands.iter().find(|command| regex.is_match(command));
            let observed = match found {
                Some(command) => format!("it has `{command}`"),
                None => format!("none of its {} steps matches {}", commands.len(), pattern.source()),
            };
            outcomes.push(Ok(Finding::new(found.is_some() == wanted, observed)));
        }
        finding::all(outcomes)
    }
}

impl Kind for HistoryCheck {
    fn name(&self) -> &'static str {
        "image-history"
    }

    fn expected(&self) -> String {
        let mut wants = Vec::new();
        wants.extend(self.that.as_ref().map(|that| format!("satisfies {}", that.source())));
        wants.extend(self.matches.as_ref().map(|pattern| format!("has a match of {}", pattern.source())));
        wants.extend(self.lacks.as_ref().map(|pattern| format!("has no match of {}", pattern.source())));
        format!("the history of {} {}", self.which.describe(), wants.join(" and "))
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        self.which.judge(eyes, |eyes, image| self.judge_image(eyes, image))
    }

    fn machines(&self) -> Vec<&MachineName> {
        vec![self.which.machine()]
    }

    fn watch(&self) -> Option<Watch<'_>> {
        Some(Watch::engine())
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        self.matches.iter().chain(&self.lacks).map(|pattern| (pattern.text(), Vec::new())).collect()
    }
}
