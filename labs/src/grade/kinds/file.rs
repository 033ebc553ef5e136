//! `kind = "file"`: a file on a machine, or in a container's root.
//!
//! | key | |
//! |---|---|
//! | `machine` | where (default `host`) |
//! | `of` | instead: in the root of the container of that role |
//! | `path` | absolute |
//! | `absent` | `true`: there must be nothing |
//! | `type` | `"file"` (default), `"directory"` or `"any"` |
//! | `mode` | `"0644"`: no bit outside this mask may be set |
//! | `owner`, `group` | numbers |
//! | `matches`, `lacks` | regular expressions that the content must and must not match; placeholders allowed |
//! | `that`, `show` | a jq filter over the content as JSON |
//! | `sha256` | of the content, in hexadecimal |
//! | `real_path` | where the path leads after every symbolic link |

use bulkhead_agent::look::{FileFacts, FileKind, Look, Seen};

use super::{Kind, Watch, container};
use crate::{
    grade::{
        Eyes, Finding, Halt, Outcome,
        containers::{self, Of},
        eyes::misplaced,
        finding,
        jq::Jq,
        pattern::Pattern,
    },
    manifest::{Fields, MachineName, Text},
};

const CONTENT_LIMIT: u32 = 128 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    File,
    Directory,
    Any,
}

#[derive(Debug)]
enum Place {
    Machine(MachineName),
    Container(Of),
}

#[derive(Debug)]
pub(super) struct FileCheck {
    place: Place,
    path: String,
    absent: bool,
    kind: Type,
    mode: Option<u32>,
    owner: Option<u32>,
    group: Option<u32>,
    matches: Option<Pattern>,
    lacks: Option<Pattern>,
    that: Option<Jq>,
    show: Option<Jq>,
    sha256: Option<String>,
    real_path: Option<String>,
}

impl FileCheck {
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read_opt(fields);
        let machine = containers::read_machine(fields, "machine", "host");
        if fields.has("of") && fields.has("machine") {
            fields.error("the file lies on a machine or in a container, not both", "keep `machine` or `of`");
        }
        let path = fields.parsed("path", absolute);
        let absent = fields.opt_bool("absent").unwrap_or(false);
        let kind = fields
            .opt_choice("type", &[("file", Type::File), ("directory", Type::Directory), ("any", Type::Any)])
            .unwrap_or(Type::File);
        let mode = fields.opt_parsed("mode", mode);
        let id = |key| fields.opt_integer(key, 0..=u64::from(u32::MAX));
        let (owner, group) = (id("owner"), id("group"));
        let matches = fields.opt_pattern("matches");
        let lacks = fields.opt_pattern("lacks");
        let that = fields.opt_jq("that");
        let show = fields.opt_jq("show");
        let sha256 = fields.opt_parsed("sha256", |text| {
            let fits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
            if fits { Ok(text.to_ascii_lowercase()) } else { Err("write 64 hexadecimal digits") }
        });
        let real_path = fields.opt_parsed("real_path", absolute);
        let place = match of {
            Some(of) => Place::Container(of),
            None if fields.has("of") => return None,
            None => Place::Machine(machine?),
        };
        let path = path?;
        Some(Self { place, path, absent, kind, mode, owner, group, matches, lacks, that, show, sha256, real_path })
    }

    fn look(&self, eyes: &mut Eyes<'_>, machine: &MachineName, pid: Option<i32>) -> Outcome {
        let reads = self.matches.is_some() || self.lacks.is_some() || self.that.is_some();
        let limit = if reads { CONTENT_LIMIT } else { 0 };
        match eyes.see(Look::File { machine: machine.to_string(), pid, path: self.path.clone(), limit })? {
            Seen::Missing => Ok(Finding::new(self.absent, format!("there is no {}", self.path))),
            Seen::File(_) if self.absent => Ok(Finding::fail(format!("there is a {}", self.path))),
            Seen::File(facts) => self.judge_file(eyes, facts),
            other => Err(misplaced(other)),
        }
    }

    fn judge_file(&self, eyes: &Eyes<'_>, facts: &FileFacts) -> Outcome {
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut judge = |holds, observed: String| outcomes.push(Ok(Finding::new(holds, observed)));
        match self.kind {
            Type::File => judge(facts.kind == FileKind::File, format!("{} is {}", self.path, kind_name(facts.kind))),
            Type::Directory => {
                judge(facts.kind == FileKind::Directory, format!("{} is {}", self.path, kind_name(facts.kind)));
            }
            Type::Any => judge(true, format!("there is a {}", self.path)),
        }
        if let Some(mask) = self.mode {
            let mode = facts.mode & 0o7777;
            let beyond = mode & !mask;
            let surplus =
                if beyond == 0 { String::new() } else { format!(", which has {beyond:04o} beyond {mask:04o}") };
            judge(beyond == 0, format!("its mode is {mode:04o}{surplus}"));
        }
        if let Some(owner) = self.owner {
            judge(facts.uid == owner, format!("its owner is {}", facts.uid));
        }
        if let Some(group) = self.group {
            judge(facts.gid == group, format!("its group is {}", facts.gid));
        }
        if let Some(real_path) = &self.real_path {
            judge(facts.real_path == *real_path, format!("it leads to {}", facts.real_path));
        }
        if let Some(wanted) = &self.sha256 {
            match &facts.sha256 {
                Some(found) => judge(found == wanted, format!("its SHA-256 is {found}")),
                None => outcomes.push(Err(Halt::unknown("the file is too large to hash"))),
            }
        }
        outcomes.extend(self.judge_content(eyes, facts));
        finding::all(outcomes)
    }

    fn judge_content(&self, eyes: &Eyes<'_>, facts: &FileFacts) -> Vec<Outcome> {
        let whole = || {
            if facts.truncated {
                Err(Halt::unknown(format!("the file is {} bytes long; {CONTENT_LIMIT} are read", facts.size)))
            } else {
                Ok(())
            }
        };
        let pattern = |pattern: &Pattern, wanted: bool| {
            whole()?;
            let regex = pattern.with(&eyes.values()).map_err(Halt::Unknown)?;
            let found = regex.find(&facts.content);
            Ok(Finding::new(
                found.is_some() == wanted,
                match found {
                    Some(found) => format!("it has `{}`", found.as_str()),
                    None => format!("nothing in it matches {}", pattern.source()),
                },
            ))
        };
        let filter = |that: &Jq| {
            whole()?;
            match serde_json::from_str(&facts.content) {
                Ok(json) => {
                    container::holds(eyes, &json, that, &self.show.clone().unwrap_or_else(|| container::evidence(that)))
                }
                Err(why) => Ok(Finding::fail(format!("it is no JSON: {why}"))),
            }
        };
        let mut outcomes = Vec::new();
        outcomes.extend(self.matches.as_ref().map(|p| pattern(p, true)));
        outcomes.extend(self.lacks.as_ref().map(|p| pattern(p, false)));
        outcomes.extend(self.that.as_ref().map(filter));
        outcomes
    }
}

impl Kind for FileCheck {
    fn name(&self) -> &'static str {
        "file"
    }

    fn expected(&self) -> String {
        let place = match &self.place {
            Place::Machine(machine) => format!("{} on {machine}", self.path),
            Place::Container(of) => format!("{} in the {} container", self.path, of.role),
        };
        if self.absent {
            return format!("there is no {place}");
        }
        let mut wants = Vec::new();
        let mut want = |text: Option<String>| wants.extend(text);
        want(self.mode.map(|mode| format!("has no mode bit beyond {mode:04o}")));
        want(self.owner.map(|owner| format!("belongs to user {owner}")));
        want(self.group.map(|group| format!("belongs to group {group}")));
        want(self.matches.as_ref().map(|pattern| format!("has a match of {}", pattern.source())));
        want(self.lacks.as_ref().map(|pattern| format!("has no match of {}", pattern.source())));
        want(self.that.as_ref().map(|that| format!("satisfies {}", that.source())));
        want(self.sha256.as_ref().map(|sha| format!("has the SHA-256 {sha}")));
        want(self.real_path.as_ref().map(|path| format!("leads to {path}")));
        if wants.is_empty() { format!("there is {place}") } else { format!("{place} {}", wants.join(" and ")) }
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

    /// Of what is written in a container nobody tells.
    fn watch(&self) -> Option<Watch<'_>> {
        match &self.place {
            Place::Machine(machine) if machine.as_str() == "host" => {
                Some(Watch { engine: false, files: vec![&self.path] })
            }
            _ => None,
        }
    }

    fn texts(&self) -> Vec<(&Text, Vec<&str>)> {
        self.matches.iter().chain(&self.lacks).map(|pattern| (pattern.text(), Vec::new())).collect()
    }
}

fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "a file",
        FileKind::Directory => "a directory",
        FileKind::Symlink => "a symbolic link",
        FileKind::Other => "neither file nor directory",
    }
}

/// `"0644"`; octal, quoted, because TOML would read a bare number as decimal.
fn mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777 && (3..=4).contains(&text.len()));
    mode.ok_or_else(|| "write three or four octal digits, such as \"0644\"".to_owned())
}

fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with('/') && !path.contains("/../") {
        Ok(path.to_owned())
    } else {
        Err("write an absolute path".to_owned())
    }
}
