//! Facts to rows. Pure: what a newcomer must do is decided and tested here.

use super::{
    Row, RowStatus,
    facts::{EngineFacts, HostFacts, ImageFacts},
};
use crate::engine::EngineError;

const GIB: u64 = 1024 * 1024 * 1024;
/// Overlay file systems in a user namespace.
const OVERLAY_KERNEL: (u32, u32) = (5, 11);
/// User attributes on tmpfs, without which an overlay on it cannot delete directories.
const TMPFS_KERNEL: (u32, u32) = (6, 6);

pub(super) fn ok(id: &str, title: &str, detail: impl Into<String>) -> Row {
    Row { id: id.to_owned(), title: title.to_owned(), status: RowStatus::Ok, detail: detail.into(), fix: None }
}

pub(super) fn fail(id: &str, title: &str, detail: impl Into<String>, fix: impl Into<String>) -> Row {
    Row { status: RowStatus::Fail, fix: Some(fix.into()), ..ok(id, title, detail) }
}

pub(super) fn warn(id: &str, title: &str, detail: impl Into<String>, fix: impl Into<String>) -> Row {
    Row { status: RowStatus::Warn, ..fail(id, title, detail, fix) }
}

pub(super) fn host(facts: &HostFacts) -> Vec<Row> {
    let (id, title) = ("user-namespaces", "User namespaces");
    let namespaces = match (facts.max_user_namespaces, facts.unprivileged_user_namespaces) {
        (Some(0), _) => fail(
            id,
            title,
            "the kernel allows none (user.max_user_namespaces = 0)",
            "Allow them: `echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/90-bulkhead.conf && sudo sysctl --system`",
        ),
        (_, Some(false)) => fail(
            id,
            title,
            "only root may make them (kernel.unprivileged_userns_clone = 0)",
            "Allow them: `echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/90-bulkhead.conf && sudo sysctl --system`",
        ),
        (Some(most), _) if most < 1000 => warn(
            id,
            title,
            format!("{most} at most, and each container that a student starts may take one"),
            "Allow more: `echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/90-bulkhead.conf && sudo sysctl --system`",
        ),
        (Some(most), _) => ok(id, title, format!("up to {most}")),
        (None, _) => fail(
            id,
            title,
            "this kernel was built without them",
            "Run Bulkhead on a kernel with CONFIG_USER_NS, as all common distributions have",
        ),
    };
    let (id, title) = ("apparmor", "AppArmor and user namespaces");
    let apparmor = match (facts.apparmor_restricts_user_namespaces, facts.apparmor_profile) {
        (Some(true), false) => fail(
            id,
            title,
            "AppArmor takes a user namespace's capabilities away (kernel.apparmor_restrict_unprivileged_userns = 1)",
            "Load a profile for sandboxes once: `printf 'abi <abi/4.0>,\\nprofile bulkhead-sandbox flags=(unconfined) {\\n  userns,\\n}\\n' \
             | sudo tee /etc/apparmor.d/bulkhead-sandbox && sudo apparmor_parser -r /etc/apparmor.d/bulkhead-sandbox`",
        ),
        (Some(true), true) => ok(id, title, "restricted, and the profile bulkhead-sandbox lifts it for sandboxes"),
        (Some(false), _) => ok(id, title, "not restricted"),
        (None, _) => ok(id, title, "the kernel knows no such restriction"),
    };
    vec![namespaces, apparmor]
}

pub(super) fn no_engine(error: &EngineError) -> Row {
    let (id, title) = ("engine", "Container engine");
    match error {
        EngineError::Unreachable { socket, cause, hint } => fail(id, title, format!("{socket}: {cause}"), hint),
        EngineError::Unsupported { what, why } => fail(
            id,
            title,
            format!("{what}: {why}"),
            "Install Docker Engine 20.10 or newer (`sudo apt install docker.io`)",
        ),
        other => fail(id, title, other.to_string(), "See what it says in its log: `sudo journalctl -u docker`"),
    }
}

pub(super) fn engine(facts: &EngineFacts) -> Vec<Row> {
    let capabilities = &facts.capabilities;
    let detail = |key: &str| capabilities.details.get(key).map(String::as_str).unwrap_or_default();
    let security = |module: &str| detail("security").split([' ', ',']).any(|part| part == format!("name={module}"));
    let engine = format!(
        "Docker {} at {}, API {}, {}",
        capabilities.version,
        facts.socket,
        capabilities.api_version,
        detail("os")
    );
    let mut rows = vec![ok("engine", "Container engine", engine)];

    let (id, title) = ("rootful", "Engine with a full range of ids");
    rows.push(if security("rootless") {
        fail(id, title, "the engine runs rootless: it has too few ids for two machines", "Use a rootful engine: `sudo systemctl start docker`, and unset DOCKER_HOST")
    } else if security("userns") {
        fail(
            id,
            title,
            "the engine remaps ids (userns-remap): it has too few for two machines",
            "Remove `userns-remap` from /etc/docker/daemon.json, or run a second engine with a socket of its own and name it in DOCKER_HOST",
        )
    } else {
        ok(id, title, "rootful, without userns-remap")
    });

    let (id, title) = ("kernel", "Kernel");
    let kernel = &capabilities.kernel;
    rows.push(match version(kernel) {
        None => warn(
            id,
            title,
            format!("{kernel:?} is no version that can be read"),
            "See below whether a sandbox boots; if so, all is well",
        ),
        Some(found) if found < OVERLAY_KERNEL => {
            fail(id, title, format!("{kernel}: no overlay file systems in a user namespace before 5.11"), upgrade())
        }
        Some(found) if found < TMPFS_KERNEL => {
            fail(id, title, format!("{kernel}: before 6.6 an overlay on tmpfs cannot delete directories"), upgrade())
        }
        Some(_) => ok(id, title, format!("{kernel}: overlay in a user namespace, on tmpfs")),
    });

    let missing: Vec<_> = ["memory limit", "swap limit", "pids limit", "cpu limit"]
        .into_iter()
        .filter(|limit| detail(limit) != "true")
        .collect();
    let (id, title) = ("limits", "Limits (cgroups)");
    let cgroup = format!("cgroup v{}", capabilities.cgroup_version);
    rows.push(if missing.is_empty() {
        ok(id, title, format!("{cgroup}: memory, swap, processes, CPU"))
    } else {
        fail(
            id,
            title,
            format!("{cgroup}: the engine cannot set a {}", missing.join(", ")),
            "Add `cgroup_enable=memory swapaccount=1` to the kernel's command line (GRUB_CMDLINE_LINUX in /etc/default/grub, `sudo update-grub`, reboot), \
             or boot with cgroup v2 (`systemd.unified_cgroup_hierarchy=1`)",
        )
    });

    let (id, title) = ("seccomp", "System call filter");
    rows.push(if security("seccomp") {
        ok(id, title, "seccomp, with a profile of our own for each sandbox")
    } else {
        fail(
            id,
            title,
            "the engine or its kernel has no seccomp",
            "Use your distribution's engine and kernel; both have it since 2016",
        )
    });

    let (id, title) = ("disk", "Disk");
    let root = detail("data root");
    let space = "Free some: `docker system prune`, or move the engine's data (`data-root` in /etc/docker/daemon.json)";
    rows.push(match facts.free_bytes {
        None => warn(
            id,
            title,
            format!("{root} cannot be seen from here"),
            "Make sure that the engine has 5 GiB for images",
        ),
        Some(free) if free < 2 * GIB => fail(id, title, format!("{} left in {root}", gib(free)), space),
        Some(free) if free < 5 * GIB => warn(
            id,
            title,
            format!("{} left in {root}; images take about 3 GiB while they are built", gib(free)),
            space,
        ),
        Some(free) => ok(id, title, format!("{} left in {root}", gib(free))),
    });

    let (id, title) = ("memory", "Memory");
    let memory: u64 = detail("memory").parse().unwrap_or(0);
    rows.push(if memory < 2 * GIB {
        fail(
            id,
            title,
            format!("{} in all; one sandbox may take 2 GiB", gib(memory)),
            "Give this machine at least 4 GiB of memory",
        )
    } else if memory < 4 * GIB {
        warn(
            id,
            title,
            format!("{} in all: one or two sandboxes at a time", gib(memory)),
            "Give this machine 4 GiB of memory or more",
        )
    } else {
        ok(id, title, format!("{} in all", gib(memory)))
    });
    rows
}

pub(super) fn images(facts: &ImageFacts) -> Row {
    let (id, title) = ("images", "Sandbox images");
    let build = "Build them: `bulkhead images build` (some minutes, once)";
    if let Some(trouble) = &facts.trouble {
        return fail(id, title, trouble, build);
    }
    match (facts.present.as_slice(), facts.missing.as_slice()) {
        ([], []) => warn(id, title, "no lab asks for one", "Add a lab: `bulkhead lab new`"),
        (present, []) => ok(id, title, format!("{} of {}", present.len(), present.len())),
        (present, missing) => fail(
            id,
            title,
            format!("{} of {}; missing: {}", present.len(), present.len() + missing.len(), missing.join(", ")),
            build,
        ),
    }
}

fn upgrade() -> &'static str {
    "Use a kernel from 6.6 on: Debian 13, Ubuntu 24.04, or on Debian 12 the one from backports (`sudo apt install -t bookworm-backports linux-image-amd64`)"
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn gib(bytes: u64) -> String {
    format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::{Capabilities, Tier};

    fn facts(change: impl FnOnce(&mut EngineFacts)) -> Vec<Row> {
        let details = [
            ("security", "name=seccomp,profile=default"),
            ("data root", "/var/lib/docker"),
            ("memory limit", "true"),
            ("swap limit", "true"),
            ("pids limit", "true"),
            ("cpu limit", "true"),
            ("memory", "8589934592"),
        ];
        let capabilities = Capabilities {
            engine: "docker".to_owned(),
            version: "20.10.24".to_owned(),
            api_version: "1.41".to_owned(),
            cgroup_version: 1,
            kernel: "6.12.9-amd64".to_owned(),
            tiers: vec![Tier::Userns],
            details: details
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
        };
        let mut facts =
            EngineFacts { capabilities, socket: "/var/run/docker.sock".to_owned(), free_bytes: Some(9 * GIB) };
        change(&mut facts);
        engine(&facts)
    }

    fn of<'a>(rows: &'a [Row], id: &str) -> &'a Row {
        rows.iter().find(|row| row.id == id).expect("the row")
    }

    #[test]
    fn a_good_machine_is_all_green() {
        let rows = facts(|_| {});
        assert!(rows.iter().all(|row| row.status == RowStatus::Ok), "{rows:?}");
        let good = HostFacts { max_user_namespaces: Some(96_000), ..Default::default() };
        assert!(host(&good).iter().all(|row| row.status == RowStatus::Ok));
    }

    #[test]
    fn whatever_is_wrong_says_what_to_do() {
        let set = |key: &'static str, value: &'static str| {
            move |facts: &mut EngineFacts| {
                facts.capabilities.details.insert(key.to_owned(), value.to_owned());
            }
        };
        let kernel =
            |release: &'static str| move |facts: &mut EngineFacts| facts.capabilities.kernel = release.to_owned();
        let cases = [
            ("rootful", RowStatus::Fail, facts(set("security", "name=seccomp,profile=builtin name=rootless"))),
            ("rootful", RowStatus::Fail, facts(set("security", "name=seccomp,profile=builtin name=userns"))),
            ("seccomp", RowStatus::Fail, facts(set("security", ""))),
            ("limits", RowStatus::Fail, facts(set("swap limit", "false"))),
            ("kernel", RowStatus::Fail, facts(kernel("5.10.0-30-amd64"))),
            ("kernel", RowStatus::Fail, facts(kernel("6.1.0-28-amd64"))),
            ("kernel", RowStatus::Warn, facts(kernel("custom"))),
            ("disk", RowStatus::Fail, facts(|facts| facts.free_bytes = Some(GIB))),
            ("disk", RowStatus::Warn, facts(|facts| facts.free_bytes = None)),
            ("memory", RowStatus::Fail, facts(set("memory", "1073741824"))),
        ];
        for (id, status, rows) in cases {
            let row = of(&rows, id);
            assert_eq!(row.status, status, "{row:?}");
            assert!(rows.iter().all(|row| (row.status == RowStatus::Ok) == row.fix.is_none()), "{rows:?}");
        }
    }

    #[test]
    fn a_host_that_forbids_namespaces_is_told_how_to_allow_them() {
        let most = Some(1000);
        let cases = [
            (
                HostFacts { max_user_namespaces: Some(0), ..Default::default() },
                "user-namespaces",
                "max_user_namespaces=15000",
            ),
            (
                HostFacts {
                    max_user_namespaces: most,
                    unprivileged_user_namespaces: Some(false),
                    ..Default::default()
                },
                "user-namespaces",
                "userns_clone=1",
            ),
            (
                HostFacts {
                    max_user_namespaces: most,
                    apparmor_restricts_user_namespaces: Some(true),
                    ..Default::default()
                },
                "apparmor",
                "apparmor_parser",
            ),
        ];
        for (facts, id, advice) in cases {
            let rows = host(&facts);
            let row = of(&rows, id);
            assert!(
                row.status == RowStatus::Fail && row.fix.as_deref().is_some_and(|fix| fix.contains(advice)),
                "{row:?}"
            );
        }
        let with_profile = HostFacts {
            max_user_namespaces: most,
            apparmor_restricts_user_namespaces: Some(true),
            apparmor_profile: true,
            ..Default::default()
        };
        assert_eq!(of(&host(&with_profile), "apparmor").status, RowStatus::Ok);
    }

    #[test]
    fn missing_images_are_named() {
        let facts = ImageFacts { present: vec!["a:1".to_owned()], missing: vec!["b:2".to_owned()], trouble: None };
        let row = images(&facts);
        assert!(row.status == RowStatus::Fail && row.detail.contains("b:2"), "{row:?}");
        assert_eq!(images(&ImageFacts { missing: vec![], ..facts }).status, RowStatus::Ok);
    }

    #[test]
    fn an_engine_that_does_not_answer_keeps_its_hint() {
        let error = EngineError::Unreachable {
            socket: "/s".to_owned(),
            cause: "refused".to_owned(),
            hint: "Start it".to_owned(),
        };
        assert_eq!(no_engine(&error).fix.as_deref(), Some("Start it"));
    }
}
