//! Where a command runs or a request starts: in every container of a role, or on a machine as one of its users.

use bulkhead_agent::look::{FileKind, Look, Place as AgentPlace, Seen, errand::Errand};

use crate::{
    grade::{
        Eyes, Halt, Outcome,
        containers::{self, Container, Of},
        eyes::misplaced,
    },
    manifest::{Fields, MachineName},
};

const PASSWD_LIMIT: u32 = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Container(Of),
    Machine { machine: MachineName, user: User },
}

/// By number, or by the name that the machine's `/etc/passwd` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum User {
    Id(u32),
    Name(String),
}

impl Place {
    /// Reads `of`, or `machine` and `user`.
    pub(super) fn read(fields: &Fields<'_>) -> Option<Self> {
        let of = Of::read_opt(fields);
        let machine = containers::read_machine(fields, "machine", "host");
        let user = fields.opt_parsed("user", User::parse);
        if fields.has("of") {
            if fields.has("machine") || fields.has("user") {
                fields.error("it is in a container or on a machine, not both", "keep `of`, or `machine` and `user`");
            }
            return of.map(Self::Container);
        }
        if fields.has("user") && user.is_none() {
            return None;
        }
        Some(Self::Machine { machine: machine?, user: user.unwrap_or(User::Id(0)) })
    }

    pub(super) fn machine(&self) -> &MachineName {
        match self {
            Self::Container(of) => &of.machine,
            Self::Machine { machine, .. } => machine,
        }
    }

    /// For people: `in the web container`, `as dev1 on host`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Container(of) => format!("in the {} container", of.role),
            Self::Machine { machine, user: User::Id(0) } => format!("as root on {machine}"),
            Self::Machine { machine, user: User::Id(id) } => format!("as user {id} on {machine}"),
            Self::Machine { machine, user: User::Name(name) } => format!("as {name} on {machine}"),
        }
    }
}

impl User {
    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
        if fits {
            Ok(Self::Name(text.to_owned()))
        } else {
            Err("write a user's name, or a number in quotes".to_owned())
        }
    }

    pub(super) fn id(&self, eyes: &mut Eyes<'_>, machine: &MachineName) -> Result<u32, Halt> {
        let name = match self {
            Self::Id(id) => return Ok(*id),
            Self::Name(name) => name,
        };
        let path = "/etc/passwd".to_owned();
        let look = Look::File { machine: machine.to_string(), pid: None, path, limit: PASSWD_LIMIT };
        match eyes.see(look)? {
            Seen::File(facts) if facts.kind == FileKind::File => in_passwd(&facts.content, name)
                .ok_or_else(|| Halt::fails(format!("there is no user {name} on {machine}"))),
            Seen::File(_) | Seen::Missing => {
                Err(Halt::unknown(format!("there is no readable /etc/passwd on {machine}")))
            }
            other => Err(misplaced(other)),
        }
    }
}

/// The user id of a name in the text of an `/etc/passwd`.
pub(super) fn in_passwd(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(name)).then(|| parts.nth(1)?.parse().ok()).flatten()
    })
}

/// Does errands in a container, and hands what each came to to `judge`. `step` tells this visit from others of the check.
pub(super) fn visit<'a>(
    eyes: &mut Eyes<'a>,
    container: &Container,
    step: usize,
    errands: Vec<Errand>,
    timeout_ms: u32,
    judge: impl FnOnce(&mut Eyes<'a>, &'a [Seen]) -> Outcome,
) -> Outcome {
    let facts = containers::process(eyes, container)?;
    let count = errands.len();
    let look = Look::Visit {
        machine: container.machine.to_string(),
        place: AgentPlace::Container { id: container.id.clone(), pid: facts.pid },
        errands,
        timeout_ms,
    };
    match eyes.act(step, look)? {
        Seen::Visit { visitor: Some(visitor), met } => {
            // The engine let somebody in with less than the container has; what he could not do says nothing.
            let weaker = visitor.cap_effective & facts.cap_effective != facts.cap_effective
                || visitor.seccomp > facts.seccomp
                || (visitor.no_new_privs && !facts.no_new_privs);
            if weaker {
                return Err(Halt::unknown("the engine gave our program less than the container's own process has"));
            }
            complete(eyes, met, count, judge)
        }
        Seen::Missing => Err(Halt::unknown("the container's process ended while we looked")),
        other => Err(misplaced(other)),
    }
}

/// The same on a machine, as a user.
pub(super) fn visit_user<'a>(
    eyes: &mut Eyes<'a>,
    machine: &MachineName,
    uid: u32,
    step: usize,
    errands: Vec<Errand>,
    timeout_ms: u32,
    judge: impl FnOnce(&mut Eyes<'a>, &'a [Seen]) -> Outcome,
) -> Outcome {
    let count = errands.len();
    let look = Look::Visit { machine: machine.to_string(), place: AgentPlace::User { uid }, errands, timeout_ms };
    match eyes.act(step, look)? {
        Seen::Visit { met, .. } => complete(eyes, met, count, judge),
        other => Err(misplaced(other)),
    }
}

fn complete<'a>(
    eyes: &mut Eyes<'a>,
    met: &'a [Seen],
    count: usize,
    judge: impl FnOnce(&mut Eyes<'a>, &'a [Seen]) -> Outcome,
) -> Outcome {
    if met.len() == count {
        judge(eyes, met)
    } else {
        Err(Halt::unknown(format!("our program told of {} of {count} things that it was to do", met.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_a_name_or_a_number() {
        assert_eq!(User::parse("1501"), Ok(User::Id(1501)));
        assert_eq!(User::parse("dev1"), Ok(User::Name("dev1".into())));
        for odd in ["", "a b", "../x", "Root"] {
            assert!(User::parse(odd).is_err(), "{odd}");
        }
        let passwd = "root:x:0:0::/root:/bin/sh\ndev10:x:7:7::/:/bin/sh\ndev1:x:1501:1501::/:/bin/sh\nbroken\n:::\n";
        assert_eq!(in_passwd(passwd, "dev1"), Some(1501));
        assert_eq!(in_passwd(passwd, "dev"), None);
        assert_eq!(in_passwd(passwd, "broken"), None);
    }
}
