//! C: from our code in a machine's new namespaces to the machine's own first program.
//!
//! After the first start the tree is the student's. So the root is changed first, and everything else is mounted and
//! written with his own root's rights, by paths that cannot lead anywhere but into his tree.

use std::{
    convert::Infallible,
    ffi::CString,
    fmt::Write,
    fs::{self, Permissions},
    os::{
        fd::OwnedFd,
        unix::fs::{PermissionsExt, symlink},
    },
    path::Path,
};

use bulkhead_agent::boot::{Boot, Machine, MachineKind, PRELOAD_MOUNT};
use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    mount::MsFlags,
    sys::{
        prctl,
        signal::Signal,
        stat::Mode,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{chdir, execve, pivot_root, sethostname},
};

use super::{cgroup::Cgroups, disk::Disk, machine::Machine as Running, preload::Shared};
use crate::{
    fault::{Doing, Outcome},
    sys::{capability, descriptor, fork, ids, mount, rooted},
};

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Off in the image, on where the machine is one.
const REGISTRY: &str = "docker-registry.service";
const FIRST_PROGRAM: &str = "/sbin/init";
const ENVIRONMENT: [&str; 4] =
    ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=linux"];

/// Comes back only if it failed.
pub(super) fn run(machine: &Running, boot: &Boot, cgroups: &Cgroups) -> Outcome<Infallible> {
    let (spec, disk) = (&machine.spec, &machine.disk);
    prctl::set_pdeathsig(Signal::SIGKILL).doing(|| "end with the supervisor".into())?;
    descriptor::silence().doing(|| "open /dev/null".into())?;
    mount::make_private()?;
    let sources = Sources::open(disk)?;
    // What was mounted in M is locked here; a bind of it is not, so it can become the root.
    mount::bind_all(&disk.root, &disk.root)?;
    chdir(&disk.root).and_then(|()| pivot_root(".", ".")).doing(|| "change the root".into())?;
    mount::fresh("proc", ready("/proc"), mount::INERT, "")?;
    devices(&sources)?;
    sethostname(&spec.name).doing(|| "set the host name".into())?;
    // Else it is as on the host of all sandboxes, which is this way on one and that way on another.
    let forward = if spec.ip_forward { "1" } else { "0" };
    fs::write("/proc/sys/net/ipv4/ip_forward", forward).doing(|| "decide whether it forwards".into())?;
    if spec.kind.has_tree() {
        places(cgroups, &sources)?;
        if machine.starts == 1 {
            furnish(spec, boot);
        }
    }
    // The old root lies on top of the new one, where "." leads.
    mount::detach(".")?;
    chdir("/").doing(|| "go to the new root".into())?;
    if spec.kind.has_tree() {
        become_init()
    } else {
        mount::make_read_only("/")?;
        hold()
    }
}

/// Things from outside that are mounted inside, opened while there still is an outside.
struct Sources {
    devices: Vec<(&'static str, OwnedFd)>,
    engine: Option<OwnedFd>,
    shared: Option<Shared>,
}

impl Sources {
    fn open(disk: &Disk) -> Outcome<Self> {
        let place = |path: &Path| {
            open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).doing(|| format!("open {}", path.display()))
        };
        let devices = DEVICES
            .into_iter()
            .map(|name| place(&Path::new("/dev").join(name)).map(|fd| (name, fd)))
            .collect::<Outcome<_>>()?;
        let engine = disk.engine.as_ref().map(|engine| place(&engine.data)).transpose()?;
        let shared = disk.engine.as_ref().map(|engine| Shared::open(&engine.notes)).transpose()?.flatten();
        Ok(Self { devices, engine, shared })
    }
}

/// A directory to mount on. It is there but for a student who removed it; then mounting says so.
fn ready(path: &str) -> &str {
    let _ = fs::create_dir_all(path);
    path
}

fn devices(sources: &Sources) -> Outcome<()> {
    mount::fresh("tmpfs", ready("/dev"), MsFlags::MS_NOSUID | MsFlags::MS_STRICTATIME, "mode=755,size=64k")?;
    for (name, source) in &sources.devices {
        let at = Path::new("/dev").join(name);
        fs::write(&at, "").doing(|| format!("make {}", at.display()))?;
        mount::bind(rooted::through(source), &at)?;
    }
    mount::fresh(
        "devpts",
        ready("/dev/pts"),
        MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=620,gid=5",
    )?;
    for (name, target) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, Path::new("/dev").join(name)).doing(|| format!("make /dev/{name}"))?;
    }
    Ok(())
}

/// What a machine with a tree mounts.
fn places(cgroups: &Cgroups, sources: &Sources) -> Outcome<()> {
    mount::fresh("tmpfs", ready("/dev/shm"), mount::PLAIN, "mode=1777,size=64m")?;
    mount::fresh("mqueue", ready("/dev/mqueue"), mount::INERT, "")?;
    mount::fresh("sysfs", ready("/sys"), mount::INERT, "")?;
    cgroups.mount_inside("/sys/fs/cgroup".as_ref())?;
    mount::fresh("tmpfs", ready("/run"), mount::PLAIN, "mode=755,size=64m")?;
    if let Some(engine) = &sources.engine {
        mount::bind(rooted::through(engine), ready("/var/lib/docker"))?;
    }
    if let Some(shared) = &sources.shared {
        ready(PRELOAD_MOUNT);
        shared.mount()?;
    }
    let _ = fs::set_permissions(ready("/run/lock"), Permissions::from_mode(0o1777));
    ready("/tmp");
    let _ = fs::set_permissions("/tmp", Permissions::from_mode(0o1777));
    Ok(())
}

/// Once; from then on these files are the student's.
fn furnish(spec: &Machine, boot: &Boot) {
    if spec.kind == MachineKind::Registry {
        let wants = "/etc/systemd/system/multi-user.target.wants";
        let _ = fs::create_dir_all(wants);
        let _ = symlink("/usr/lib/systemd/system/docker-registry.service", Path::new(wants).join(REGISTRY));
    }
    // A tree that has no place for them does without.
    let _ = fs::write("/etc/hosts", hosts(boot, spec));
    let _ = fs::write("/etc/hostname", format!("{}\n", spec.name));
}

/// Itself, and the machines on its networks.
fn hosts(boot: &Boot, own: &Machine) -> String {
    let name = &own.name;
    let mut text = format!("127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    for machine in boot.machines.iter().filter(|machine| machine.name != *name) {
        if let Some(address) = machine.address_for(own) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{address}\t{}", machine.name);
        }
    }
    text
}

/// The student's own program takes over. From here on nothing in this process is ours.
fn become_init() -> Outcome<Infallible> {
    fork::default_signals().doing(|| "reset signals".into())?;
    let text = |text: &str| CString::new(text).unwrap_or_default();
    let program = text(FIRST_PROGRAM);
    let environment: Vec<CString> = ENVIRONMENT.iter().map(|line| text(line)).collect();
    // The link to the supervisor is closed by this, which tells it that all went well.
    execve(&program, &[&program], &environment).doing(|| format!("execute {FIRST_PROGRAM}"))
}

/// A probe's first process: it keeps the namespaces and reaps.
fn hold() -> Outcome<Infallible> {
    capability::drop_all().doing(|| "drop capabilities".into())?;
    // M must be able to look at its namespaces; nobody else has a pid for it.
    ids::show().doing(|| "become dumpable".into())?;
    prctl::set_name(c"probe").doing(|| "take a name".into())?;
    // Ends the link to the supervisor, as an exec would.
    descriptor::close_all_but(&[]);
    let signals = fork::supervised_signals();
    loop {
        if let Ok(Signal::SIGTERM) = signals.wait() {
            fork::end(0);
        }
        while !matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD)) {}
    }
}

#[cfg(test)]
mod tests {
    use bulkhead_agent::boot::Interface;

    use super::*;

    #[test]
    fn every_machine_finds_its_neighbours_by_name() {
        let machine = |name: &str, networks: &[&str]| Machine {
            name: name.into(),
            kind: MachineKind::Probe,
            id_base: 100_000,
            interfaces: networks
                .iter()
                .map(|network| Interface { network: (*network).into(), ..Interface::lan([10, 77, 0, 3]) })
                .collect(),
            routes: Vec::new(),
            ip_forward: false,
            memory_bytes: 0,
            pids: 0,
            disk_bytes: 0,
        };
        let boot = Boot {
            sandbox: "s".into(),
            generation: 1,
            owner_uid: 1,
            networks: vec!["lan".into(), "ext".into()],
            machines: vec![machine("host", &["lan"]), machine("probe", &["ext", "lan"]), machine("far", &["ext"])],
        };
        assert_eq!(
            hosts(&boot, &boot.machines[0]),
            "127.0.0.1\tlocalhost\n127.0.1.1\thost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.77.0.3\tprobe\n"
        );
    }
}
