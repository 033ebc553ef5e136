//! A sandbox as a container, both ways. Pure.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary,
    ContainerSummaryStateEnum, HostConfig, HostConfigLogConfig, RestartPolicy, RestartPolicyNameEnum,
};
use bulkhead_agent::{
    boot::{AGENT_PATH, BOOT_VARIABLE},
    protocol::Status,
};
use time::OffsetDateTime;

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
const CAPABILITIES: [&str; 4] = ["SETUID", "SETGID", "SETFCAP", "CHOWN"];
/// The kernel rounds limits to pages, and tmpfs its size up.
const ROUNDING: u64 = 64 * 1024;

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
        binds: Some(vec!["/sys:/run/hsys".to_owned()]),
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

/// Compares what the engine and the kernel say with what was asked; the first that is weaker is the error.
pub(super) fn verify(spec: &SandboxSpec, host: &HostConfig, status: &Status) -> Result<(), EngineError> {
    let memory = signed(spec.limits.memory_bytes);
    let asked = [
        ("the memory limit", host.memory, memory),
        ("the limit on memory and swap", host.memory_swap, memory),
        ("the limit on processes", host.pids_limit, spec.limits.pids.into()),
        ("the CPU limit", host.nano_cpus, i64::from(spec.limits.milli_cpus) * 1_000_000),
    ];
    for (what, effective, asked) in asked {
        if effective != Some(asked) {
            return Err(weaker(
                what,
                &format!(
                    "asked for {asked}, the engine set {}",
                    effective.map_or("nothing".to_owned(), |value| value.to_string())
                ),
            ));
        }
    }
    let closed = [
        ("a container without privileges", host.privileged != Some(true)),
        ("a read-only root", host.readonly_rootfs == Some(true)),
        ("no network", host.network_mode.as_deref() == Some("none")),
        ("our seccomp profile", host.security_opt.iter().flatten().any(|option| option.starts_with("seccomp={"))),
        ("dropped capabilities", host.cap_drop.iter().flatten().any(|cap| cap == "ALL")),
        ("four capabilities only", host.cap_add.as_ref().is_some_and(|caps| caps.len() == CAPABILITIES.len())),
    ];
    if let Some((what, _)) = closed.iter().find(|(_, holds)| !holds) {
        return Err(weaker(what, "the engine set something else"));
    }
    if status.sandbox != spec.id.as_str() || status.generation != spec.generation {
        return Err(weaker(
            "this sandbox",
            &format!("its agent says that it is {} in generation {}", status.sandbox, status.generation),
        ));
    }
    for machine in &spec.boot.machines {
        let Some(seen) = status.machines.iter().find(|seen| seen.name == machine.name) else {
            return Err(weaker(&format!("machine {}", machine.name), "the agent does not know it"));
        };
        let limits = [
            ("memory", seen.memory_bytes, machine.memory_bytes),
            ("processes", seen.pids, machine.pids.into()),
            ("disk", seen.disk_bytes, machine.disk_bytes),
        ];
        for (what, effective, asked) in limits.into_iter().filter(|(.., asked)| *asked > 0) {
            if effective.is_none_or(|effective| effective > asked + ROUNDING) {
                let effective = effective.map_or("no limit".to_owned(), |value| value.to_string());
                return Err(weaker(
                    &format!("the limit on {what} of machine {}", machine.name),
                    &format!("asked for {asked}, the kernel has {effective}"),
                ));
            }
        }
    }
    Ok(())
}

fn weaker(what: &str, why: &str) -> EngineError {
    EngineError::Unsupported { what: what.to_owned(), why: why.to_owned() }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn millis(time: OffsetDateTime) -> i128 {
    time.unix_timestamp_nanos() / 1_000_000
}
