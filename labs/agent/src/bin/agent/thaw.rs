//! Frozen groups of version 1: what is in one does not even die before it is thawed, and as long as something in it
//! lives, its container cannot be removed. A student freezes by `docker pause`.
//!
//! The supervisor thaws when it ends its machines. `agent thaw FREEZER CONTAINER` is for one that cannot any more: in a
//! container beside it, which sees the engine's hierarchy, it thaws what is below the group named after CONTAINER.

use std::{
    env::set_current_dir,
    ffi::{OsStr, OsString},
    fs::{self, read_dir},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bulkhead_agent::protocol::FaultKind;

use crate::fault::{Doing, Outcome, fault};

/// For somebody else's sandbox, whatever its student heaped up there.
const TIME: Duration = Duration::from_secs(30);
/// Where engines put a container's group, counted from the top: `/docker/ID`, `/system.slice/docker-ID.scope`, and the
/// same below the group of an engine that is in a container itself.
const DEEPEST: usize = 8;
/// Too short a name would fit too much.
const ID_LENGTH: usize = 64;

/// Thaws what is below `top`, in the time that is given.
pub(crate) fn below(top: &Path, time: Duration) -> Outcome<()> {
    let until = Instant::now() + time;
    let outcome = set_current_dir(top).doing(|| format!("go to {}", top.display()));
    if outcome.is_ok() {
        walk(until, usize::MAX, &mut |_| {
            // A group that is just being removed has nothing frozen in it.
            let _ = fs::write("freezer.state", "THAWED");
        });
    }
    let _ = set_current_dir("/");
    outcome
}

/// `agent thaw FREEZER CONTAINER`.
pub(crate) fn run(freezer: Option<&OsStr>, container: Option<&OsStr>) -> Outcome<u8> {
    let wrong = || fault(FaultKind::Invalid, "thaw needs the freezer's directory and a container's whole id");
    let (freezer, container) = freezer.zip(container.and_then(OsStr::to_str)).ok_or_else(wrong)?;
    if container.len() < ID_LENGTH {
        return Err(wrong());
    }
    set_current_dir(freezer).doing(|| format!("go to {}", freezer.display()))?;
    let mut found = Vec::new();
    walk(Instant::now() + TIME, DEEPEST, &mut |path| {
        let last = path.last().and_then(|name| name.to_str());
        if last.is_some_and(|name| name.contains(container)) {
            found.push(path.iter().collect::<PathBuf>());
        }
    });
    for group in &found {
        below(&Path::new(freezer).join(group), TIME)?;
    }
    Ok(u8::from(found.is_empty()))
}

/// Goes into every directory below the current one, down to `deepest`; `visit` hears the way to each. It walks by steps,
/// as no path is long enough for what can be nested here; and in this file system nothing is a link.
fn walk(until: Instant, deepest: usize, visit: &mut dyn FnMut(&[OsString])) {
    let mut way: Vec<OsString> = Vec::new();
    let mut open = vec![children()];
    while let Some(level) = open.last_mut() {
        let Some(name) = level.pop() else {
            open.pop();
            if way.pop().is_some() && set_current_dir("..").is_err() {
                return;
            }
            continue;
        };
        if Instant::now() > until {
            return;
        }
        if set_current_dir(&name).is_ok() {
            way.push(name);
            visit(&way);
            open.push(if way.len() < deepest { children() } else { Vec::new() });
        }
    }
}

fn children() -> Vec<OsString> {
    let Ok(entries) = read_dir(".") else { return Vec::new() };
    let directories = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| entry.file_name()).collect()
}
