//! Readiness as `sd_notify(3)` tells it: one datagram socket for each unit, so that the sender needs no guessing.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    sync::mpsc::Sender,
};

use super::Event;

const FOLDER: &str = "/run/systemd/notify";

pub(super) fn path(unit: &str) -> PathBuf {
    Path::new(FOLDER).join(unit)
}

/// Listens until the unit is ready, or listens again.
pub(super) fn listen(unit: &str, events: Sender<Event>) {
    let path = path(unit);
    let _ = fs::create_dir_all(FOLDER);
    let _ = fs::remove_file(&path);
    let Ok(socket) = UnixDatagram::bind(&path) else { return };
    let unit = unit.to_owned();
    let _ = std::thread::Builder::new().name("notify".into()).stack_size(64 * 1024).spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            if text.lines().any(|line| line == "READY=1") {
                let _ = events.send(Event::Ready { unit });
                // What comes later (RELOADING, STOPPING, STATUS) has no reader; a vanished socket is no error for the sender.
                let _ = fs::remove_file(&path);
                return;
            }
        }
    });
}
