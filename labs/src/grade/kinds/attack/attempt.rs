//! Keys of a `[[task.check.attempt]]`, of which one says what is tried:
//!
//! | key | | `refused_with`, unless given |
//! |---|---|---|
//! | `create_in` | makes a file in that directory, in the place of the container's first process | `EROFS` |
//! | `execute_in` | runs a program of ours from there, in the same place | `EACCES` |
//! | `create` | makes a file of that path, as a visitor | `EROFS`, `EACCES`, `EPERM` |
//! | `call` | makes a system call that does no harm (`"mount"`, `"unshare"`, `"ptrace"`, `"keyctl"`, `"bpf"`, `"socket:ALG"`, …) | `EPERM`, `ENOSYS`, `SIGSYS` |
//! | `read` | reads a file; placeholders allowed | `ENOENT`, `EACCES`, `EPERM`, `ESRCH` |
//! | `enter` | reads a file in the mount namespace of process 1, as `nsenter -t 1 -m` would; placeholders allowed | `ENOENT`, `EACCES`, `EPERM`, `EINVAL` |
//! | `mount_at` | mounts an empty tmpfs on that directory | `EPERM`, `EACCES` |
//! | `request` | asks over a socket: `{ unix = "/run/docker.sock" }` or `{ host = "proxy", port = 2375 }`, with `method` (`GET`), `path`, `body`, `headers`; placeholders allowed | |
//!
//! and what is right:
//!
//! | key | |
//! |---|---|
//! | `refused_with` | the kernel's words of which one is right; for `call` also `SIGSYS`, a filter's killing |
//! | `finds` | for `read` and `enter`: a regular expression for what an attacker is after; reading something else is no breach. Placeholders allowed |
//! | `status` | for `request`: the answers that are right (default 403) |
//! | `silent` | for `request`: `true`, that nobody answers is right too |
//! | `timeout` | for `request`: how long an answer is waited for (default `"5s"`, at most `"10s"`; `"300ms"`) |
//!
//! A `host` is an address of either version, or a name that is asked for as a program there would ask.
//!
//! A *visitor* is our program, let into the container by its engine's own `exec`: with the user of its first process, and
//! the capabilities and the seccomp filter that the engine gives there. An answer with another status than those in
//! `status` is a breach where the engine itself gave it.
//!
//! The sandbox has a seccomp filter of its own, which refuses some calls whatever the container's says. For these the
//! container's own filter, as the runtime was given it, must refuse the call too.

use bulkhead_agent::look::{Look, Seen, errand::Errand};

use super::verdict;
use crate::{
    grade::{Eyes, Finding, Halt, Outcome, containers::Container, eyes::misplaced, pattern::Pattern},
    manifest::{Fields, Text, parse_duration},
};

/// Calls that a visitor knows how to make.
const CALLS: [&str; 19] = [
    "mount",
    "umount2",
    "chroot",
    "unshare",
    "setns",
    "ptrace",
    "process_vm_readv",
    "kcmp",
    "keyctl",
    "add_key",
    "request_key",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "open_tree",
    "name_to_handle_at",
    "clone3",
    "personality",
];
const FAMILIES: [&str; 7] = ["UNIX", "INET", "INET6", "NETLINK", "PACKET", "ALG", "VSOCK"];
const READ_LIMIT: u32 = 16 * 1024;
const REQUEST_MS: u32 = 5_000;
const LONGEST_REQUEST_MS: u32 = 10_000;

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) act: Act,
    pub(super) refused_with: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Act {
    CreateIn(String),
    ExecuteIn(String),
    Create(Text),
    Call(String),
    Read { path: Text, finds: Option<Pattern> },
    Enter { path: Text, finds: Option<Pattern> },
    MountAt(String),
    Request { request: Request, status: Vec<u16>, silent: bool, timeout_ms: u32 },
}

#[derive(Debug)]
pub(super) struct Request {
    unix: Option<String>,
    host: String,
    port: u16,
    pub(super) method: String,
    pub(super) path: Text,
    headers: Vec<(String, Text)>,
    body: Option<Text>,
}

impl Attempt {
    pub(super) fn read(fields: Fields<'_>) -> Option<Self> {
        let create_in = fields.opt_parsed("create_in", directory).map(Act::CreateIn);
        let execute_in = fields.opt_parsed("execute_in", directory).map(Act::ExecuteIn);
        let create = fields.opt_parsed("create", absolute).map(Act::Create);
        let call = fields.opt_parsed("call", call).map(Act::Call);
        let finds = fields.opt_pattern("finds");
        let read = fields.opt_parsed("read", absolute);
        let enter = fields.opt_parsed("enter", absolute);
        let looks = read.is_some() || enter.is_some();
        if finds.is_some() && !looks {
            fields.error("`finds` says what is read", "add it to `read` or `enter`");
        }
        let read = read.map(|path| Act::Read { path, finds: finds.clone() });
        let enter = enter.map(|path| Act::Enter { path, finds });
        let mount_at = fields.opt_parsed("mount_at", directory).map(Act::MountAt);
        let mut refused_with = fields.parsed_list("refused_with", errno);
        let mut status: Vec<u16> = fields.integers("status", 100..=599);
        let silent = fields.opt_bool("silent").unwrap_or(false);
        let request = fields.opt_table("request").and_then(Request::read);
        let timeout = fields.opt_parsed("timeout", parse_duration);
        if request.is_none() && !fields.has("request") && (silent || timeout.is_some() || !status.is_empty()) {
            fields.error("`status`, `silent` and `timeout` are about a request", "add `request`");
        }
        let timeout_ms = timeout.and_then(|t| u32::try_from(t.as_millis()).ok()).unwrap_or(REQUEST_MS);
        let timeout_ms = timeout_ms.min(LONGEST_REQUEST_MS);
        if status.is_empty() {
            status.push(403);
        }
        let request = request.map(|request| Act::Request { request, status, silent, timeout_ms });
        let acts = [create_in, execute_in, create, call, read, enter, mount_at, request];
        let mut acts: Vec<Act> = acts.into_iter().flatten().collect();
        if acts.len() != 1 {
            fields.error(
                "the attempt is not one thing",
                "write one of `create_in`, `execute_in`, `create`, `call`, `read`, `enter`, `mount_at` and `request`",
            );
        }
        fields.finish();
        let act = acts.pop().filter(|_| acts.is_empty())?;
        if refused_with.is_empty() {
            refused_with = act.usual().iter().map(|word| (*word).to_owned()).collect();
        }
        Some(Self { act, refused_with })
    }

    pub(super) fn describe(&self) -> String {
        match &self.act {
            Act::CreateIn(dir) => format!("making a file in {dir}"),
            Act::ExecuteIn(dir) => format!("running a program from {dir}"),
            Act::Create(path) => format!("making the file {}", path.source()),
            Act::Call(name) => format!("the call {name}"),
            Act::Read { path, .. } => format!("reading {}", path.source()),
            Act::Enter { path, .. } => format!("entering the mounts of process 1 and reading {}", path.source()),
            Act::MountAt(dir) => format!("mounting a tmpfs on {dir}"),
            Act::Request { request, .. } => request.describe(),
        }
    }

    pub(super) fn expected(&self) -> String {
        let right = match &self.act {
            Act::Request { status, silent, .. } => {
                let list: Vec<String> = status.iter().map(u16::to_string).collect();
                let silent = if *silent { " or no answer" } else { "" };
                format!("{}{silent}", list.join(" or "))
            }
            _ => self.refused_with.join(" or "),
        };
        format!("{} gives {right}", self.describe())
    }

    /// It is tried in the place of the container's first process, not by a visitor.
    pub(super) fn in_its_place(&self) -> bool {
        matches!(self.act, Act::CreateIn(_) | Act::ExecuteIn(_))
    }

    pub(super) fn fits_a_machine(&self) -> bool {
        !self.in_its_place() && !matches!(self.act, Act::Enter { .. })
    }

    pub(super) fn texts(&self) -> Vec<&Text> {
        match &self.act {
            Act::Create(path) => vec![path],
            Act::Read { path, finds } | Act::Enter { path, finds } => {
                std::iter::once(path).chain(finds.as_ref().map(Pattern::text)).collect()
            }
            Act::Request { request, .. } => {
                let headers = request.headers.iter().map(|(_, value)| value);
                std::iter::once(&request.path).chain(&request.body).chain(headers).collect()
            }
            _ => Vec::new(),
        }
    }

    /// How long it may take by itself.
    pub(super) fn time_ms(&self) -> u32 {
        match &self.act {
            Act::Request { timeout_ms, .. } => *timeout_ms,
            _ => 0,
        }
    }

    /// For a visitor.
    pub(super) fn errand(&self, eyes: &Eyes<'_>) -> Option<Errand> {
        let values = eyes.values();
        Some(match &self.act {
            Act::CreateIn(_) | Act::ExecuteIn(_) => return None,
            Act::Create(path) => Errand::Create { path: path.fill(&values) },
            Act::Call(name) => Errand::Call { name: name.clone() },
            Act::Read { path, .. } => Errand::Read { path: path.fill(&values), limit: READ_LIMIT },
            Act::Enter { path, .. } => Errand::Enter { pid: 1, path: path.fill(&values), limit: READ_LIMIT },
            Act::MountAt(at) => Errand::Mount { at: at.clone() },
            Act::Request { request, timeout_ms, .. } => Errand::Http {
                unix: request.unix.clone(),
                host: request.host.clone(),
                port: request.port,
                method: request.method.clone(),
                path: request.path.fill(&values),
                headers: request.headers.iter().map(|(name, value)| (name.clone(), value.fill(&values))).collect(),
                body: request.body.as_ref().map(|body| body.fill(&values)).unwrap_or_default(),
                timeout_ms: *timeout_ms,
                limit: READ_LIMIT,
            },
        })
    }

    /// In the place of the container's first process, where it is tried there.
    pub(super) fn in_place_of(
        &self,
        eyes: &mut Eyes<'_>,
        step: usize,
        container: &Container,
        pid: i32,
    ) -> Option<Outcome> {
        let machine = container.machine.to_string();
        let (dir, look) = match &self.act {
            Act::CreateIn(dir) => {
                let slash = if dir == "/" { "" } else { "/" };
                let path = format!("{dir}{slash}.bulkhead-{}", eyes.case().nonce.as_str());
                (dir, Look::Create { machine, pid, path })
            }
            Act::ExecuteIn(dir) => (dir, Look::Execute { machine, pid, dir: dir.clone() }),
            _ => return None,
        };
        Some(eyes.act(step, look).and_then(|seen| match seen {
            Seen::Attempt { errno: Some(errno) } if errno == "ENOENT" && !self.refused_with.contains(errno) => {
                Ok(Finding::fail(format!("there is no {dir}")).because("The attack could not be tried."))
            }
            Seen::Attempt { errno } => Ok(verdict::refused(self, errno.as_deref())),
            Seen::Missing => Err(Halt::unknown("the container's process ended while we looked")),
            other => Err(misplaced(other)),
        }))
    }

    /// What a visitor met.
    pub(super) fn judge(&self, eyes: &mut Eyes<'_>, seen: &Seen, container: Option<&Container>) -> Outcome {
        verdict::judge(self, eyes, seen, container)
    }
}

impl Act {
    /// The words of a refusal, unless the author names others.
    fn usual(&self) -> &'static [&'static str] {
        match self {
            Self::CreateIn(_) => &["EROFS"],
            Self::ExecuteIn(_) => &["EACCES"],
            Self::Create(_) => &["EROFS", "EACCES", "EPERM"],
            Self::Call(_) => &["EPERM", "ENOSYS", "SIGSYS"],
            Self::Read { .. } => &["ENOENT", "EACCES", "EPERM", "ESRCH"],
            Self::Enter { .. } => &["ENOENT", "EACCES", "EPERM", "EINVAL"],
            Self::MountAt(_) => &["EPERM", "EACCES"],
            Self::Request { .. } => &[],
        }
    }
}

impl Request {
    fn read(fields: Fields<'_>) -> Option<Self> {
        let unix = fields.opt_parsed("unix", directory);
        let host = fields.opt_string("host");
        let port = fields.opt_integer("port", 1..=65_535);
        let method = fields.opt_string("method").unwrap_or_else(|| "GET".to_owned());
        let path = fields.parsed("path", absolute);
        let body = fields.opt_text("body");
        let mut headers = Vec::new();
        for (name, value) in fields.map("headers") {
            match Text::parse(&value) {
                Ok(value) => headers.push((name, value)),
                Err(why) => fields.error_at("headers", format!("`{name}` is no header"), why),
            }
        }
        if unix.is_some() == (host.is_some() && port.is_some()) {
            fields.error("the request goes nowhere, or to two places", "write `unix`, or `host` and `port`");
        }
        fields.finish();
        let host = host.unwrap_or_else(|| "docker".to_owned());
        Some(Self { unix, host, port: port.unwrap_or_default(), method, path: path?, headers, body })
    }

    fn describe(&self) -> String {
        let to = match &self.unix {
            Some(unix) => unix.clone(),
            None => format!("{}:{}", self.host, self.port),
        };
        format!("{} {} at {to}", self.method, self.path.source())
    }
}

fn directory(path: &str) -> Result<String, String> {
    let fits = path == "/" || (path.starts_with('/') && !path.ends_with('/') && !path.contains("/../"));
    if fits { Ok(path.to_owned()) } else { Err("write an absolute path".to_owned()) }
}

fn absolute(path: &str) -> Result<Text, String> {
    if path.starts_with('/') { Text::parse(path) } else { Err("write a path that starts with /".to_owned()) }
}

fn call(name: &str) -> Result<String, String> {
    let known = CALLS.contains(&name) || name.strip_prefix("socket:").is_some_and(|family| FAMILIES.contains(&family));
    if known {
        return Ok(name.to_owned());
    }
    Err(format!("write one of {}, or socket: with one of {}", CALLS.join(", "), FAMILIES.join(", ")))
}

fn errno(name: &str) -> Result<String, String> {
    let word = name.starts_with('E') || name == "SIGSYS";
    let fits = word && name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if fits { Ok(name.to_owned()) } else { Err("write the kernel's word, such as \"EROFS\"".to_owned()) }
}
