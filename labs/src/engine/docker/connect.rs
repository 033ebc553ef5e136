//! Finding the engine, and learning what it can do.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker, models::SystemInfo};

use super::{
    DockerEngine, Inner, QUICK,
    container::Security,
    create::Slots,
    direct::Doors,
    error::{Failure, unreachable},
};
use crate::engine::{Capabilities, EngineError, Tier, fault::Faults, seccomp::Architecture};

/// Engine 20.10. Older ones know neither per-rule errno in seccomp profiles nor cgroup v2.
const OLDEST: (usize, usize) = (1, 41);
/// bollard's own bound on a request until its headers come; ours are tighter, but for streams.
const CLIENT_SECONDS: u64 = 120;
/// The profile that an administrator of an AppArmor machine loads (`bulkhead doctor` says how).
const APPARMOR_PROFILE: &str = "bulkhead-sandbox";

pub(super) async fn connect(instance: &str, socket: Option<&str>) -> Result<DockerEngine, EngineError> {
    let fits =
        (1..=24).contains(&instance.len()) && instance.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !fits {
        return Err(EngineError::Unsupported {
            what: format!("the instance name {instance:?}"),
            why: "it must be 1 to 24 of a-z and 0-9".to_owned(),
        });
    }
    let host = std::env::var("DOCKER_HOST").ok();
    let home = std::env::var("HOME").unwrap_or_default();
    let runtime = std::env::var("XDG_RUNTIME_DIR").unwrap_or_default();
    let socket = locate(socket, host.as_deref(), &home, &runtime, &|path| Path::new(path).exists())?;
    let docker = negotiate(&socket).await?;
    let info = within(&socket, "describe itself", docker.info()).await?;
    let version = docker.client_version();
    let inner = Inner {
        capabilities: capabilities(&info, version),
        architecture: architecture(&info)?,
        security: security(&info, &|profile| Path::new("/etc/apparmor.d").join(profile).exists()),
        docker,
        socket,
        instance: instance.to_owned(),
        faults: Faults::default(),
        slots: Slots::default(),
        doors: Doors::new(instance),
    };
    Ok(DockerEngine { inner: Arc::new(inner) })
}

async fn within<T>(
    socket: &str,
    what: &str,
    call: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(QUICK, call).await {
        Ok(result) => result.map_err(|error| Failure::new(what, socket, &error)),
        Err(_) => Err(unreachable(socket, "it does not answer in time", None).into()),
    }
}

/// The first that is named, else the first that exists.
fn locate(
    named: Option<&str>,
    host: Option<&str>,
    home: &str,
    runtime: &str,
    exists: &dyn Fn(&str) -> bool,
) -> Result<String, EngineError> {
    if let Some(named) = named.or(host.filter(|host| !host.is_empty())) {
        return match (named.strip_prefix("unix://"), named.contains("://")) {
            (Some(path), _) => Ok(path.to_owned()),
            (None, false) => Ok(named.to_owned()),
            (None, true) => Err(EngineError::Unreachable {
                socket: named.to_owned(),
                cause: "only local engines are supported".to_owned(),
                hint: "Name a Unix socket, as in DOCKER_HOST=unix:///var/run/docker.sock".to_owned(),
            }),
        };
    }
    let usual = [
        "/var/run/docker.sock".to_owned(),
        format!("{home}/.docker/run/docker.sock"),
        format!("{runtime}/docker.sock"),
    ];
    let found = usual.iter().find(|path| exists(path)).unwrap_or(&usual[0]);
    Ok(found.clone())
}

/// The newest version that both sides know. An engine refuses one that is newer than its own and names its newest.
async fn negotiate(socket: &str) -> Result<Docker, EngineError> {
    let open = |version: &ClientVersion| {
        Docker::connect_with_unix(socket, CLIENT_SECONDS, version)
            .map_err(|error| Failure::new("open its socket", socket, &error))
    };
    let newest = open(API_DEFAULT_VERSION)?;
    let docker = match within(socket, "name its version", newest.negotiate_version()).await {
        Ok(docker) => docker,
        Err(failure) => {
            let Some(theirs) = failure.bad_request().and_then(maximum) else { return Err(failure.into()) };
            let docker = open(&ClientVersion { major_version: theirs.0, minor_version: theirs.1 })?;
            within(socket, "name its version", docker.negotiate_version()).await?
        }
    };
    let version = docker.client_version();
    if (version.major_version, version.minor_version) < OLDEST {
        return Err(EngineError::Unsupported {
            what: format!("API version {}.{}", version.major_version, version.minor_version),
            why: format!("{}.{} (engine 20.10) is the oldest that has what a sandbox needs", OLDEST.0, OLDEST.1),
        });
    }
    Ok(docker)
}

/// From "client version 1.53 is too new. Maximum supported API version is 1.41".
fn maximum(refusal: &str) -> Option<(usize, usize)> {
    let (_, version) = refusal.split_once("Maximum supported API version is ")?;
    let version = version.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn capabilities(info: &SystemInfo, version: ClientVersion) -> Capabilities {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let switch = |value: Option<bool>| value.unwrap_or(false).to_string();
    let cgroup_version =
        info.cgroup_version.as_ref().map(ToString::to_string).and_then(|version| version.parse().ok()).unwrap_or(1);
    let details = BTreeMap::from([
        ("os".to_owned(), text(&info.operating_system)),
        ("architecture".to_owned(), text(&info.architecture)),
        ("storage driver".to_owned(), text(&info.driver)),
        ("data root".to_owned(), text(&info.docker_root_dir)),
        ("memory limit".to_owned(), switch(info.memory_limit)),
        ("swap limit".to_owned(), switch(info.swap_limit)),
        ("pids limit".to_owned(), switch(info.pids_limit)),
        ("cpu limit".to_owned(), switch(info.cpu_cfs_quota)),
        ("cpus".to_owned(), info.ncpu.unwrap_or_default().to_string()),
        ("memory".to_owned(), info.mem_total.unwrap_or_default().to_string()),
        ("security".to_owned(), info.security_options.clone().unwrap_or_default().join(" ")),
    ]);
    Capabilities {
        engine: "docker".to_owned(),
        version: text(&info.server_version),
        api_version: format!("{}.{}", version.major_version, version.minor_version),
        cgroup_version,
        kernel: text(&info.kernel_version),
        tiers: vec![Tier::Userns],
        details,
    }
}

fn architecture(info: &SystemInfo) -> Result<Architecture, EngineError> {
    let name = info.architecture.as_deref().unwrap_or_default();
    Architecture::parse(name).ok_or_else(|| EngineError::Unsupported {
        what: format!("architecture {name:?}"),
        why: "there are seccomp profiles for x86_64 and aarch64 only".to_owned(),
    })
}

fn security(info: &SystemInfo, profile_exists: &dyn Fn(&str) -> bool) -> Security {
    let has = |module: &str| {
        info.security_options
            .iter()
            .flatten()
            .any(|option| option.split(',').any(|part| part == format!("name={module}")))
    };
    let apparmor = if profile_exists(APPARMOR_PROFILE) { APPARMOR_PROFILE } else { "unconfined" };
    Security { apparmor: has("apparmor").then(|| apparmor.to_owned()), selinux: has("selinux") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_socket_wins_and_tcp_is_refused_with_advice() {
        let none = |_: &str| false;
        let find = |named, host| locate(named, host, "/home/me", "/run/user/1", &none);
        assert_eq!(find(Some("/a.sock"), Some("unix:///b.sock")).expect("a path"), "/a.sock");
        assert_eq!(find(None, Some("unix:///b.sock")).expect("an address"), "/b.sock");
        assert_eq!(find(None, Some("")).expect("the default"), "/var/run/docker.sock");
        assert!(find(None, Some("tcp://10.0.0.1:2375")).expect_err("a remote engine").to_string().contains("unix:///"));
        let desktop = |path: &str| path.contains(".docker/run");
        assert_eq!(locate(None, None, "/home/me", "", &desktop).expect("a path"), "/home/me/.docker/run/docker.sock");
    }

    #[test]
    fn an_older_engine_names_its_version() {
        assert_eq!(maximum("client version 1.53 is too new. Maximum supported API version is 1.41"), Some((1, 41)));
        assert_eq!(maximum("page not found"), None);
    }

    #[test]
    fn apparmor_is_asked_for_where_it_is() {
        let info = |options: &[&str]| SystemInfo {
            security_options: Some(options.iter().map(ToString::to_string).collect()),
            ..Default::default()
        };
        let plain = security(&info(&["name=seccomp,profile=default"]), &|_| true);
        assert_eq!((plain.apparmor, plain.selinux), (None, false));
        let ubuntu = security(&info(&["name=apparmor", "name=seccomp,profile=builtin"]), &|_| true);
        assert_eq!(ubuntu.apparmor.as_deref(), Some("bulkhead-sandbox"));
        let fedora = security(&info(&["name=selinux"]), &|_| false);
        assert!(fedora.selinux);
    }
}
