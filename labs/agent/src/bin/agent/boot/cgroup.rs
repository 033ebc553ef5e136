//! Control groups, version 1 and 2: a group for each machine, delegated to its root, with limits that it cannot lift.
//!
//! ```text
//! v1, each controller:  /            the supervisor        v2:  /sup            the supervisor
//!                       /m-NAME      delegated                  /m-NAME         delegated, limits
//!                                                               /m-NAME/init    the machine's processes: a group
//!                                                                               with controllers may hold none itself
//! ```

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    time::Duration,
};

use bulkhead_agent::{
    boot::Machine,
    protocol::{FaultKind, OuterLimits},
};
use nix::unistd::Pid;

use crate::{
    fault::{Doing, Outcome, fault},
    sys::{descriptor::kernel_text, mount},
    thaw,
};

/// Files of a group that its new owner may write: moving processes within it and handing controllers down.
const DELEGATED: [&str; 5] = ["", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control"];
/// The version 1 file systems give "no limit" as a huge number that differs by page size.
const UNLIMITED: u64 = 1 << 60;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hierarchy {
    /// Directory name below the mount point; empty when there is only one hierarchy.
    name: String,
    /// `None`: version 2.
    options: Option<String>,
}

impl Hierarchy {
    fn has(&self, controller: &str) -> bool {
        self.options.as_deref().is_some_and(|options| options.split(',').any(|option| option == controller))
    }
}

pub(crate) struct Cgroups {
    at: PathBuf,
    hierarchies: Vec<Hierarchy>,
}

/// What the kernel says about one machine's group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) memory_used_bytes: u64,
    pub(crate) pids: Option<u64>,
    pub(crate) pids_used: u64,
}

/// Reads `/proc/self/cgroup`.
fn parse(text: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = text
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (number, controllers) = (parts.next()?, parts.next()?);
            Some(match (number, controllers.strip_prefix("name=")) {
                ("0", _) => Hierarchy { name: "unified".into(), options: None },
                (_, Some(name)) => Hierarchy { name: name.into(), options: Some(format!("none,name={name}")) },
                (_, None) => Hierarchy { name: controllers.into(), options: Some(controllers.into()) },
            })
        })
        .collect();
    if let [only] = found.as_mut_slice() {
        only.name.clear();
    }
    found
}

/// Mounts every hierarchy at `at`, as the cgroup namespace of this process shows it, and says which could be.
fn mount_all(hierarchies: &[Hierarchy], at: &Path) -> Outcome<Vec<Hierarchy>> {
    if let [only] = hierarchies
        && only.name.is_empty()
    {
        mount::fresh("cgroup2", at, mount::INERT, "")?;
        return Ok(hierarchies.to_vec());
    }
    mount::fresh("tmpfs", at, mount::INERT, "mode=755,size=64k")?;
    let mut mounted = Vec::new();
    for hierarchy in hierarchies {
        let directory = at.join(&hierarchy.name);
        fs::create_dir(&directory).doing(|| format!("make {}", directory.display()))?;
        let kind = if hierarchy.options.is_some() { "cgroup" } else { "cgroup2" };
        // A hierarchy that this host does not share with containers is left out; limits are read back later.
        if mount::fresh(kind, &directory, mount::INERT, hierarchy.options.as_deref().unwrap_or("")).is_ok() {
            mounted.push(hierarchy.clone());
        }
    }
    Ok(mounted)
}

impl Cgroups {
    /// Mounts the hierarchies of this process's new cgroup namespace at `at` and moves the container's processes out
    /// of the way.
    pub(crate) fn mount(at: &Path) -> Outcome<Self> {
        fs::create_dir_all(at).doing(|| format!("make {}", at.display()))?;
        let text = kernel_text("/proc/self/cgroup".as_ref()).doing(|| "read /proc/self/cgroup".into())?;
        let hierarchies = mount_all(&parse(&text), at)?;
        let cgroups = Self { at: at.to_owned(), hierarchies };
        for top in cgroups.version_2_tops() {
            let sup = top.join("sup");
            fs::create_dir(&sup).doing(|| format!("make {}", sup.display()))?;
            clear_the_top(&top, &sup)?;
            // Without the cpu controller there is nothing to weigh.
            let _ = put(&sup.join("cpu.weight"), "1000");
        }
        Ok(cgroups)
    }

    pub(crate) fn version(&self) -> u8 {
        if self.hierarchies.iter().any(|hierarchy| hierarchy.options.is_some()) { 1 } else { 2 }
    }

    /// Makes a machine's groups, limits them, and gives their inside away.
    pub(crate) fn create(&self, spec: &Machine) -> Outcome<()> {
        for hierarchy in &self.hierarchies {
            let top = self.top(hierarchy);
            let group = top.join(group_name(&spec.name));
            fs::create_dir(&group).doing(|| format!("make {}", group.display()))?;
            let has = |file: &str| group.join(file).exists();
            if has("cpuset.cpus") && hierarchy.options.is_some() {
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    let parents = kernel_text(&top.join(file)).doing(|| format!("read {file}"))?;
                    put(&group.join(file), parents.trim())?;
                }
            }
            // The supervisor shall get a word in while a machine burns.
            if has("cpu.shares") {
                put(&group.join("cpu.shares"), "512")?;
            }
            for file in ["memory.limit_in_bytes", "memory.max"] {
                if has(file) && spec.memory_bytes > 0 {
                    put(&group.join(file), &spec.memory_bytes.to_string())?;
                }
            }
            if has("memory.swap.max") {
                put(&group.join("memory.swap.max"), "0")?;
            }
            if has("pids.max") && spec.pids > 0 {
                put(&group.join("pids.max"), &spec.pids.to_string())?;
            }
            delegate(&group, spec.id_base)?;
        }
        Ok(())
    }

    /// Moves a process that is about to make its cgroup namespace into the machine's groups.
    pub(crate) fn enter(&self, spec: &Machine, pid: Pid) -> Outcome<()> {
        for hierarchy in &self.hierarchies {
            put(&self.group(hierarchy, spec).join("cgroup.procs"), &pid.to_string())?;
        }
        Ok(())
    }

    /// After that: on version 2, moves it on to the leaf and lets the machine's root hand controllers down.
    pub(crate) fn settle(&self, spec: &Machine, pid: Pid) -> Outcome<()> {
        for hierarchy in self.hierarchies.iter().filter(|hierarchy| hierarchy.options.is_none()) {
            let group = self.group(hierarchy, spec);
            let leaf = group.join("init");
            fs::create_dir_all(&leaf).doing(|| format!("make {}", leaf.display()))?;
            delegate(&leaf, spec.id_base)?;
            put(&leaf.join("cgroup.procs"), &pid.to_string())?;
            hand_down(&group)?;
        }
        Ok(())
    }

    /// Files to write `0` to for a process that joins a machine. Open, they work from within the machine.
    pub(crate) fn doors(&self, spec: &Machine) -> Outcome<Vec<File>> {
        let door = |hierarchy: &Hierarchy| {
            let group = self.group(hierarchy, spec);
            let group = if hierarchy.options.is_none() { group.join("init") } else { group };
            let path = group.join("cgroup.procs");
            OpenOptions::new().write(true).open(&path).doing(|| format!("open {}", path.display()))
        };
        self.hierarchies.iter().map(door).collect()
    }

    /// Removes the groups that a machine's root made, after its processes are gone.
    pub(crate) fn clear(&self, spec: &Machine) {
        for hierarchy in &self.hierarchies {
            let group = self.group(hierarchy, spec);
            remove_below(&group, 0);
            // A group that hands controllers down lets no process in, and the next first process has to pass through.
            for controller in kernel_text(&group.join("cgroup.subtree_control")).unwrap_or_default().split_whitespace()
            {
                let _ = put(&group.join("cgroup.subtree_control"), &format!("-{controller}"));
            }
        }
    }

    /// Whether something can be frozen so that it does not die. Version 2 lets it.
    pub(crate) fn can_freeze(&self) -> bool {
        self.hierarchies.iter().any(|hierarchy| hierarchy.has("freezer"))
    }

    /// Thaws all that a machine's root froze.
    pub(crate) fn thaw(&self, spec: &Machine, time: Duration) -> Outcome<()> {
        let mut freezer = self.hierarchies.iter().filter(|hierarchy| hierarchy.has("freezer"));
        freezer.try_for_each(|hierarchy| thaw::below(&self.group(hierarchy, spec), time))
    }

    /// Reads a process's `cgroup` file: where each of our mounts is, and the process's path below it.
    pub(crate) fn paths(&self, text: &str) -> Vec<(PathBuf, String)> {
        let path = |hierarchy: &Hierarchy| {
            text.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':');
                let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
                let name = controllers.trim_start_matches("name=");
                let ours = match hierarchy.options {
                    None => name.is_empty(),
                    Some(_) => name == hierarchy.name,
                };
                ours.then(|| (self.top(hierarchy), path.to_owned()))
            })
        };
        self.hierarchies.iter().filter_map(path).collect()
    }

    pub(crate) fn usage(&self, spec: &Machine) -> Usage {
        let read = |files: [&str; 2]| {
            let paths =
                self.hierarchies.iter().flat_map(|hierarchy| files.map(|file| self.group(hierarchy, spec).join(file)));
            paths.into_iter().find_map(|path| kernel_text(&path).ok())
        };
        let number = |files| read(files).and_then(|text| text.trim().parse().ok());
        Usage {
            memory_bytes: read(["memory.limit_in_bytes", "memory.max"]).as_deref().and_then(limit),
            memory_used_bytes: number(["memory.usage_in_bytes", "memory.current"]).unwrap_or_default(),
            pids: read(["pids.max", "pids.max"]).as_deref().and_then(limit),
            pids_used: number(["pids.current", "pids.current"]).unwrap_or_default(),
        }
    }

    /// The outer container's limits: it is the root of the hierarchies that we see.
    pub(crate) fn outer(&self) -> OuterLimits {
        let read = |file: &str| {
            let paths = self.hierarchies.iter().map(|hierarchy| self.top(hierarchy).join(file));
            paths.into_iter().find_map(|path| kernel_text(&path).ok())
        };
        let number = |file| read(file).as_deref().and_then(limit);
        let memory_bytes = number("memory.limit_in_bytes").or_else(|| number("memory.max"));
        // Version 1 counts memory and swap together.
        let swap_bytes = number("memory.memsw.limit_in_bytes")
            .and_then(|both| both.checked_sub(memory_bytes?))
            .or_else(|| number("memory.swap.max"));
        let milli_cpus = read("cpu.max").as_deref().and_then(cpu_share).or_else(|| {
            let (quota, period) = (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?);
            cpu_share(&format!("{quota} {period}"))
        });
        OuterLimits { memory_bytes, swap_bytes, pids: number("pids.max"), milli_cpus }
    }

    /// Mounts the same hierarchies at `at`, for a process in a machine's own cgroup namespace.
    pub(crate) fn mount_inside(&self, at: &Path) -> Outcome<()> {
        mount_all(&self.hierarchies, at).map(|_| ())
    }

    fn top(&self, hierarchy: &Hierarchy) -> PathBuf {
        self.at.join(&hierarchy.name)
    }

    fn group(&self, hierarchy: &Hierarchy, spec: &Machine) -> PathBuf {
        self.top(hierarchy).join(group_name(&spec.name))
    }

    fn version_2_tops(&self) -> Vec<PathBuf> {
        self.hierarchies
            .iter()
            .filter(|hierarchy| hierarchy.options.is_none())
            .map(|hierarchy| self.top(hierarchy))
            .collect()
    }
}

fn group_name(machine: &str) -> String {
    format!("m-{machine}")
}

/// `max`, version 1's huge numbers and nonsense are no limit.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < UNLIMITED)
}

/// Thousandths of a processor, from `QUOTA PERIOD` in microseconds. `max` and version 1's -1 are no limit.
fn cpu_share(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    let (quota, period): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    quota.checked_mul(1000)?.checked_div(period)
}

fn put(file: &Path, value: &str) -> Outcome<()> {
    fs::write(file, value).doing(|| format!("write {value} to {}", file.display()))
}

/// Moves the container's processes to `sup` and lets the machines have its controllers. Somebody whom the engine lets
/// in meanwhile passes through the top, where nobody may be; so this is tried until it holds.
fn clear_the_top(top: &Path, sup: &Path) -> Outcome<()> {
    const TRIES: u32 = 200;
    const PAUSE: Duration = Duration::from_millis(10);
    let mut tries = 0;
    loop {
        let list = kernel_text(&top.join("cgroup.procs")).doing(|| "list the container's processes".into())?;
        // 0 stands for a process that this pid namespace does not have.
        for pid in list.lines().filter(|pid| *pid != "0") {
            // It may have ended by now; what counts is the next step.
            let _ = put(&sup.join("cgroup.procs"), pid);
        }
        match hand_down(top) {
            Err(fault) if tries == TRIES => return Err(fault),
            Err(_) => tries += 1,
            Ok(()) => return Ok(()),
        }
        std::thread::sleep(PAUSE);
    }
}

fn hand_down(group: &Path) -> Outcome<()> {
    let controllers = kernel_text(&group.join("cgroup.controllers")).doing(|| "list controllers".into())?;
    for controller in controllers.split_whitespace() {
        put(&group.join("cgroup.subtree_control"), &format!("+{controller}"))?;
    }
    Ok(())
}

fn delegate(group: &Path, owner: u32) -> Outcome<()> {
    for path in DELEGATED.map(|file| group.join(file)).iter().filter(|path| path.exists()) {
        chown(path, Some(owner), Some(owner)).doing(|| format!("delegate {}", path.display()))?;
    }
    Ok(())
}

fn remove_below(group: &Path, depth: u8) {
    const DEEPEST: u8 = 32;
    let Ok(entries) = fs::read_dir(group) else { return };
    for child in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if depth < DEEPEST {
            remove_below(&child.path(), depth + 1);
        }
        // What still holds a dying process stays; it costs nothing.
        let _ = fs::remove_dir(child.path());
    }
}

/// The group's limits are as asked, or the sandbox is weaker than it says.
pub(crate) fn check_limits(spec: &Machine, usage: &Usage) -> Outcome<()> {
    // The kernel rounds memory down to whole pages.
    let memory = spec.memory_bytes == 0 || usage.memory_bytes.is_some_and(|bytes| bytes <= spec.memory_bytes);
    let pids = spec.pids == 0 || usage.pids.is_some_and(|pids| pids <= u64::from(spec.pids));
    if memory && pids {
        return Ok(());
    }
    let missing = if memory { "pids" } else { "memory" };
    Err(fault(FaultKind::Failed, format!("the {missing} limit of {} is not in force: {usage:?}", spec.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_has_a_directory_for_each_hierarchy() {
        let found = parse("9:name=systemd:/a\n8:pids:/a\n2:cpu,cpuacct:/a\n0::/\n");
        let seen: Vec<_> = found.iter().map(|h| (h.name.as_str(), h.options.as_deref())).collect();
        assert_eq!(
            seen,
            [
                ("systemd", Some("none,name=systemd")),
                ("pids", Some("pids")),
                ("cpu,cpuacct", Some("cpu,cpuacct")),
                ("unified", None)
            ]
        );
    }

    #[test]
    fn version_2_alone_is_the_mount_point_itself() {
        assert_eq!(parse("0::/\n"), [Hierarchy { name: String::new(), options: None }]);
        assert_eq!(parse("nonsense\n\n"), []);
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
        assert_eq!(limit("1073741824\n"), Some(1 << 30));
        assert_eq!(limit("-1"), None);
        assert_eq!(limit(""), None);
    }

    #[test]
    fn a_quota_is_a_share_of_its_period() {
        assert_eq!(cpu_share("150000 100000\n"), Some(1500));
        assert_eq!(cpu_share("-1\n 100000\n"), None);
        assert_eq!(cpu_share("max 100000"), None);
        assert_eq!(cpu_share("1 0"), None);
    }
}
