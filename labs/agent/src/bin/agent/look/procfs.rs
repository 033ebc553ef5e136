//! The text of `/proc/PID/…`, taken apart. Names in it are the student's: a line may say anything.

use std::collections::BTreeMap;

use bulkhead_agent::look::MountFacts;

const MOST_MOUNTS: usize = 1024;
const MOST_ARGUMENTS: usize = 256;

/// Lines of a status file by key. A process's name stands in one line only, with line breaks escaped by the kernel.
pub(super) fn fields(status: &str) -> BTreeMap<&str, &str> {
    status.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key, value.trim())).collect()
}

/// A process's numbers, the outermost pid namespace first.
pub(super) fn pids(status: &str) -> Vec<i32> {
    fields(status)
        .get("NSpid")
        .copied()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Four ids: real, effective, saved, file system.
pub(super) fn four(field: Option<&&str>) -> Option<[u32; 4]> {
    let numbers: Vec<u32> = field?.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

pub(super) fn many(field: Option<&&str>) -> Vec<u32> {
    field.copied().unwrap_or_default().split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

pub(super) fn hexadecimal(field: Option<&&str>) -> Option<u64> {
    u64::from_str_radix(field?, 16).ok()
}

/// The seccomp mode, of a process in a machine whose first process has the other status. The sandbox's own filter lies
/// on both, so a filter counts only if it is one more. Kernels before 5.9 do not count; there any filter is one.
pub(super) fn seccomp(of: &BTreeMap<&str, &str>, first: &BTreeMap<&str, &str>) -> Option<u8> {
    const FILTER: u8 = 2;
    let mode = of.get("Seccomp")?.parse().ok()?;
    let filters = |status: &BTreeMap<&str, &str>| status.get("Seccomp_filters")?.parse::<u32>().ok();
    let shared = filters(of).zip(filters(first)).is_some_and(|(own, all)| own <= all);
    Some(if mode == FILTER && shared { 0 } else { mode })
}

/// `cmdline`: arguments that each end with NUL.
pub(super) fn arguments(text: &str) -> Vec<String> {
    text.strip_suffix('\0')
        .unwrap_or(text)
        .split('\0')
        .take(MOST_ARGUMENTS)
        .filter(|_| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `cgroup`: controller → path below the machine's own group.
pub(super) fn cgroups(text: &str, machine_group: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let inside =
            path.strip_prefix(machine_group).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path);
        let inside = if inside.is_empty() { "/" } else { inside };
        for controller in controllers.split(',') {
            found.insert(controller.trim_start_matches("name=").to_owned(), inside.to_owned());
        }
    }
    found
}

/// `mountinfo`: a line is `id parent device root point options optional… - type source super-options`.
pub(super) fn mounts(text: &str) -> Vec<MountFacts> {
    text.lines().filter_map(mount).take(MOST_MOUNTS).collect()
}

fn mount(line: &str) -> Option<MountFacts> {
    let (before, after) = line.split_once(" - ")?;
    let before: Vec<&str> = before.split(' ').collect();
    let mut after = after.splitn(3, ' ');
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    Some(MountFacts {
        root: unescape(before.get(3)?),
        mount_point: unescape(before.get(4)?),
        options: list(before.get(5)?),
        fs_type: after.next()?.to_owned(),
        source: unescape(after.next()?),
        super_options: list(after.next().unwrap_or_default()),
    })
}

/// The kernel writes blanks and backslashes in names as `\` and three octal digits.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = octal {
            bytes.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Lines of `uid_map`: inside, outside, count.
pub(super) fn id_map(text: &str) -> Vec<[u32; 3]> {
    text.lines()
        .filter_map(|line| {
            line.split_whitespace().map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>()?.try_into().ok()
        })
        .collect()
}

/// An outside id as the namespace of that map numbers it.
pub(super) fn inside(map: &[[u32; 3]], outside: u32) -> Option<u32> {
    map.iter().find_map(|[first, base, count]| {
        outside.checked_sub(*base).filter(|offset| offset < count).and_then(|offset| first.checked_add(offset))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tweb\nUmask:\t0022\nState:\tS (sleeping)\nNSpid:\t812\t57\t1\nUid:\t101000\t101000\t101000\t101000\nGroups:\t100999 101000 \nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t1\n";

    #[test]
    fn a_status_file_gives_numbers() {
        let status = fields(STATUS);
        assert_eq!(pids(STATUS), [812, 57, 1]);
        assert_eq!(four(status.get("Uid")), Some([101_000; 4]));
        assert_eq!(many(status.get("Groups")), [100_999, 101_000]);
        assert_eq!(hexadecimal(status.get("CapBnd")), Some(0xa804_25fb));
    }

    #[test]
    fn the_sandboxs_own_filter_is_none_of_a_containers() {
        let mode = |of: &str, first: &str| seccomp(&fields(of), &fields(first));
        let first = "Seccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(mode("Seccomp:\t2\nSeccomp_filters:\t1\n", first), Some(0));
        assert_eq!(mode("Seccomp:\t2\nSeccomp_filters:\t2\n", first), Some(2));
        assert_eq!(mode("Seccomp:\t0\nSeccomp_filters:\t0\n", first), Some(0));
        assert_eq!(mode("Seccomp:\t2\n", "Seccomp:\t2\n"), Some(2));
        assert_eq!(mode("", first), None);
    }

    #[test]
    fn a_hostile_name_stays_a_name() {
        // The kernel escapes the line break of a process that calls itself "x\nUid:\t0 0 0 0".
        let status = fields("Name:\tx\\nUid:\\t0 0 0 0\nUid:\t7\t7\t7\t7\n");
        assert_eq!(four(status.get("Uid")), Some([7; 4]));
        assert_eq!(four(Some(&"1 2 3")), None);
        assert_eq!(four(Some(&"1 2 3 x")), None);
        assert_eq!(four(None), None);
        assert_eq!(pids("nothing here"), Vec::<i32>::new());
        assert_eq!(hexadecimal(Some(&"xyz")), None);
    }

    #[test]
    fn a_mount_has_its_own_and_its_file_systems_options() {
        let text = "61 60 0:45 / / ro,relatime master:1 - overlay overlay rw,lowerdir=/a:/b\n62 61 0:50 / /run/with\\040blank rw,noexec - tmpfs tmpfs rw,size=4096k\nbroken\n1 2 3 - \n";
        let seen = mounts(text);
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].options, ["ro", "relatime"]);
        assert_eq!(seen[0].super_options, ["rw", "lowerdir=/a:/b"]);
        assert_eq!(seen[1].mount_point, "/run/with blank");
        assert_eq!((seen[1].fs_type.as_str(), seen[1].source.as_str()), ("tmpfs", "tmpfs"));
    }

    #[test]
    fn escapes_that_are_none_stay() {
        assert_eq!(unescape(r"a\134b\040c"), r"a\b c");
        assert_eq!(unescape(r"end\"), r"end\");
        assert_eq!(unescape(r"\9zz\77"), r"\9zz\77");
    }

    #[test]
    fn many_mounts_are_cut() {
        let line = "1 1 0:1 / /x rw - tmpfs tmpfs rw\n";
        assert_eq!(mounts(&line.repeat(5000)).len(), MOST_MOUNTS);
    }

    #[test]
    fn cgroup_paths_begin_at_the_machine() {
        let seen = cgroups(
            "4:memory:/m-host/docker/abc\n2:cpu,cpuacct:/m-host\n1:name=systemd:/m-hostile\n0::/m-host/init\nbroken\n",
            "/m-host",
        );
        assert_eq!(seen["memory"], "/docker/abc");
        assert_eq!(seen["cpu"], "/");
        assert_eq!(seen["cpuacct"], "/");
        assert_eq!(seen["systemd"], "/m-hostile");
        assert_eq!(seen[""], "/init");
    }

    #[test]
    fn ids_go_through_the_map() {
        let map = id_map("         0     100000      65536\n     70000 300000 1\nbroken\n");
        assert_eq!(inside(&map, 101_000), Some(1000));
        assert_eq!(inside(&map, 300_000), Some(70_000));
        assert_eq!(inside(&map, 99_999), None);
        assert_eq!(inside(&map, 165_536), None);
        assert_eq!(inside(&[[u32::MAX, 0, 9]], 3), None);
    }

    #[test]
    fn arguments_may_be_empty_but_an_empty_file_has_none() {
        assert_eq!(arguments("a\0\0b\0"), ["a", "", "b"]);
        assert_eq!(arguments(""), Vec::<String>::new());
        assert_eq!(arguments(&"x\0".repeat(9999)).len(), MOST_ARGUMENTS);
    }
}
