//! Requests over the control socket. Anyone on the machine may look; only root may change.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    sync::mpsc::{self, Sender},
    time::Duration,
};

use rustix::net::sockopt::socket_peercred;

use super::Event;
use crate::control::{LONGEST_LINE, Request, Response, SOCKET};

pub(super) fn listen(events: Sender<Event>) -> std::io::Result<()> {
    let _ = fs::remove_file(SOCKET);
    let listener = UnixListener::bind(SOCKET)?;
    fs::set_permissions(SOCKET, Permissions::from_mode(0o666))?;
    std::thread::Builder::new().name("control".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            let events = events.clone();
            // A thread for each: a start may take long, and a silent client must hold up nobody.
            let _ = std::thread::Builder::new().stack_size(128 * 1024).spawn(move || serve(stream, &events));
        }
    })?;
    Ok(())
}

fn serve(mut stream: UnixStream, events: &Sender<Event>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut line = String::new();
    let mut reader = BufReader::new((&stream).take(LONGEST_LINE));
    let Ok(request) =
        reader.read_line(&mut line).map_err(drop).and_then(|_| serde_json::from_str::<Request>(&line).map_err(drop))
    else {
        return;
    };
    let root = socket_peercred(&stream).is_ok_and(|peer| peer.uid.is_root());
    let response = if request.changes() && !root {
        Response::Denied
    } else {
        let (answer, inbox) = mpsc::channel();
        let sent = events.send(Event::Asked { request, answer });
        // The unit's waiters were dropped unanswered: the job was replaced by another.
        sent.ok().and_then(|()| inbox.recv().ok()).unwrap_or_else(|| Response::Failed("The job was cancelled.".into()))
    };
    if let Ok(mut line) = serde_json::to_vec(&response) {
        line.push(b'\n');
        let _ = stream.write_all(&line);
    }
}
