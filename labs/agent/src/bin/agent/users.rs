//! Users of a machine, from its `/etc/passwd` and `/etc/group`. Anybody who is root there writes them: everything is
//! optional, nothing is believed to be sensible.

/// Longest of the two files that is read.
pub(crate) const LIMIT: u64 = 256 * 1024;
/// More than this the kernel would refuse anyway.
const MOST_GROUPS: usize = 64;
/// Ids that a machine's user namespace has.
const IDS: u32 = bulkhead_agent::boot::IDS_PER_MACHINE;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    pub(crate) home: String,
    pub(crate) shell: String,
}

/// Finds `uid`; somebody without an entry gets a plain shell and the root directory.
pub(crate) fn find(uid: u32, passwd: &str, group: &str) -> User {
    let mut user = passwd.lines().find_map(|line| entry(line, uid)).unwrap_or_else(|| unknown(uid));
    user.groups = groups(&user, group);
    user
}

fn entry(line: &str, uid: u32) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, number, gid, _, home, shell] = fields.as_slice() else { return None };
    if number.parse::<u32>().ok()? != uid {
        return None;
    }
    let fallback = unknown(uid);
    Some(User {
        name: if name.is_empty() { fallback.name } else { (*name).to_owned() },
        uid,
        gid: gid.parse().ok().filter(|gid| *gid < IDS)?,
        groups: Vec::new(),
        home: path(home).unwrap_or(fallback.home),
        shell: path(shell).unwrap_or(fallback.shell),
    })
}

fn path(text: &str) -> Option<String> {
    (text.starts_with('/') && !text.contains('\0')).then(|| text.to_owned())
}

fn unknown(uid: u32) -> User {
    let (name, home) = if uid == 0 { ("root".to_owned(), "/root") } else { (uid.to_string(), "/") };
    User { name, uid, gid: uid, groups: Vec::new(), home: home.into(), shell: "/bin/sh".into() }
}

fn groups(user: &User, group: &str) -> Vec<u32> {
    let mut found = vec![user.gid];
    for line in group.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, gid, members] = fields.as_slice() else { continue };
        let Some(gid) = gid.parse().ok().filter(|gid| *gid < IDS) else { continue };
        if members.split(',').any(|member| member == user.name) && !found.contains(&gid) {
            found.push(gid);
        }
        if found.len() == MOST_GROUPS {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken\nmax:x:1000:1000:,,,:/home/max:/usr/bin/zsh\nbad:x:1001:99999999:::\nempty:x:1002:7:::\n";
    const GROUP: &str =
        "root:x:0:\ndocker:x:999:anna,max\nsudo:x:27:max\nhuge:x:4294967295:max\nnonsense:max\nmax:x:1000:\n";

    #[test]
    fn an_entry_gives_shell_home_and_groups() {
        let max = find(1000, PASSWD, GROUP);
        assert_eq!(
            (max.name.as_str(), max.gid, max.home.as_str(), max.shell.as_str()),
            ("max", 1000, "/home/max", "/usr/bin/zsh")
        );
        assert_eq!(max.groups, [1000, 999, 27]);
    }

    #[test]
    fn without_an_entry_there_still_is_a_shell() {
        assert_eq!(
            find(0, "", ""),
            User {
                name: "root".into(),
                uid: 0,
                gid: 0,
                groups: vec![0],
                home: "/root".into(),
                shell: "/bin/sh".into()
            }
        );
        assert_eq!(find(4242, PASSWD, GROUP).home, "/");
    }

    #[test]
    fn hostile_entries_fall_back() {
        assert_eq!(find(1001, PASSWD, GROUP).gid, 1001, "a group that the machine cannot have");
        let empty = find(1002, PASSWD, GROUP);
        assert_eq!((empty.home.as_str(), empty.shell.as_str()), ("/", "/bin/sh"));
        let many = (0..500).map(|n| format!("g{n}:x:{n}:max\n")).collect::<Vec<_>>().concat();
        assert_eq!(find(1000, PASSWD, &many).groups.len(), MOST_GROUPS);
        assert_eq!(find(5, "x:x:5:5::relative:also/relative", "").shell, "/bin/sh");
    }
}
