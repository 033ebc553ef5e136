//! `kind = "answer"`: what the student found out: typed into the task's card, at most 4 KiB, or written into a file.
//!
//! | key | |
//! |---|---|
//! | `question` | shown above the field |
//! | `file` | in place of a question: `{ path = "/root/answers.json", that = ".web.pid", machine = "host" }`, a jq filter over the file's JSON; a number counts as its digits |
//! | `equals` | a text; placeholders allowed, so a value derived from the seed. Compared without regard to case where `ignore_case = true` |
//! | `matches` | or a regular expression over the whole answer; placeholders allowed |
//! | `same_as` | or what another file holds, which the student does not write: keys as of `file` |
//! | `live` | or recomputed at grading: `{ of = { role = "cms" }, see = "process", that = ".namespaces.net" }`; where the filter gives a list, each of its values is right |
//!
//! What `live` may `see` of a running container of that role:
//!
//! | `see` | |
//! |---|---|
//! | `"inspect"` | the engine's account (default) |
//! | `"process"` | its first process, as the kernel shows it: `pid`, `namespaces`, `cgroups`, `mounts`, … |
//! | `"parent"` | the process that started it, such as the shim: `pid`, `exe`, `cmdline` |
//! | `"cgroup"` | its limits, as in `cgroup` |
//! | `"image"` | the image's inspect |

use bulkhead_agent::look::{FileKind, Look, Seen};
use serde_json::Value;

use super::{Kind, cgroup, show};
use crate::{
    grade::{
        Eyes, Finding, Halt, MAX_ANSWER, Outcome,
        containers::{self, Container, Of},
        eyes::misplaced,
        jq::Jq,
        pattern::Pattern,
    },
    manifest::{Fields, MachineName, Text},
};

/// A bill of materials of a small Debian image has 200 KiB.
const FILE_LIMIT: u32 = 512 * 1024;
const IMAGE_LIMIT: u32 = 128 * 1024;

#[derive(Debug)]
enum Right {
    Equals { text: Text, ignore_case: bool },
    Matches(Pattern),
    Same(Entry),
    Live { of: Of, see: See, that: Jq },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum See {
    Inspect,
    Process,
    Parent,
    Cgroup,
    Image,
}

/// Where the answer is.
#[derive(Debug)]
enum Given {
    Typed { question: String },
    File(Entry),
}

/// A value in a file of JSON.
#[derive(Debug)]
struct Entry {
    machine: MachineName,
    path: String,
    that: Jq,
}

#[derive(Debug)]
pub(super) struct AnswerCheck {
    given: Given,
    right: Right,
}

impl AnswerCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let file = fields.opt_table("file").map(|file| Entry::read(file).map(Given::File));
        let given = match file {
            Some(file) if fields.opt_string("question").is_none() => file,
            Some(_) => {
                fields.error("the answer is typed and in a file", "keep `question` or `file`");
                None
            }
            None => Some(Given::Typed { question: fields.string("question") }),
        };
        let ignore_case = fields.opt_bool("ignore_case").unwrap_or(false);
        let equals = fields.opt_text("equals");
        let matches = fields.opt_pattern("matches");
        let live = fields.opt_table("live").and_then(|live| {
            let of = Of::read(&live);
            let choices = [
                ("inspect", See::Inspect),
                ("process", See::Process),
                ("parent", See::Parent),
                ("cgroup", See::Cgroup),
                ("image", See::Image),
            ];
            let see = live.opt_choice("see", &choices).unwrap_or(See::Inspect);
            let that = live.parsed("that", Jq::parse);
            live.finish();
            Some(Right::Live { of: of?, see, that: that? })
        });
        let same = fields.opt_table("same_as").and_then(Entry::read).map(Right::Same);
        let ways = ["equals", "matches", "same_as", "live"].into_iter().filter(|key| fields.has(key)).count();
        if ways != 1 {
            fields.error(
                "the answer has no one right value",
                "write exactly one of `equals`, `matches`, `same_as` and `live`",
            );
        }
        let right =
            equals.map(|text| Right::Equals { text, ignore_case }).or(matches.map(Right::Matches)).or(same).or(live)?;
        Some(Self { given: given?, right })
    }

    fn judge_answer(&self, eyes: &mut Eyes<'_>, answer: &str) -> Outcome {
        let right = match &self.right {
            Right::Equals { text, ignore_case } => {
                let right = text.fill(&eyes.values());
                if *ignore_case { right.to_lowercase() == answer.to_lowercase() } else { right == answer }
            }
            Right::Matches(pattern) => pattern.whole(&eyes.values()).map_err(Halt::Unknown)?.is_match(answer),
            Right::Same(entry) => match entry.find(eyes)? {
                Ok(right) => right == answer,
                Err(_) => return Err(Halt::fails("there is nothing yet that it could be the same as")),
            },
            Right::Live { of, see, that } => {
                let containers = containers::running(eyes, of)?;
                let variables = eyes.variables();
                let mut right = false;
                for container in &containers {
                    let input = see.look(eyes, container)?;
                    let value = that.first(&input, &variables).map_err(|why| Halt::unknown(why.to_string()))?;
                    right |= match value {
                        Some(Value::Array(values)) => values.iter().any(|value| show(value) == answer),
                        Some(Value::Null) | None => false,
                        Some(value) => show(&value) == answer,
                    };
                }
                right
            }
        };
        Ok(Finding::new(right, answer))
    }
}

impl Given {
    /// `Err(Halt::Fails)`: there is none.
    fn read(&self, eyes: &mut Eyes<'_>) -> Result<String, Halt> {
        match self {
            Self::Typed { .. } => {
                let typed = eyes.case().answer.map(|answer| answer.as_str().to_owned());
                typed.ok_or_else(|| Halt::fails("no answer yet"))
            }
            Self::File(entry) => entry.find(eyes)?.map_err(Halt::fails),
        }
    }
}

impl Entry {
    fn read(fields: Fields<'_>) -> Option<Self> {
        let machine = containers::read_machine(&fields, "machine", "host");
        let path = fields.parsed("path", absolute);
        let that = fields.parsed("that", Jq::parse);
        fields.finish();
        Some(Self { machine: machine?, path: path?, that: that? })
    }

    /// The inner `Err` says why there is no such value.
    fn find(&self, eyes: &mut Eyes<'_>) -> Result<Result<String, String>, Halt> {
        let Self { machine, path, that } = self;
        let look = Look::File { machine: machine.to_string(), pid: None, path: path.clone(), limit: FILE_LIMIT };
        let facts = match eyes.see(look)? {
            Seen::File(facts) if facts.kind == FileKind::File => facts,
            Seen::File(_) | Seen::Missing => return Ok(Err(format!("there is no file {path}"))),
            other => return Err(misplaced(other)),
        };
        if facts.truncated {
            return Ok(Err(format!("{path} is longer than {FILE_LIMIT} bytes")));
        }
        let json: Value = match serde_json::from_str(&facts.content) {
            Ok(json) => json,
            Err(why) => return Ok(Err(format!("{path} is no JSON: {why}"))),
        };
        Ok(match that.first(&json, &eyes.variables()) {
            Ok(Some(value)) if !value.is_null() => {
                let answer = show(&value).trim().to_owned();
                if answer.len() > MAX_ANSWER { Err("the answer is too long".to_owned()) } else { Ok(answer) }
            }
            Ok(_) => Err(format!("{path} has no {}", that.source())),
            Err(why) => Err(why.to_string()),
        })
    }
}

impl See {
    fn look(self, eyes: &mut Eyes<'_>, container: &Container) -> Result<Value, Halt> {
        let json = |value: Result<Value, serde_json::Error>| value.map_err(|why| Halt::unknown(why.to_string()));
        match self {
            Self::Inspect => Ok(container.inspect.clone()),
            Self::Process => json(serde_json::to_value(containers::process(eyes, container)?)),
            Self::Parent => {
                let pid = containers::process(eyes, container)?.pid;
                let processes = match eyes.see(Look::Processes { machine: container.machine.to_string() })? {
                    Seen::Processes { processes, .. } => processes,
                    other => return Err(misplaced(other)),
                };
                let find = |pid: i32| processes.iter().find(|process| process.pid == pid);
                let parent = find(pid).and_then(|process| find(process.parent));
                json(serde_json::to_value(
                    parent.ok_or_else(|| Halt::unknown("the container's process has no parent"))?,
                ))
            }
            Self::Cgroup => {
                let levels = cgroup::levels(eyes, container)?;
                Ok(cgroup::Limits::of(levels).json(levels))
            }
            Self::Image => {
                let id = container.inspect["Image"].as_str().filter(|id| super::image::is_digest(id));
                let id = id.ok_or_else(|| Halt::unknown("the engine names no image of the container"))?;
                let (status, image) = eyes.engine(&container.machine, &format!("/images/{id}/json"), IMAGE_LIMIT)?;
                if status == 200 { Ok(image) } else { Err(Halt::unknown(format!("the engine answered {status}"))) }
            }
        }
    }
}

impl Kind for AnswerCheck {
    fn name(&self) -> &'static str {
        "answer"
    }

    /// Never the right answer itself.
    fn expected(&self) -> String {
        match &self.given {
            Given::Typed { question } => format!("the right answer to: {question}"),
            Given::File(Entry { path, that, .. }) => format!("the right value as {} in {path}", that.source()),
        }
    }

    fn judge(&self, eyes: &mut Eyes<'_>) -> Outcome {
        let answer = self.given.read(eyes)?;
        self.judge_answer(eyes, &answer)
    }

    fn does_something(&self) -> bool {
        true
    }

    fn machines(&self) -> Vec<&MachineName> {
        let right = match &self.right {
            Right::Live { of, .. } => Some(&of.machine),
            Right::Same(entry) => Some(&entry.machine),
            Right::Equals { .. } | Right::Matches(_) => None,
        };
        let file = match &self.given {
            Given::File(entry) => Some(&entry.machine),
            Given::Typed { .. } => None,
        };
        right.into_iter().chain(file).collect()
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        match &self.right {
            Right::Equals { text, .. } => vec![(text, Vec::new())],
            Right::Matches(pattern) => vec![(pattern.text(), Vec::new())],
            Right::Same(_) | Right::Live { .. } => Vec::new(),
        }
    }

    fn question(&self) -> Option<&str> {
        match &self.given {
            Given::Typed { question } => Some(question),
            Given::File(_) => None,
        }
    }
}

fn absolute(path: &str) -> Result<String, String> {
    let fits = path.starts_with('/') && !path.ends_with('/') && !path.contains("/../");
    if fits { Ok(path.to_owned()) } else { Err("write an absolute path to a file".to_owned()) }
}
