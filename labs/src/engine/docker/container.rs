//! A sandbox as a container: the one that is asked for, and what labels tell of one that is there. Pure.

use std::{collections::HashMap, path::Path};

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary,
    ContainerSummaryStateEnum, HostConfig, HostConfigLogConfig, RestartPolicy, RestartPolicyNameEnum,
};
use bulkhead_agent::boot::{AGENT_PATH, BOOT_VARIABLE};
use time::OffsetDateTime;

use super::direct;

use crate::engine::{
    EngineError, EngineState, SandboxId, SandboxSpec, SandboxSummary,
    seccomp::{self, Architecture},
};

pub(super) const INSTANCE: &str = "bulkhead.instance";
const SANDBOX: &str = "bulkhead.sandbox";
const OWNER: &str = "bulkhead.owner";
const LAB: &str = "bulkhead.lab";
const GENERATION: &str = "bulkhead.generation";
const EXPIRES: &str = "bulkhead.expires";
const OWNER_UID: &str = "bulkhead.uid";

/// All that the agent needs: it writes id maps (SETUID, SETGID, SETFCAP) and gives terminals to students (CHOWN).
pub(super) const CAPABILITIES: [&str; 4] = ["SETUID", "SETGID", "SETFCAP", "CHOWN"];

/// What the engine's machine has beside seccomp.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Security {
    /// The profile to ask for, where AppArmor is on.
    pub(super) apparmor: Option<String>,
    pub(super) selinux: bool,
}

pub(super) fn body(
    spec: &SandboxSpec,
    instance: &str,
    architecture: Architecture,
    security: &Security,
    doors: &Path,
) -> Result<ContainerCreateBody, EngineError> {
    let boot = serde_json::to_string(&spec.boot)
        .map_err(|error| EngineError::Unsupported { what: "this boot".to_owned(), why: error.to_string() })?;
    let memory = signed(spec.limits.memory_bytes);
    let mut options = vec![format!("seccomp={}", seccomp::profile(architecture))];
    options.extend(security.apparmor.iter().map(|profile| format!("apparmor={profile}")));
    options.extend(security.selinux.then(|| "label=disable".to_owned()));
    let host = HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(CAPABILITIES.map(str::to_owned).to_vec()),
        security_opt: Some(options),
        // `systempaths=unconfined` of the command line: a masked /proc cannot be mounted anew below.
        masked_paths: Some(Vec::new()),
        readonly_paths: Some(Vec::new()),
        network_mode: Some("none".to_owned()),
        readonly_rootfs: Some(true),
        // The agent reads the outer cgroup and mounts sysfs from here; machines never see it.
        binds: Some(vec!["/sys:/run/hsys".to_owned(), format!("{}:{}:ro", doors.display(), direct::INSIDE)]),
        memory: Some(memory),
        memory_swap: Some(memory),
        pids_limit: Some(spec.limits.pids.into()),
        nano_cpus: Some(i64::from(spec.limits.milli_cpus) * 1_000_000),
        // Before the platform and its database, a sandbox goes.
        oom_score_adj: Some(500),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from(
                [("max-size", "256k"), ("max-file", "1")].map(|(key, value)| (key.to_owned(), value.to_owned())),
            )),
        }),
        ..Default::default()
    };
    let labels = [
        (INSTANCE, instance.to_owned()),
        (SANDBOX, spec.id.to_string()),
        (OWNER, spec.owner.clone()),
        (LAB, spec.lab.clone()),
        (GENERATION, spec.generation.to_string()),
        (EXPIRES, millis(spec.expires).to_string()),
        (OWNER_UID, spec.boot.owner_uid.to_string()),
    ];
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        hostname: Some("sandbox".to_owned()),
        entrypoint: Some(vec![AGENT_PATH.to_owned(), "boot".to_owned()]),
        cmd: Some(Vec::new()),
        user: Some("0:0".to_owned()),
        env: Some(vec![format!("{BOOT_VARIABLE}={boot}")]),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
        network_disabled: Some(true),
        host_config: Some(host),
        ..Default::default()
    })
}

pub(super) fn inspected(found: &ContainerInspectResponse) -> Option<SandboxSummary> {
    summary(found.config.as_ref()?.labels.as_ref()?, inspected_state(found))
}

pub(super) fn inspected_state(found: &ContainerInspectResponse) -> EngineState {
    match found.state.as_ref().and_then(|state| state.status) {
        Some(ContainerStateStatusEnum::CREATED) => EngineState::Created,
        Some(ContainerStateStatusEnum::RUNNING) => EngineState::Running,
        _ => EngineState::Dead,
    }
}

pub(super) fn listed(found: &ContainerSummary) -> Option<SandboxSummary> {
    let state = match found.state {
        Some(ContainerSummaryStateEnum::CREATED) => EngineState::Created,
        Some(ContainerSummaryStateEnum::RUNNING) => EngineState::Running,
        _ => EngineState::Dead,
    };
    summary(found.labels.as_ref()?, state)
}

/// A label that makes no sense makes the sandbox expired, not invisible: the reaper takes it.
fn summary(labels: &HashMap<String, String>, state: EngineState) -> Option<SandboxSummary> {
    let text = |key: &str| labels.get(key).cloned().unwrap_or_default();
    let expires = text(EXPIRES)
        .parse::<i64>()
        .ok()
        .and_then(|millis| OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok());
    Some(SandboxSummary {
        id: SandboxId::parse(labels.get(SANDBOX)?)?,
        owner: text(OWNER),
        lab: text(LAB),
        generation: text(GENERATION).parse().unwrap_or(0),
        expires: expires.unwrap_or(OffsetDateTime::UNIX_EPOCH),
        state,
        instance: labels.get(INSTANCE)?.clone(),
        owner_uid: text(OWNER_UID).parse().unwrap_or(0),
    })
}

pub(super) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn millis(time: OffsetDateTime) -> i128 {
    time.unix_timestamp_nanos() / 1_000_000
}

#[cfg(test)]
pub(super) mod tests {
    use bulkhead_agent::boot::{Boot, Interface, LAN, Machine, MachineKind};

    use super::*;
    use crate::engine::{Limits, Tier};

    pub(in super::super) fn spec() -> SandboxSpec {
        let machine = |name: &str, kind, id_base, disk_bytes| Machine {
            name: name.to_owned(),
            kind,
            id_base,
            interfaces: vec![Interface::lan([10, 77, 0, 2])],
            routes: Vec::new(),
            ip_forward: false,
            memory_bytes: 64 << 20,
            pids: 100,
            disk_bytes,
        };
        SandboxSpec {
            id: SandboxId::parse("s-1").expect("an id"),
            owner: "u1".to_owned(),
            lab: "lab".to_owned(),
            generation: 3,
            expires: OffsetDateTime::from_unix_timestamp_nanos(1_900_000_000_123_456_789).expect("a time"),
            image: "bulkhead/docker-host:1".to_owned(),
            limits: Limits { memory_bytes: 1 << 30, pids: 264, milli_cpus: 1500 },
            boot: Boot {
                sandbox: "s-1".to_owned(),
                generation: 3,
                owner_uid: 0x7000_0001,
                networks: vec![LAN.to_owned()],
                machines: vec![
                    machine("host", MachineKind::DockerHost, 100_000, 32 << 20),
                    machine("probe", MachineKind::Probe, 200_000, 0),
                ],
            },
            tier: Tier::Userns,
        }
    }

    pub(in super::super) fn asked() -> ContainerCreateBody {
        body(&spec(), "one", Architecture::X86_64, &Security::default(), "/run/bulkhead/one/s".as_ref())
            .expect("a body")
    }

    #[test]
    fn what_is_asked_of_the_engine_is_as_reviewed() {
        let mut body = asked();
        // The profile has a snapshot of its own.
        let host = body.host_config.as_mut().expect("a host config");
        for option in host.security_opt.iter_mut().flatten() {
            option.truncate("seccomp={".len());
        }
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!("container", body) });
    }

    #[test]
    fn labels_come_back_as_the_summary() {
        let labels = asked().labels.expect("labels");
        let found = summary(&labels, EngineState::Running).expect("a summary");
        let spec = spec();
        assert_eq!((found.id, found.owner, found.lab, found.generation), (spec.id, spec.owner, spec.lab, 3));
        assert_eq!((found.instance.as_str(), found.owner_uid, found.state), ("one", 0x7000_0001, EngineState::Running));
        assert_eq!(found.expires.unix_timestamp_nanos(), 1_900_000_000_123_000_000, "whole milliseconds");
    }

    #[test]
    fn labels_that_make_no_sense_mean_expired() {
        let labels = [(SANDBOX, "x"), (INSTANCE, "one"), (EXPIRES, "soon")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let found = summary(&labels, EngineState::Dead).expect("a summary");
        assert_eq!((found.expires, found.generation), (OffsetDateTime::UNIX_EPOCH, 0));
        assert_eq!(summary(&HashMap::new(), EngineState::Dead), None, "not ours");
    }

    #[test]
    fn security_modules_are_told_to_let_the_agent_work() {
        let security = Security { apparmor: Some("bulkhead-sandbox".to_owned()), selinux: true };
        let body =
            body(&spec(), "one", Architecture::Aarch64, &security, "/run/bulkhead/one/s".as_ref()).expect("a body");
        let options = body.host_config.and_then(|host| host.security_opt).expect("options");
        assert!(options[0].contains("SCMP_ARCH_AARCH64"));
        assert_eq!(options[1..], ["apparmor=bulkhead-sandbox", "label=disable"]);
    }
}
