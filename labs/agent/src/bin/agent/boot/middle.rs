//! A, in the middle namespace: builds what the machines stand on, starts them, and becomes the supervisor.

use std::{convert::Infallible, fs, os::fd::OwnedFd};

use bulkhead_agent::boot::Boot;
use nix::{
    sched::{CloneFlags, unshare},
    sys::{prctl, signal::Signal},
};

use super::{cgroup::Cgroups, machine::Machine, switch};
use crate::{
    fault::{Doing, Outcome},
    supervisor,
    sys::{ids, mount},
};

/// What the whole sandbox may have of kernel objects that are counted by user.
const KERNEL_OBJECTS: [(&str, u32); 9] = [
    ("user_namespaces", 512),
    ("mnt_namespaces", 512),
    ("pid_namespaces", 256),
    ("net_namespaces", 256),
    ("ipc_namespaces", 256),
    ("uts_namespaces", 256),
    ("cgroup_namespaces", 256),
    ("inotify_instances", 256),
    ("inotify_watches", 16_384),
];

/// All that the supervisor keeps.
pub(crate) struct Sandbox {
    pub(crate) boot: Boot,
    pub(crate) cgroups: Cgroups,
    pub(crate) machines: Vec<Machine>,
}

impl Sandbox {
    /// The machine of that name and its place.
    pub(crate) fn machine(&self, name: &str) -> Option<(usize, &Machine)> {
        self.machines.iter().enumerate().find(|(_, machine)| machine.spec.name == name)
    }

    /// Starts a machine whose first process does not run.
    pub(crate) fn start(&mut self, index: usize) -> Outcome<()> {
        let Self { boot, cgroups, machines } = self;
        machines.get_mut(index).map_or(Ok(()), |machine| machine.start(boot, cgroups))
    }
}

pub(super) fn run(boot: Boot, listener: OwnedFd) -> Outcome<Infallible> {
    ids::become_id(0).doing(|| "become root of the middle namespace".into())?;
    prctl::set_pdeathsig(Signal::SIGKILL).doing(|| "end with the first process".into())?;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNET)
        .doing(|| "make the middle namespaces".into())?;
    ids::hide().doing(|| "hide".into())?;
    mount::make_private()?;
    for (object, most) in KERNEL_OBJECTS {
        fs::write(format!("/proc/sys/user/max_{object}"), most.to_string()).doing(|| format!("limit {object}"))?;
    }
    mount::fresh("tmpfs", "/run", mount::PLAIN, "mode=755,size=1m")?;
    let cgroups = Cgroups::mount("/run/cg".as_ref())?;
    switch::make(&boot)?;
    let machines = boot
        .machines
        .iter()
        .enumerate()
        .map(|(index, spec)| Machine::prepare(index, spec, &cgroups))
        .collect::<Outcome<_>>()?;
    let mut sandbox = Sandbox { boot, cgroups, machines };
    for index in 0..sandbox.machines.len() {
        sandbox.start(index)?;
    }
    supervisor::run(sandbox, listener)
}
