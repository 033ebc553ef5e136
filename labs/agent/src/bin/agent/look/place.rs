//! The machine, process and root that a look is about.

use std::{
    fs::{self, File},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::PathBuf,
};

use bulkhead_agent::protocol::{Fault, FaultKind};
use nix::{
    fcntl::{OFlag, open},
    sched::{CloneFlags, setns},
    sys::stat::{Mode, fstat},
    unistd::Pid,
};

use super::procfs;
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    supervisor::Sandbox,
    sys::{descriptor, ids, namespace, rooted},
};

/// Pid namespaces lie at most so deep.
const DEEPEST: usize = 32;

pub(super) fn machine<'a>(sandbox: &'a Sandbox, name: &str) -> Outcome<&'a Machine> {
    sandbox
        .machine(name)
        .map(|(_, machine)| machine)
        .ok_or_else(|| fault(FaultKind::NotFound, format!("there is no machine {name}")))
}

pub(super) fn first(machine: &Machine) -> Outcome<Pid> {
    machine.first.ok_or_else(|| fault(FaultKind::Down, format!("{} is down", machine.spec.name)))
}

fn down(machine: &Machine) -> impl Fn(Fault) -> Fault {
    let name = machine.spec.name.clone();
    move |fault| Fault { kind: FaultKind::Down, message: format!("{name}: {}", fault.message) }
}

/// A process by its directory in `/proc`, held open: if it ends, reading fails, and its number is never another's.
pub(super) struct Process(OwnedFd);

impl Process {
    pub(super) fn open(pid: i32) -> nix::Result<Self> {
        open(format!("/proc/{pid}").as_str(), OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
            .map(Self)
    }

    /// The machine's first process.
    pub(super) fn first(machine: &Machine) -> Outcome<Self> {
        Self::open(first(machine)?.as_raw()).doing(|| "look at the first process".into()).map_err(down(machine))
    }

    /// The process that the machine numbers `pid`: the one with that number whose pid namespace is the machine's, or
    /// one below it. `None`: there is none.
    pub(super) fn find(machine: &Machine, pid: i32) -> Outcome<Option<Self>> {
        let home = Self::first(machine)?
            .namespace("pid")
            .doing(|| "look at the pid namespace".into())
            .map_err(down(machine))?;
        let numbers = fs::read_dir("/proc")
            .doing(|| "list processes".into())?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        for number in numbers {
            let Ok(process) = Self::open(number) else { continue };
            let Ok(status) = process.text("status") else { continue };
            // The container's number, the machine's, then those of namespaces below.
            if procfs::pids(&status).get(1) == Some(&pid) && process.is_below(home) {
                return Ok(Some(process));
            }
        }
        Ok(None)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        rooted::through(&self.0).join(name)
    }

    /// A file of the process's directory, as text.
    pub(super) fn text(&self, name: &str) -> std::io::Result<String> {
        descriptor::kernel_text(&self.path(name))
    }

    /// The number that identifies one of its namespaces.
    pub(super) fn namespace(&self, name: &str) -> std::io::Result<u64> {
        fs::metadata(self.path("ns").join(name)).map(|facts| facts.ino())
    }

    pub(super) fn open_namespace(&self, name: &str) -> Outcome<OwnedFd> {
        File::open(self.path("ns").join(name)).map(OwnedFd::from).doing(|| format!("open its {name} namespace"))
    }

    /// Its root directory.
    pub(super) fn root(&self) -> Outcome<OwnedFd> {
        open(&self.path("root"), OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
            .doing(|| "open its root".into())
    }

    /// Whether it is of the machine whose pid namespace is `home`.
    pub(super) fn is_below(&self, home: u64) -> bool {
        let mut namespace = File::open(self.path("ns/pid")).map(OwnedFd::from).ok();
        for _ in 0..DEEPEST {
            let Some(now) = namespace else { return false };
            if fstat(&now).is_ok_and(|facts| facts.st_ino == home) {
                return true;
            }
            namespace = namespace::parent(&now).ok();
        }
        false
    }
}

/// Takes the place of the machine's root, who is nobody outside it: what we do now, he could do.
pub(super) fn become_root_of(machine: &Machine) -> Outcome<()> {
    let user = namespace::open(first(machine)?, "user").map_err(down(machine))?;
    become_root_in(&user)
}

fn become_root_in(user: &OwnedFd) -> Outcome<()> {
    setns(user.as_fd(), CloneFlags::CLONE_NEWUSER).doing(|| "join the machine's user namespace".into())?;
    ids::become_id(0).doing(|| "become the machine's root".into())
}

/// The process that a look is about, or the machine's first. `None`: there is no such process.
pub(super) fn process(machine: &Machine, pid: Option<i32>) -> Outcome<Option<Process>> {
    match pid {
        None => Process::first(machine).map(Some),
        Some(pid) => Process::find(machine, pid),
    }
}

/// Joins the network of the process, or of the machine, as the machine's root. False: there is no such process.
pub(super) fn join_network(machine: &Machine, pid: Option<i32>) -> Outcome<bool> {
    let Some(process) = process(machine, pid)? else { return Ok(false) };
    let network = process.open_namespace("net").map_err(down(machine))?;
    become_root_of(machine)?;
    setns(network.as_fd(), CloneFlags::CLONE_NEWNET).doing(|| "join the network".into())?;
    Ok(true)
}

/// The root that a path is meant in: the process's, or the machine's. Then this process is the machine's root, with no
/// more rights than the student has. `None`: there is no such process.
pub(super) fn root_as_its_root(machine: &Machine, pid: Option<i32>) -> Outcome<Option<OwnedFd>> {
    let Some(process) = process(machine, pid)? else { return Ok(None) };
    let root = process.root()?;
    become_root_of(machine)?;
    Ok(Some(root))
}
