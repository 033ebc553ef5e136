//! How a process of the platform gets onto a machine.
//!
//! J joins the machine's namespaces and starts G as its own sibling, so that the caller is G's parent. G puts itself
//! into the machine's cgroup only after it was forked: a machine at its process limit cannot keep it out. What may
//! hang on what the student made (opening his terminal, finding his shell) happens in G, and the caller has a deadline.

use std::{
    ffi::CString,
    fs::{File, OpenOptions},
    io::Write,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
};

use bulkhead_agent::protocol::{Fault, FaultKind, Size};
use nix::{
    errno::Errno,
    sys::socket::MsgFlags,
    unistd::{Pid, chdir, execve, setsid},
};

use crate::{
    boot::{cgroup::Cgroups, machine::Machine},
    fault::{Doing, Outcome, fault},
    sys::{descriptor, fork, ids, namespace, terminal},
    users::{self, User},
};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) struct Command {
    pub(crate) uid: u32,
    /// Empty: the login shell.
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdio: Stdio,
}

pub(crate) enum Stdio {
    Terminal(Size),
    Pipes { input: OwnedFd, output: OwnedFd, errors: OwnedFd },
}

impl Stdio {
    fn kept(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::Terminal(_) => Vec::new(),
            Self::Pipes { input, output, errors } => vec![input.as_fd(), output.as_fd(), errors.as_fd()],
        }
    }
}

/// A process on its way. `link` becomes readable with each piece of news.
pub(crate) struct Launch {
    pub(crate) link: OwnedFd,
    pub(crate) pid: Option<Pid>,
    pub(crate) master: Option<OwnedFd>,
}

mod word {
    pub(super) const PID: u8 = b'p';
    pub(super) const MASTER: u8 = b'm';
    pub(super) const FAILED: u8 = b'e';
}

impl Launch {
    /// Takes one piece of news: `None` while it is still on its way, `Some(Ok)` when it runs its own program.
    pub(crate) fn advance(&mut self) -> Option<Outcome<()>> {
        let (message, fds) = match descriptor::receive(&self.link, MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN | Errno::EINTR) => return None,
            other => match other.doing(|| "hear from a new process".into()) {
                Ok(news) => news,
                Err(fault) => return Some(Err(fault)),
            },
        };
        match message.split_first() {
            None if self.pid.is_some() => Some(Ok(())),
            None => Some(Err(fault(FaultKind::Exhausted, "the new process ended before it began"))),
            Some((&word::PID, rest)) => {
                self.pid = rest.try_into().ok().map(|bytes| Pid::from_raw(i32::from_ne_bytes(bytes)));
                None
            }
            Some((&word::MASTER, _)) => {
                self.master = fds.into_iter().next();
                None
            }
            Some((_, rest)) => Some(Err(serde_json::from_slice(rest)
                .unwrap_or_else(|_| fault(FaultKind::Failed, "the new process said nonsense")))),
        }
    }
}

/// Sends a process on its way to a machine.
pub(crate) fn launch(machine: &Machine, cgroups: &Cgroups, command: &Command) -> Outcome<Launch> {
    let name = &machine.spec.name;
    let first = machine.first.ok_or_else(|| fault(FaultKind::Down, format!("{name} is down")))?;
    let (ours, theirs) = descriptor::message_pair().doing(|| "make a socket pair".into())?;
    let mut keep = command.stdio.kept();
    keep.push(theirs.as_fd());
    fork::fork(&keep, || {
        report(&theirs, join(machine, first, cgroups, command, &theirs));
        0
    })
    .doing(|| format!("start a process for {name}"))?;
    Ok(Launch { link: ours, pid: None, master: None })
}

fn report<T>(link: &OwnedFd, outcome: Outcome<T>) {
    if let Err(mut fault) = outcome {
        fault.message = fault.message.chars().take(256).collect();
        let mut message = vec![word::FAILED];
        message.extend(serde_json::to_vec(&fault).unwrap_or_default());
        // If nobody listens any more, nobody is waiting for this either.
        let _ = descriptor::send(link, &message, &[]);
    }
}

/// J.
fn join(machine: &Machine, first: Pid, cgroups: &Cgroups, command: &Command, link: &OwnedFd) -> Outcome<()> {
    let doors = cgroups.doors(&machine.spec)?;
    namespace::join(first, &["user", "cgroup", "ipc", "uts", "net", "pid", "mnt"])
        .map_err(|fault| Fault { kind: FaultKind::Down, ..fault })?;
    ids::become_id(0).doing(|| "become the machine's root".into())?;
    ids::hide().doing(|| "hide".into())?;
    let mut keep = command.stdio.kept();
    keep.push(link.as_fd());
    keep.extend(doors.iter().map(AsFd::as_fd));
    let process = fork::sibling(&keep, || {
        report(link, become_program(command, &doors, link));
        127
    })
    .doing(|| format!("start a process on {}", machine.spec.name))?;
    let mut message = vec![word::PID];
    message.extend_from_slice(&process.as_raw().to_ne_bytes());
    descriptor::send(link, &message, &[]).doing(|| "name the new process".into())
}

/// G: comes back only if it failed.
fn become_program(command: &Command, doors: &[File], link: &OwnedFd) -> Outcome<()> {
    for mut door in doors {
        door.write_all(b"0").doing(|| "join the machine's cgroup".into())?;
    }
    let user = users::find(command.uid, &text("/etc/passwd"), &text("/etc/group"));
    match &command.stdio {
        Stdio::Terminal(size) => {
            let (master, slave) = terminal::open_pair(user.uid, *size).doing(|| "open a terminal".into())?;
            descriptor::send(link, &[word::MASTER], &[master.as_fd()]).doing(|| "hand the terminal over".into())?;
            terminal::take(&slave).doing(|| "take the terminal".into())?;
            descriptor::become_standard(&slave, &slave, &slave).doing(|| "use the terminal".into())?;
        }
        Stdio::Pipes { input, output, errors } => {
            setsid().doing(|| "make a session".into())?;
            descriptor::become_standard(input, output, errors).doing(|| "use the pipes".into())?;
        }
    }
    ids::become_user(user.uid, user.gid, &user.groups).doing(|| format!("become user {}", user.uid))?;
    if chdir(user.home.as_str()).is_err() {
        chdir("/").doing(|| "go to the root directory".into())?;
    }
    fork::default_signals().doing(|| "reset signals".into())?;
    execute(command, &user)
}

/// A file of the machine's, bounded; empty when it cannot be read.
pub(crate) fn text(path: &str) -> String {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let regular = file.and_then(|file| file.metadata().map(|facts| (file, facts.is_file())));
    match regular {
        Ok((file, true)) => descriptor::read_bounded(file, users::LIMIT)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

fn execute(command: &Command, user: &User) -> Outcome<()> {
    let variables = environment(command, user);
    let candidates = programs(command, user, &variables);
    let arguments = if command.argv.is_empty() {
        vec![format!("-{}", user.shell.rsplit('/').next().unwrap_or("sh"))]
    } else {
        command.argv.clone()
    };
    let arguments = strings(&arguments)?;
    let variables = strings(&variables.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>())?;
    let mut said = Errno::ENOENT;
    for program in &candidates {
        let path = strings(std::slice::from_ref(program))?;
        match execve(path.first().map_or(c"", CString::as_c_str), &arguments, &variables) {
            Ok(never) => match never {},
            // As a shell does: go on looking, but remember that something was there.
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(errno) => said = errno,
        }
    }
    Err(said).doing(|| format!("execute {}", command.argv.first().unwrap_or(&user.shell)))
}

fn strings(texts: &[String]) -> Outcome<Vec<CString>> {
    texts
        .iter()
        .map(|text| CString::new(text.as_str()).map_err(|_| fault(FaultKind::Invalid, "a NUL byte in an argument")))
        .collect()
}

fn environment(command: &Command, user: &User) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = [
        ("PATH", PATH),
        ("HOME", user.home.as_str()),
        ("USER", user.name.as_str()),
        ("LOGNAME", user.name.as_str()),
        ("SHELL", user.shell.as_str()),
        ("LANG", "C.UTF-8"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    if matches!(command.stdio, Stdio::Terminal(_)) {
        variables.extend(
            [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
    }
    variables.retain(|(name, _)| command.env.iter().all(|(other, _)| other != name));
    variables.extend(command.env.iter().cloned());
    variables
}

/// Where the program may be, in the order to try.
fn programs(command: &Command, user: &User, variables: &[(String, String)]) -> Vec<String> {
    match command.argv.first() {
        None if user.shell == "/bin/sh" => vec![user.shell.clone()],
        None => vec![user.shell.clone(), "/bin/sh".to_owned()],
        Some(program) if program.contains('/') => vec![program.clone()],
        Some(program) => {
            let path = variables.iter().find(|(name, _)| name == "PATH").map_or(PATH, |(_, value)| value.as_str());
            path.split(':')
                .filter(|directory| directory.starts_with('/'))
                .map(|directory| format!("{directory}/{program}"))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(argv: &[&str], env: &[(&str, &str)]) -> Command {
        Command {
            uid: 0,
            argv: argv.iter().map(|s| (*s).to_owned()).collect(),
            env: env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            stdio: Stdio::Terminal(Size { cols: 80, rows: 24 }),
        }
    }

    #[test]
    fn what_is_asked_for_wins_over_what_is_usual() {
        let user = users::find(0, "", "");
        let variables = environment(&command(&[], &[("PATH", "/bin:relative:/opt"), ("X", "1")]), &user);
        let value =
            |name: &str| variables.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
        assert_eq!(value("PATH"), ["/bin:relative:/opt"]);
        assert_eq!(value("X"), ["1"]);
        assert_eq!(value("TERM"), ["xterm-256color"]);
        assert_eq!(programs(&command(&["ls"], &[]), &user, &variables), ["/bin/ls", "/opt/ls"]);
    }

    #[test]
    fn a_broken_shell_leaves_the_plain_one() {
        let user = users::find(7, "x:x:7:7::/:/no/such/shell", "");
        assert_eq!(programs(&command(&[], &[]), &user, &[]), ["/no/such/shell", "/bin/sh"]);
        assert_eq!(programs(&command(&["./a"], &[]), &user, &[]), ["./a"]);
    }
}
