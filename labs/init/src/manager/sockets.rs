//! Listening sockets, and what starts when somebody knocks.

use std::{
    fs,
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::Path,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Gid, Mode, Uid, chmod, chown},
};

use super::{Event, Manager, state::State};
use crate::unit::Unit;

/// Opens a socket unit's listeners with the owner and mode that it asks for.
pub(super) fn open(unit: &Unit) -> std::io::Result<Vec<OwnedFd>> {
    let mut listeners = Vec::new();
    for path in unit.socket.listen.iter().filter(|listen| listen.starts_with('/')) {
        let _ = fs::remove_file(path);
        if let Some(folder) = Path::new(path).parent() {
            fs::create_dir_all(folder)?;
        }
        let listener = UnixListener::bind(path)?;
        chmod(path.as_str(), Mode::from_raw_mode(unit.socket.mode.unwrap_or(0o666)))?;
        let uid = unit.socket.user.as_deref().and_then(|name| id_of("/etc/passwd", name));
        let gid = unit.socket.group.as_deref().and_then(|name| id_of("/etc/group", name));
        chown(path.as_str(), uid.map(Uid::from_raw), gid.map(Gid::from_raw))?;
        listeners.push(listener.into());
    }
    Ok(listeners)
}

pub(super) fn remove(unit: &Unit) {
    for path in &unit.socket.listen {
        let _ = fs::remove_file(path);
    }
}

/// The id in the third field of a line that begins with `name:`.
fn id_of(file: &str, name: &str) -> Option<u32> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.split(':').nth(1)?.parse().ok())
}

impl Manager {
    /// Waits in a thread for the next knock, while the service behind the socket is down.
    pub(super) fn watch_socket(&self, socket: &str) {
        let Some(runtime) = self.units.get(socket) else { return };
        let Some(listener) = runtime.listeners.first().and_then(|fd| fd.try_clone().ok()) else { return };
        let (socket, events) = (socket.to_owned(), self.events.clone());
        let _ = std::thread::Builder::new().name("socket".into()).stack_size(64 * 1024).spawn(move || {
            let mut waiting = [PollFd::new(&listener, PollFlags::IN)];
            if poll(&mut waiting, None).is_ok() {
                let _ = events.send(Event::Knock { socket });
            }
        });
    }

    /// The service went down: the next knock at its socket starts it again.
    pub(super) fn watch_twin(&self, service: &str) {
        let Some(socket) = self.units.get(service).map(|runtime| runtime.unit.twin()) else { return };
        if self.ending.is_none() {
            self.watch_socket(&socket);
        }
    }

    pub(super) fn knocked(&mut self, socket: &str) {
        let Some(runtime) = self.units.get(socket) else { return };
        // A stopped socket unit wakes nobody; its watcher ends with this.
        if !matches!(runtime.state, State::Active { .. }) {
            return;
        }
        let service = runtime.unit.twin();
        let down = self.units.get(&service).is_none_or(|service| service.state == State::Inactive);
        if down {
            self.start(&service, None);
        }
    }
}
