//! A sandbox as it was recorded from a real engine and kernel (20.10, cgroup v1), and as a hostile student would bend it.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use bulkhead_agent::{
    look::{FileFacts, FileKind, Look, ProcessFacts, Seen},
    protocol::{Fault, FaultKind},
};
use serde_json::{Value, json};

use crate::grade::{ObserveError, Observer};

/// An answer to some looks in place of the recorded one.
pub(crate) type Fits = Box<dyn Fn(&Look) -> bool + Send + Sync>;
pub(crate) type Bend = fn(&Look) -> Option<Result<Seen, Fault>>;

/// Answers looks from what was recorded; what was not is missing.
pub(crate) struct Recorded {
    pub(crate) engine: BTreeMap<String, (u16, String)>,
    pub(crate) processes: BTreeMap<i32, ProcessFacts>,
    /// By pid (0: the machine) and path.
    pub(crate) files: BTreeMap<(i32, String), FileFacts>,
    /// By path or directory.
    pub(crate) attempts: BTreeMap<String, Option<String>>,
    /// Answers requests; `None`: nobody answers.
    pub(crate) http: fn(&str, &str) -> Option<(u16, String)>,
    /// Before all that: what an observation that fits comes to.
    pub(crate) also: Vec<(Fits, Result<Seen, Fault>)>,
    /// Instead of all that.
    pub(crate) instead: Option<Bend>,
    /// Every request's looks.
    pub(crate) asked: Mutex<Vec<Vec<Look>>>,
}

const LIST: &str = "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22bulkhead.role%3Dcms%22%5D%7D";

impl Recorded {
    /// A sandbox in which these of the recorded containers (`soft`, `hard`, `gone`) are there.
    pub(crate) fn with(names: &[&str]) -> Self {
        let mut recorded = Self {
            engine: BTreeMap::new(),
            processes: BTreeMap::new(),
            files: BTreeMap::new(),
            attempts: BTreeMap::new(),
            http: |path, body| Some(echo(path, body)),
            also: Vec::new(),
            instead: None,
            asked: Mutex::default(),
        };
        let list: Value = serde_json::from_str(include_str!("recorded/list.json")).unwrap();
        let image: Value = serde_json::from_str(include_str!("recorded/image.json")).unwrap();
        recorded.answer(&format!("/images/{}/json", image["Id"].as_str().unwrap()), &image);
        recorded.answer("/images/grade/tiny:latest/json", &image);
        for name in names {
            let inspect = inspect(name);
            let id = inspect["Id"].as_str().unwrap();
            recorded.answer(&format!("/containers/{id}/json"), &inspect);
            if let Some((process, changes)) = facts(name) {
                recorded.answer(&format!("/containers/{id}/changes"), &changes);
                recorded.processes.insert(process.pid, process);
            }
        }
        let is_there = |entry: &&Value| names.iter().any(|name| entry["Names"][0] == format!("/{name}"));
        let list: Vec<&Value> = list.as_array().unwrap().iter().filter(is_there).collect();
        recorded.answer(LIST, &json!(list));
        recorded.answer("/containers/json?all=1", &json!(list));
        recorded.answer("/images/json?all=1", &json!([{ "Id": image["Id"], "RepoTags": image["RepoTags"] }]));
        recorded.answer("/volumes", &json!({ "Volumes": [{ "Name": "up", "CreatedAt": "2026-11-24T11:00:00Z" }] }));
        recorded.answer("/networks", &json!([{ "Name": "bridge", "Id": "ab" }]));
        recorded
    }

    pub(crate) fn answer(&mut self, path: &str, body: &Value) {
        self.engine.insert(path.to_owned(), (200, body.to_string()));
    }

    /// Rewrites what the engine says of a container.
    pub(crate) fn forge(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut inspect = inspect(name);
        let path = format!("/containers/{}/json", inspect["Id"].as_str().unwrap());
        change(&mut inspect);
        self.answer(&path, &inspect);
    }

    pub(crate) fn list(&mut self, body: &str) {
        self.engine.insert(LIST.to_owned(), (200, body.to_owned()));
    }

    pub(crate) fn file(&mut self, pid: i32, path: &str, content: &str, mode: u32) {
        let facts = FileFacts {
            kind: FileKind::File,
            mode,
            uid: 0,
            gid: 0,
            size: content.len() as u64,
            real_path: path.to_owned(),
            sha256: Some("ab".repeat(32)),
            content: content.to_owned(),
            truncated: false,
        };
        self.files.insert((pid, path.to_owned()), facts);
    }

    /// Answers looks that fit with this.
    pub(crate) fn on(&mut self, fits: impl Fn(&Look) -> bool + Send + Sync + 'static, seen: Seen) {
        self.also.insert(0, (Box::new(fits), Ok(seen)));
    }

    pub(crate) fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(crate) fn see(&self, look: &Look) -> Result<Seen, Fault> {
        if let Some(seen) = self.instead.and_then(|instead| instead(look)) {
            return seen;
        }
        if let Some((_, seen)) = self.also.iter().find(|(fits, _)| fits(look)) {
            return seen.clone();
        }
        Ok(match look {
            Look::Engine { path, .. } => match self.engine.get(path) {
                Some((status, body)) => {
                    Seen::Http { status: *status, headers: Vec::new(), body: body.clone(), truncated: false }
                }
                None => Seen::Http {
                    status: 404,
                    headers: Vec::new(),
                    body: json!({ "message": "no such thing" }).to_string(),
                    truncated: false,
                },
            },
            Look::Process { pid, .. } => {
                self.processes.get(pid).map_or(Seen::Missing, |facts| Seen::Process(facts.clone()))
            }
            Look::File { pid, path, .. } => self
                .files
                .get(&(pid.unwrap_or(0), path.clone()))
                .map_or(Seen::Missing, |facts| Seen::File(facts.clone())),
            Look::Create { path, .. } => {
                let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
                self.attempts.get(dir).map_or(Seen::Missing, |errno| Seen::Attempt { errno: errno.clone() })
            }
            Look::Execute { dir, .. } => {
                self.attempts.get(dir).map_or(Seen::Missing, |errno| Seen::Attempt { errno: errno.clone() })
            }
            Look::Http { path, body, .. } => match (self.http)(path, body) {
                Some((status, body)) => {
                    Seen::Http { status, headers: vec![("X-Served-By".into(), "cms".into())], body, truncated: false }
                }
                None => Seen::NoAnswer { why: "connection refused".into() },
            },
            _ => Seen::Missing,
        })
    }
}

#[async_trait]
impl Observer for Recorded {
    async fn observe(&self, looks: Vec<Look>) -> Result<Vec<Result<Seen, Fault>>, ObserveError> {
        let seen = looks.iter().map(|look| self.see(look)).collect();
        self.asked.lock().unwrap().push(looks);
        Ok(seen)
    }
}

pub(crate) fn pid(name: &str) -> i32 {
    facts(name).unwrap().0.pid
}

fn inspect(name: &str) -> Value {
    let text = match name {
        "soft" => include_str!("recorded/soft.inspect.json"),
        "hard" => include_str!("recorded/hard.inspect.json"),
        _ => include_str!("recorded/gone.inspect.json"),
    };
    serde_json::from_str(text).unwrap()
}

fn facts(name: &str) -> Option<(ProcessFacts, Value)> {
    let (process, changes) = match name {
        "soft" => (include_str!("recorded/soft.process.json"), include_str!("recorded/soft.changes.json")),
        "hard" => (include_str!("recorded/hard.process.json"), include_str!("recorded/hard.changes.json")),
        _ => return None,
    };
    Some((serde_json::from_str(process).unwrap(), serde_json::from_str(changes).unwrap()))
}

/// A service that gives back its query and its body.
fn echo(path: &str, body: &str) -> (u16, String) {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    (200, format!("{query} {body}").replace("n=", "nonce="))
}

pub(crate) fn down() -> Result<Seen, Fault> {
    Err(Fault { kind: FaultKind::Down, message: "the engine of host does not answer".into() })
}
