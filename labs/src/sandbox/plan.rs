//! What a lab asks for, and the sandbox that gives it. Pure.

use std::{collections::BTreeMap, time::Duration};

use bulkhead_agent::boot::{Boot, LONGEST_NAME, Machine, MachineKind};
use time::OffsetDateTime;

use super::{
    allocate::id_bases,
    networks::{self, Network, Placement, is_word},
};
use crate::engine::{Limits, SandboxId, SandboxSpec, Tier};

const MIB: u64 = 1024 * 1024;
/// A docker host's disk lies in memory; its engine and what the student runs need some beside it. Measured: with less the
/// kernel kills the engine when the disk fills.
const BESIDE_DISK: u64 = 512 * MIB;
/// The same without an engine.
const BESIDE_PLAIN_DISK: u64 = 64 * MIB;
/// The least that a machine without an engine works with.
const LEAST_MEMORY: u64 = 32 * MIB;
const LEAST_PIDS: u32 = 16;
/// For the agent itself and the platform's processes in transit, so that a machine at its limit can still be entered.
const AGENT_MEMORY: u64 = 64 * MIB;
const AGENT_PIDS: u32 = 64;
/// Each machine has an id range and an address of its own.
const MOST_MACHINES: usize = 8;
/// `setup.sh` and its like travel as one argument, which the kernel bounds at 128 KiB.
const LONGEST_SCRIPT: usize = 120 * 1024;

/// One student's sandbox for one lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxPlan {
    pub id: SandboxId,
    pub owner: String,
    pub lab: String,
    pub generation: u32,
    pub expires: OffsetDateTime,
    /// A baked image, by tag.
    pub image: String,
    /// None: one with every machine on it.
    pub networks: Vec<Network>,
    pub machines: Vec<MachinePlan>,
    pub milli_cpus: u32,
    /// One after the other, before the student may enter.
    pub setup: Vec<Setup>,
    /// Given to the setup scripts as environment.
    pub variables: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachinePlan {
    pub name: String,
    pub kind: MachineKind,
    pub memory_bytes: u64,
    pub pids: u32,
    /// Of the writable layer; 0 for a machine without one.
    pub disk_bytes: u64,
    pub placement: Placement,
}

/// Runs as root on `machine`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    pub machine: String,
    pub script: String,
    pub timeout: Duration,
}

/// Each says what to change in the lab.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("a sandbox needs 1 to {MOST_MACHINES} machines, not {0}")]
    Machines(usize),
    #[error("two machines are named {0:?}")]
    SameName(String),
    #[error("a machine's name is 1 to {LONGEST_NAME} of a-z, 0-9 and -, not {0:?}")]
    Name(String),
    #[error("a sandbox has one Docker host; {0:?} is a second one")]
    SecondHost(String),
    #[error("network {network:?}: {why}")]
    Network { network: String, why: String },
    #[error("machine {machine:?}: {why}")]
    Place { machine: String, why: String },
    #[error(
        "machine {machine:?} asks for {disk} MiB of disk and {memory} MiB of memory: the disk lies in memory, and what runs \
         there needs {beside} MiB beside it. Give it at least {needed} MiB of memory, or a smaller disk"
    )]
    Memory { machine: String, memory: u64, disk: u64, beside: u64, needed: u64 },
    #[error("machine {machine:?} asks for {asked} {what}; it needs at least {least}")]
    TooLittle { machine: String, what: &'static str, asked: u64, least: u64 },
    #[error("the setup script runs on machine {0:?}, which there is not")]
    SetupMachine(String),
    #[error("the setup script has {0} bytes; {LONGEST_SCRIPT} are the most")]
    SetupLength(usize),
    #[error("a sandbox needs some CPU")]
    Cpu,
}

impl SandboxPlan {
    /// Whether this can be had anywhere.
    pub fn check(&self) -> Result<(), PlanError> {
        if !(1..=MOST_MACHINES).contains(&self.machines.len()) {
            return Err(PlanError::Machines(self.machines.len()));
        }
        if self.milli_cpus == 0 {
            return Err(PlanError::Cpu);
        }
        for (place, machine) in self.machines.iter().enumerate() {
            machine.check()?;
            if self.machines[..place].iter().any(|before| before.name == machine.name) {
                return Err(PlanError::SameName(machine.name.clone()));
            }
        }
        if let Some(second) = self.machines.iter().filter(|m| m.kind == MachineKind::DockerHost).nth(1) {
            return Err(PlanError::SecondHost(second.name.clone()));
        }
        networks::lay(&networks::networks(&self.networks), &self.machines)?;
        for setup in &self.setup {
            if !self.machines.iter().any(|machine| machine.name == setup.machine) {
                return Err(PlanError::SetupMachine(setup.machine.clone()));
            }
            if setup.script.len() > LONGEST_SCRIPT {
                return Err(PlanError::SetupLength(setup.script.len()));
            }
        }
        Ok(())
    }

    /// What the whole sandbox may use.
    pub fn limits(&self) -> Limits {
        Limits {
            memory_bytes: self.machines.iter().map(|machine| machine.memory_bytes).sum::<u64>() + AGENT_MEMORY,
            pids: self.machines.iter().map(|machine| machine.pids).sum::<u32>() + AGENT_PIDS,
            milli_cpus: self.milli_cpus,
        }
    }

    pub(super) fn spec(&self, owner_uid: u32) -> Result<SandboxSpec, PlanError> {
        let networks = networks::networks(&self.networks);
        let ids = id_bases(self.machines.iter().map(|machine| machine.kind));
        let laid = networks::lay(&networks, &self.machines)?;
        let machines =
            self.machines.iter().zip(ids).zip(laid).map(|((machine, id_base), (interfaces, routes))| Machine {
                name: machine.name.clone(),
                kind: machine.kind,
                id_base,
                interfaces,
                routes,
                ip_forward: machine.placement.ip_forward,
                memory_bytes: machine.memory_bytes,
                pids: machine.pids,
                disk_bytes: machine.disk_bytes,
            });
        Ok(SandboxSpec {
            id: self.id.clone(),
            owner: self.owner.clone(),
            lab: self.lab.clone(),
            generation: self.generation,
            expires: self.expires,
            image: self.image.clone(),
            limits: self.limits(),
            boot: Boot {
                sandbox: self.id.to_string(),
                generation: self.generation,
                owner_uid,
                networks: networks.iter().map(|network| network.name.clone()).collect(),
                machines: machines.collect(),
            },
            tier: Tier::Userns,
        })
    }
}

impl MachinePlan {
    fn check(&self) -> Result<(), PlanError> {
        if !is_word(&self.name, LONGEST_NAME) {
            return Err(PlanError::Name(self.name.clone()));
        }
        let too_little =
            |what, asked, least| Err(PlanError::TooLittle { machine: self.name.clone(), what, asked, least });
        if self.kind.has_tree() && self.disk_bytes == 0 {
            return too_little("bytes of disk", 0, 64 * MIB);
        }
        if self.pids < LEAST_PIDS {
            return too_little("processes", self.pids.into(), LEAST_PIDS.into());
        }
        let beside = if self.kind == MachineKind::DockerHost { BESIDE_DISK } else { BESIDE_PLAIN_DISK };
        let least = if self.disk_bytes > 0 { self.disk_bytes + beside } else { LEAST_MEMORY };
        if self.memory_bytes >= least {
            return Ok(());
        }
        if self.disk_bytes == 0 {
            return too_little("bytes of memory", self.memory_bytes, least);
        }
        let sizes = [self.memory_bytes, self.disk_bytes, beside, least];
        let [memory, disk, beside, needed] = sizes.map(|bytes| bytes.div_ceil(MIB));
        Err(PlanError::Memory { machine: self.name.clone(), memory, disk, beside, needed })
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_agent::boot::Interface;

    use super::*;

    fn plan() -> SandboxPlan {
        let machine = |name: &str, kind, memory_mib, disk_mib| MachinePlan {
            name: name.to_owned(),
            kind,
            memory_bytes: memory_mib * MIB,
            pids: 500,
            disk_bytes: disk_mib * MIB,
            placement: Placement::default(),
        };
        SandboxPlan {
            id: SandboxId::parse("s1").expect("an id"),
            owner: "u1".to_owned(),
            lab: "l1".to_owned(),
            generation: 1,
            expires: OffsetDateTime::UNIX_EPOCH,
            image: "bulkhead/docker-host:1".to_owned(),
            networks: Vec::new(),
            machines: vec![
                machine("host", MachineKind::DockerHost, 1536, 1024),
                machine("probe", MachineKind::Probe, 64, 0),
            ],
            milli_cpus: 1500,
            setup: Vec::new(),
            variables: BTreeMap::new(),
        }
    }

    #[test]
    fn machines_get_ranges_and_addresses_of_their_own() {
        let plan = plan();
        plan.check().expect("a plan that fits");
        let spec = plan.spec(7).expect("a sandbox");
        let seen: Vec<_> =
            spec.boot.machines.iter().map(|machine| (machine.id_base, &machine.interfaces[..])).collect();
        let lan = |last| [Interface::lan([10, 77, 0, last])];
        assert_eq!(seen, [(100_000, &lan(2)[..]), (200_000, &lan(3)[..])]);
        assert_eq!(
            spec.limits,
            Limits { memory_bytes: (1536 + 64 + 64) * MIB, pids: 500 + 500 + 64, milli_cpus: 1500 }
        );
    }

    #[test]
    fn a_disk_needs_memory_beside_it() {
        let mut plan = plan();
        plan.machines[0].memory_bytes = 1535 * MIB;
        let error = plan.check().expect_err("one MiB too little");
        assert_eq!(
            error,
            PlanError::Memory { machine: "host".to_owned(), memory: 1535, disk: 1024, beside: 512, needed: 1536 }
        );
        assert!(error.to_string().contains("at least 1536 MiB"), "{error}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |change: fn(&mut SandboxPlan)| {
            let mut plan = plan();
            change(&mut plan);
            plan.check().expect_err("a plan that cannot be")
        };
        assert_eq!(refused(|plan| plan.machines.clear()), PlanError::Machines(0));
        assert_eq!(refused(|plan| plan.machines[1].name = "host".to_owned()), PlanError::SameName("host".to_owned()));
        assert_eq!(refused(|plan| plan.machines[1].name = "../x".to_owned()), PlanError::Name("../x".to_owned()));
        assert_eq!(
            refused(|plan| {
                let second = MachinePlan { name: "second".to_owned(), ..plan.machines[0].clone() };
                plan.machines.push(second);
            }),
            PlanError::SecondHost("second".to_owned())
        );
        assert_eq!(refused(|plan| plan.milli_cpus = 0), PlanError::Cpu);
        assert!(matches!(refused(|plan| plan.machines[0].pids = 1), PlanError::TooLittle { what: "processes", .. }));
        assert!(matches!(
            refused(|plan| plan.machines[0].disk_bytes = 0),
            PlanError::TooLittle { what: "bytes of disk", .. }
        ));
        let setup = |machine: &str, script: String| {
            vec![Setup { machine: machine.to_owned(), script, timeout: Duration::from_secs(1) }]
        };
        let mut on_nowhere = plan();
        on_nowhere.setup = setup("nowhere", String::new());
        assert_eq!(on_nowhere.check(), Err(PlanError::SetupMachine("nowhere".to_owned())));
        on_nowhere.setup = setup("host", "x".repeat(LONGEST_SCRIPT + 1));
        assert_eq!(on_nowhere.check(), Err(PlanError::SetupLength(LONGEST_SCRIPT + 1)));
    }
}
