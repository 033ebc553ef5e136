//! Waits until something happens on a machine: its engine tells of an event, or a file is another than it was.
//!
//! A worker of its own sleeps in the kernel for as long as nothing happens. What a file is, its status says; that the
//! kernel tells of a change is only the reason to look. A burst makes one answer.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bulkhead_agent::{
    look::{Seen, facts::Mark},
    protocol::FaultKind,
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        inotify::{AddWatchFlags, InitFlags, Inotify},
        stat::fstat,
    },
};

use super::{engine, place};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome, fault},
    sys::rooted,
};

/// What is done to containers, images, networks, volumes and the engine; not what is done in containers.
const EVENTS: [&str; 22] = [
    "connect",
    "create",
    "delete",
    "destroy",
    "die",
    "disable",
    "disconnect",
    "enable",
    "health_status",
    "import",
    "load",
    "oom",
    "pause",
    "prune",
    "pull",
    "reload",
    "remove",
    "rename",
    "start",
    "tag",
    "unpause",
    "update",
];
const MOST_PATHS: usize = 32;
/// After the last of a burst; and however long it goes on.
const QUIET: Duration = Duration::from_millis(300);
const BURST: Duration = Duration::from_millis(1500);
/// An event may be on its way for so long.
const ON_ITS_WAY: Duration = Duration::from_millis(100);
const TRY_AGAIN: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_millis(100);
/// A pause that keeps a flood from taking the processor.
const BREATH: Duration = Duration::from_millis(25);
const CHUNK: usize = 64 * 1024;
const MOST_HEAD: usize = 8 * 1024;

pub(super) fn look(machine: &Machine, paths: &[String], since: Option<&Mark>, time: Duration) -> Outcome<Seen> {
    if paths.len() > MOST_PATHS {
        return Err(fault(FaultKind::Invalid, format!("{} paths to watch, at most {MOST_PATHS}", paths.len())));
    }
    let Some(root) = place::root_as_its_root(machine, None)? else { return Ok(Seen::Missing) };
    let mut waiting = Waiting::new(root, paths, since)?;
    waiting.until(Instant::now() + time)?;
    Ok(waiting.seen())
}

struct Waiting<'a> {
    root: OwnedFd,
    paths: &'a [String],
    /// As they were when it began, or when the one who asks last heard of them.
    before: BTreeMap<String, String>,
    files: Inotify,
    events: Option<Events>,
    /// The engine was away, so what happened meanwhile is not told.
    away: bool,
    since: String,
    engine: bool,
    changed: Vec<String>,
}

impl<'a> Waiting<'a> {
    fn new(root: OwnedFd, paths: &'a [String], since: Option<&Mark>) -> Outcome<Self> {
        let files = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).doing(|| "watch files".into())?;
        let mut waiting = Self {
            root,
            paths,
            before: BTreeMap::new(),
            files,
            events: None,
            away: false,
            since: since.map_or_else(now, |mark| mark.time.clone()),
            engine: false,
            changed: Vec::new(),
        };
        // First the watches, so that no change falls between.
        waiting.watch();
        waiting.before = since.map_or_else(|| waiting.now(), |mark| mark.files.clone());
        waiting.compare();
        waiting.connect();
        Ok(waiting)
    }

    fn until(&mut self, deadline: Instant) -> Outcome<()> {
        let mut burst: Option<(Instant, Instant)> = None;
        let mut again = Instant::now() + TRY_AGAIN;
        loop {
            let now = Instant::now();
            if burst.is_none() && self.is_changed() {
                burst = Some((now + BURST, now + QUIET));
            }
            let end = burst.map_or(deadline, |(latest, quiet)| latest.min(quiet)).min(deadline);
            if now >= end {
                return Ok(());
            }
            let next = if self.events.is_none() { end.min(again) } else { end };
            if self.wait(next)? {
                if let Some((_, quiet)) = &mut burst {
                    *quiet = Instant::now() + QUIET;
                }
                std::thread::sleep(BREATH);
            } else if self.events.is_none() && Instant::now() >= again {
                self.connect();
                again = Instant::now() + TRY_AGAIN;
            }
        }
    }

    fn is_changed(&self) -> bool {
        self.engine || !self.changed.is_empty()
    }

    /// Whether anything was told until then.
    fn wait(&mut self, until: Instant) -> Outcome<bool> {
        let millis = until.saturating_duration_since(Instant::now()).as_millis().saturating_add(1);
        let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        let mut fds = vec![PollFd::new(self.files.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.events.as_ref().map(|events| PollFd::new(events.stream.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).doing(|| "wait for a change".into()),
        }
        let told = |index: usize| fds.get(index).is_some_and(|fd| fd.any().unwrap_or(true));
        let (files, events) = (told(0), told(1));
        if files {
            // Emptied; an overflow is a change like another.
            while self.files.read_events().is_ok_and(|events| !events.is_empty()) {}
            self.watch();
            self.compare();
        }
        if events && let Some(stream) = &mut self.events {
            match stream.read() {
                Told::Nothing => {}
                Told::Something => self.engine = true,
                Told::End => {
                    self.engine = true;
                    self.away = true;
                    self.events = None;
                }
            }
        }
        Ok(files || events)
    }

    /// Each file, and the nearest directory above it that is there.
    fn watch(&self) {
        let own = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_CLOSE_WRITE;
        let entries = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_ONLYDIR;
        for path in self.paths {
            // What was made between a look and its watch is told by nobody, so it is looked again; each turn is one
            // directory nearer.
            let mut nearest = None;
            for _ in path.split('/') {
                if let Ok(found) = rooted::find(&self.root, path, true) {
                    let _ = self.files.add_watch(&rooted::through(&found), own);
                }
                let watched = self.watch_above(path, entries);
                if watched == nearest {
                    break;
                }
                nearest = watched;
            }
        }
    }

    /// Watches the nearest directory above a path that is there, and says which.
    fn watch_above<'p>(&self, path: &'p str, flags: AddWatchFlags) -> Option<&'p str> {
        let mut above = path;
        while let Some((parent, _)) = above.rsplit_once('/') {
            let place = if parent.is_empty() { "/" } else { parent };
            if let Ok(found) = rooted::find(&self.root, place, true)
                && self.files.add_watch(&rooted::through(&found), flags).is_ok()
            {
                return Some(parent);
            }
            above = parent;
        }
        None
    }

    fn compare(&mut self) {
        let now = self.now();
        for path in self.paths {
            if now.get(path) != self.before.get(path) && !self.changed.contains(path) {
                self.changed.push(path.clone());
            }
        }
    }

    /// What tells one state of a file from another. The time of the last change of an inode cannot be set by anybody.
    fn now(&self) -> BTreeMap<String, String> {
        let state = |path: &String| {
            let stat = rooted::find(&self.root, path, true).and_then(fstat).ok()?;
            Some((path.clone(), format!("{}:{}:{}.{}", stat.st_ino, stat.st_size, stat.st_ctime, stat.st_ctime_nsec)))
        };
        self.paths.iter().filter_map(state).collect()
    }

    fn connect(&mut self) {
        self.events = Events::open(&self.root, &self.since);
        if self.events.is_some() {
            self.engine |= std::mem::take(&mut self.away);
        } else {
            self.away = true;
        }
    }

    fn seen(self) -> Seen {
        let time = SystemTime::now().checked_sub(ON_ITS_WAY).map_or_else(now, stamp);
        let mark = Mark { time, files: self.now() };
        Seen::Happened { mark, engine: self.engine, paths: self.changed }
    }
}

fn now() -> String {
    stamp(SystemTime::now())
}

fn stamp(time: SystemTime) -> String {
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:09}", time.as_secs(), time.subsec_nanos())
}

enum Told {
    Nothing,
    Something,
    End,
}

/// An engine's events, which it tells for as long as it is asked. What they say is not read.
struct Events {
    stream: UnixStream,
    /// As far as the answer's head came; `None` once it is over.
    head: Option<Vec<u8>>,
}

impl Events {
    fn open(root: &OwnedFd, since: &str) -> Option<Self> {
        let mut stream = engine::socket(root, Instant::now() + CONNECT).ok()?;
        stream.set_write_timeout(Some(CONNECT)).ok()?;
        let names: Vec<String> = EVENTS.iter().map(|name| format!("%22{name}%22")).collect();
        let filters = format!("%7B%22event%22%3A%5B{}%5D%7D", names.join("%2C"));
        let request = format!("GET /events?since={since}&filters={filters} HTTP/1.1\r\nHost: docker\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        stream.set_nonblocking(true).ok()?;
        Some(Self { stream, head: Some(Vec::new()) })
    }

    /// Takes what is there.
    fn read(&mut self) -> Told {
        let mut chunk = vec![0; CHUNK];
        let count = match self.stream.read(&mut chunk) {
            Ok(0) => return Told::End,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Told::Nothing;
            }
            Err(_) => return Told::End,
        };
        let Some(head) = &mut self.head else { return Told::Something };
        head.extend_from_slice(chunk.get(..count).unwrap_or_default());
        let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return if head.len() > MOST_HEAD { Told::End } else { Told::Nothing };
        };
        if !head.starts_with(b"HTTP/1.1 200") {
            return Told::End;
        }
        let more = head.len() > end + 4;
        self.head = None;
        if more { Told::Something } else { Told::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::{
        fcntl::{OFlag, open},
        sys::stat::Mode,
    };

    use super::*;

    #[test]
    fn a_file_that_comes_changes_and_goes_is_told_once_each() {
        let home = std::env::temp_dir().join(format!("bulkhead-agent-wait-{}", std::process::id()));
        fs::create_dir_all(home.join("etc")).unwrap();
        let paths = ["/etc/docker/daemon.json".to_owned(), "/etc/other".to_owned()];
        let root = || open(&home, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        let mut mark: Option<Mark> = None;
        let mut after = |change: &dyn Fn()| {
            change();
            let mut waiting = Waiting::new(root(), &paths, mark.as_ref()).unwrap();
            waiting.until(Instant::now() + Duration::from_millis(50)).unwrap();
            let Seen::Happened { mark: next, paths, .. } = waiting.seen() else { panic!() };
            mark = Some(next);
            paths
        };
        assert_eq!(after(&|| ()), [""; 0]);
        let daemon = home.join("etc/docker/daemon.json");
        let come = || {
            fs::create_dir_all(home.join("etc/docker")).unwrap();
            fs::write(&daemon, "{}").unwrap();
        };
        assert_eq!(after(&come), [paths[0].clone()]);
        assert_eq!(after(&|| ()), [""; 0]);
        assert_eq!(after(&|| fs::write(&daemon, "[]").unwrap()), [paths[0].clone()]);
        assert_eq!(after(&|| fs::remove_file(&daemon).unwrap()), [paths[0].clone()]);
        assert_eq!(after(&|| fs::write(home.join("etc/third"), "").unwrap()), [""; 0]);
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_change_ends_the_waiting() {
        let home = std::env::temp_dir().join(format!("bulkhead-agent-wakes-{}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        let root = open(&home, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        let paths = ["/a/b/c".to_owned()];
        let mut waiting = Waiting::new(root, &paths, None).unwrap();
        let began = Instant::now();
        let make = home.join("a/b");
        let other = std::thread::spawn(move || {
            fs::create_dir_all(&make).unwrap();
            fs::write(make.join("c"), "").unwrap();
        });
        waiting.until(Instant::now() + Duration::from_secs(20)).unwrap();
        other.join().unwrap();
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(waiting.changed, paths);
        fs::remove_dir_all(home).unwrap();
    }
}
