//! The sandbox as the kernel shows it now.

use bulkhead_agent::{
    boot::MachineKind,
    protocol::{MachineStatus, PROTOCOL, Reply, Status},
};
use nix::sys::{statvfs::statvfs, utsname::uname};

use super::Sandbox;
use crate::{boot::machine::Machine, look};

pub(crate) fn of(sandbox: &Sandbox) -> Reply {
    Reply::Status(Status {
        protocol: PROTOCOL,
        sandbox: sandbox.boot.sandbox.clone(),
        generation: sandbox.boot.generation,
        cgroup_version: sandbox.cgroups.version(),
        kernel: uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default(),
        outer: sandbox.cgroups.outer(),
        machines: sandbox.machines.iter().map(|machine| of_machine(sandbox, machine)).collect(),
    })
}

fn of_machine(sandbox: &Sandbox, machine: &Machine) -> MachineStatus {
    let usage = sandbox.cgroups.usage(&machine.spec);
    let disk = machine.disk.state.as_deref().and_then(|state| statvfs(state).ok());
    let (size, used) = disk.map_or((None, 0), |disk| {
        let block = disk.fragment_size();
        (Some(disk.blocks() * block), (disk.blocks() - disk.blocks_free()) * block)
    });
    MachineStatus {
        name: machine.spec.name.clone(),
        up: machine.first.is_some(),
        engine: machine.spec.kind == MachineKind::DockerHost && look::engine_answers(machine),
        restarts: machine.starts.saturating_sub(1),
        memory_bytes: usage.memory_bytes,
        pids: usage.pids,
        disk_bytes: size,
        memory_used_bytes: usage.memory_used_bytes,
        pids_used: usage.pids_used,
        disk_used_bytes: used,
    }
}
