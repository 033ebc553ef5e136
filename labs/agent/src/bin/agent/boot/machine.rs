//! One machine: started, and started anew when its first process ends.
//!
//! B makes the machine's namespaces step by step, because some steps can only be done from inside (making them) and
//! some only from M (id maps, cgroups, the cable); C is its child within them and A's child outside.

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    time::Instant,
};

use bulkhead_agent::{
    boot::{Boot, IDS_PER_MACHINE, Machine as Spec},
    protocol::FaultKind,
};
use nix::{
    sched::{CloneFlags, unshare},
    sys::socket::MsgFlags,
    unistd::{Pid, Uid, setresuid},
};

use super::{
    cgroup::{self, Cgroups},
    disk::Disk,
    inside, switch,
};
use crate::{
    fault::{Doing, Outcome, fault},
    sys::{descriptor, fork, ids},
};

/// A step that takes longer is stuck.
const PATIENCE_MILLIS: u16 = 10_000;

pub(crate) struct Machine {
    pub(crate) spec: Spec,
    pub(crate) index: usize,
    pub(crate) disk: Disk,
    /// Which of its interfaces' cables are out. Its root can start it anew, and they stay so.
    cut: Vec<bool>,
    /// Its first process, as the container numbers it.
    pub(crate) first: Option<Pid>,
    pub(crate) starts: u32,
    pub(crate) started: Instant,
}

/// What B and C report, one byte and the rest.
mod word {
    pub(super) const STEP: u8 = b's';
    pub(super) const FIRST: u8 = b'p';
    pub(super) const FAILED: u8 = b'e';
}

impl Machine {
    pub(super) fn prepare(index: usize, spec: &Spec, cgroups: &Cgroups) -> Outcome<Self> {
        let disk = Disk::make(spec)?;
        cgroups.create(spec)?;
        cgroup::check_limits(spec, &cgroups.usage(spec))?;
        let cut = vec![false; spec.interfaces.len()];
        Ok(Self { spec: spec.clone(), index, disk, cut, first: None, starts: 0, started: Instant::now() })
    }

    /// Starts its first process; it runs its own program when this returns.
    pub(super) fn start(&mut self, boot: &Boot, cgroups: &Cgroups) -> Outcome<()> {
        if self.starts > 0 {
            cgroups.clear(&self.spec);
        }
        self.starts = self.starts.saturating_add(1);
        self.started = Instant::now();
        let (ours, theirs) = descriptor::message_pair().doing(|| "make a socket pair".into())?;
        let builder = fork::fork(&[theirs.as_fd()], || {
            report(&theirs, build(self, boot, cgroups, &theirs));
            0
        })
        .doing(|| format!("start {}", self.spec.name))?;
        drop(theirs);
        self.guide(boot, &ours, builder, cgroups)
    }

    /// Takes its cables out of a network (of all where none is named), or puts them back. False: it is not on that network.
    pub(crate) fn set_link(&mut self, network: Option<&str>, up: bool) -> Outcome<bool> {
        let mut found = false;
        for (number, interface) in self.spec.interfaces.iter().enumerate() {
            if network.is_some_and(|network| network != interface.network) {
                continue;
            }
            found = true;
            if let Some(cut) = self.cut.get_mut(number) {
                *cut = !up;
            }
            // While it is down there is no cable; it comes up as it is remembered.
            if self.first.is_some() {
                switch::set_link(self.index, number, up)?;
            }
        }
        Ok(found)
    }

    /// M's part of the steps that B takes.
    fn guide(&mut self, boot: &Boot, ours: &OwnedFd, builder: Pid, cgroups: &Cgroups) -> Outcome<()> {
        expect(ours, word::STEP)?;
        for kind in ["uid", "gid"] {
            let map = format!("0 {} {IDS_PER_MACHINE}\n", self.spec.id_base);
            fs::write(format!("/proc/{builder}/{kind}_map"), map)
                .doing(|| format!("write the {kind} map of {}", self.spec.name))?;
        }
        cgroups.enter(&self.spec, builder)?;
        go_on(ours)?;
        expect(ours, word::STEP)?;
        cgroups.settle(&self.spec, builder)?;
        switch::plug(boot, self.index, &self.spec, &self.cut, builder)?;
        go_on(ours)?;
        let first = expect(ours, word::FIRST)?;
        let first = first
            .as_slice()
            .try_into()
            .map(i32::from_ne_bytes)
            .map_err(|_| fault(FaultKind::Failed, "a pid of the wrong size"))?;
        self.first = Some(Pid::from_raw(first));
        // Its end of the socket closes when it becomes its own program.
        match next(ours)? {
            None => Ok(()),
            Some((_, said)) => {
                Err(fault(FaultKind::Failed, format!("{}: {}", self.spec.name, String::from_utf8_lossy(&said))))
            }
        }
    }
}

/// B: a child of A that makes the machine's namespaces, then C within them.
fn build(machine: &Machine, boot: &Boot, cgroups: &Cgroups, link: &OwnedFd) -> Outcome<()> {
    let keep = Uid::from_raw(u32::MAX);
    // The owner's id makes the namespace, so that what it holds is counted for this sandbox.
    setresuid(keep, Uid::from_raw(boot.owner_uid), keep).doing(|| "become the owner".into())?;
    unshare(CloneFlags::CLONE_NEWUSER).doing(|| "make the machine's user namespace".into())?;
    ids::show().doing(|| "become dumpable".into())?;
    step(link)?;
    ids::become_id(0).doing(|| "become the machine's root".into())?;
    unshare(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWCGROUP,
    )
    .doing(|| "make the machine's namespaces".into())?;
    step(link)?;
    switch::connect(&machine.spec)?;
    let first = fork::sibling(&[link.as_fd()], || {
        report(link, inside::run(machine, boot, cgroups));
        70
    })
    .doing(|| "start the machine's first process".into())?;
    let mut message = vec![word::FIRST];
    message.extend_from_slice(&first.as_raw().to_ne_bytes());
    descriptor::send(link, &message, &[]).doing(|| "name the machine's first process".into())
}

/// Says that a step is done and waits until M has done its part.
fn step(link: &OwnedFd) -> Outcome<()> {
    descriptor::send(link, &[word::STEP], &[]).doing(|| "report a step".into())?;
    match descriptor::receive(link, MsgFlags::empty()).doing(|| "wait for the supervisor".into())? {
        (word, _) if word.is_empty() => Err(fault(FaultKind::Failed, "the supervisor gave up")),
        _ => Ok(()),
    }
}

fn go_on(ours: &OwnedFd) -> Outcome<()> {
    descriptor::send(ours, b"go", &[]).doing(|| "let the machine go on".into())
}

fn report<T>(link: &OwnedFd, outcome: Outcome<T>) {
    if let Err(fault) = outcome {
        let mut message = vec![word::FAILED];
        message.extend(fault.message.bytes().take(1024));
        // Nobody left to tell: the supervisor sees the end of the socket.
        let _ = descriptor::send(link, &message, &[]);
    }
}

fn next(ours: &OwnedFd) -> Outcome<Option<(u8, Vec<u8>)>> {
    if !descriptor::readable_within(ours, PATIENCE_MILLIS).doing(|| "wait for the machine".into())? {
        return Err(fault(FaultKind::TimedOut, "the machine did not get ahead"));
    }
    let (message, _) = descriptor::receive(ours, MsgFlags::empty()).doing(|| "hear from the machine".into())?;
    Ok(message.split_first().map(|(kind, rest)| (*kind, rest.to_vec())))
}

fn expect(ours: &OwnedFd, wanted: u8) -> Outcome<Vec<u8>> {
    match next(ours)? {
        Some((kind, rest)) if kind == wanted => Ok(rest),
        Some((_, said)) => Err(fault(FaultKind::Failed, String::from_utf8_lossy(&said).into_owned())),
        None => Err(fault(FaultKind::Failed, "it ended early")),
    }
}
