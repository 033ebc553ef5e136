//! `kind = "answer"`: what the student wrote, trimmed and at most 4 KiB long.
//!
//! | key | |
//! |---|---|
//! | `question` | shown above the field |
//! | `equals` | a text; placeholders allowed, so a value derived from the seed. Compared without regard to case where `ignore_case = true` |
//! | `matches` | or a regular expression over the whole answer; placeholders allowed |
//! | `live` | or `{ of = { role = "cms" }, that = ".NetworkSettings.IPAddress" }`: recomputed from the engine's account at grading |

use super::{Kind, show};
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers, containers::Of, jq::Jq, pattern::Pattern},
    manifest::{Fields, MachineName, Text},
};

#[derive(Debug)]
enum Right {
    Equals { text: Text, ignore_case: bool },
    Matches(Pattern),
    Live { of: Of, that: Jq },
}

#[derive(Debug)]
pub(super) struct AnswerCheck {
    question: String,
    right: Right,
}

impl AnswerCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let question = fields.string("question");
        let ignore_case = fields.opt_bool("ignore_case").unwrap_or(false);
        let equals = fields.opt_text("equals");
        let matches = fields.opt_pattern("matches");
        let live = fields.opt_table("live").and_then(|live| {
            let of = Of::read(&live);
            let that = live.parsed("that", Jq::parse);
            live.finish();
            Some(Right::Live { of: of?, that: that? })
        });
        let given = ["equals", "matches", "live"].into_iter().filter(|key| fields.has(key)).count();
        if given != 1 {
            fields.error("the answer has no one right value", "write exactly one of `equals`, `matches` and `live`");
        }
        let right = equals.map(|text| Right::Equals { text, ignore_case }).or(matches.map(Right::Matches)).or(live)?;
        Some(Self { question, right })
    }
}

impl Kind for AnswerCheck {
    fn name(&self) -> &'static str {
        "answer"
    }

    /// Never the right answer itself.
    fn expected(&self) -> String {
        format!("the right answer to: {}", self.question)
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let Some(answer) = eyes.case().answer else {
            return Ok(Finding::fail("no answer yet"));
        };
        let answer = answer.as_str();
        let right = match &self.right {
            Right::Equals { text, ignore_case } => {
                let right = text.fill(&eyes.values());
                if *ignore_case { right.to_lowercase() == answer.to_lowercase() } else { right == answer }
            }
            Right::Matches(pattern) => pattern.whole(&eyes.values()).map_err(Halt::Unknown)?.is_match(answer),
            Right::Live { of, that } => {
                let containers = containers::running(eyes, of)?;
                let variables = eyes.variables();
                let mut right = false;
                for container in &containers {
                    let value =
                        that.first(&container.inspect, &variables).map_err(|why| Halt::unknown(why.to_string()))?;
                    right |= value.is_some_and(|value| show(&value) == answer);
                }
                right
            }
        };
        Ok(Finding::new(right, answer))
    }

    fn machines(&self) -> Vec<&MachineName> {
        match &self.right {
            Right::Live { of, .. } => vec![&of.machine],
            _ => Vec::new(),
        }
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        match &self.right {
            Right::Equals { text, .. } => vec![(text, Vec::new())],
            Right::Matches(pattern) => vec![(pattern.text(), Vec::new())],
            Right::Live { .. } => Vec::new(),
        }
    }

    fn question(&self) -> Option<&str> {
        Some(&self.question)
    }
}
