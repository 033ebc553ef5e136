//! From a lab to the sandbox that it asks for.

use time::OffsetDateTime;

use super::{Lab, Script};
use crate::{
    engine::SandboxId,
    grade::Variables,
    sandbox::{MachinePlan, SandboxPlan, Setup},
};

/// Two cores: an engine that starts, builds and serves at once is not slow with them.
const MILLI_CPUS: u32 = 2_000;

impl Lab {
    /// `image` is the lab's baked image by tag; the setup script gets [`Variables::environment`].
    pub fn plan(
        &self,
        id: SandboxId,
        owner: &str,
        generation: u32,
        expires: OffsetDateTime,
        image: &str,
        variables: &Variables,
    ) -> SandboxPlan {
        SandboxPlan {
            id,
            owner: owner.to_owned(),
            lab: self.id.to_string(),
            generation,
            expires,
            image: image.to_owned(),
            networks: self.networks.iter().map(|network| network.network.clone()).collect(),
            machines: self.machines.iter().map(machine).collect(),
            milli_cpus: MILLI_CPUS,
            setup: self.setup.iter().map(setup).collect(),
            variables: variables.environment().into_iter().collect(),
        }
    }
}

fn setup(script: &Script) -> Setup {
    Setup { machine: script.machine.to_string(), script: script.text.clone(), timeout: script.timeout }
}

fn machine(machine: &super::Machine) -> MachinePlan {
    MachinePlan {
        name: machine.name.to_string(),
        kind: machine.kind,
        memory_bytes: machine.memory_bytes,
        pids: machine.pids,
        disk_bytes: machine.disk_bytes,
        placement: machine.placement.clone(),
    }
}
