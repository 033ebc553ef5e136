//! Which of a machine's programs are no longer the image's.
//!
//! ```text
//! layer    what lies in the student's own layer in the place of the image's
//! paths    what is found at a program's path, mounts and all
//! serving  who holds the socket at which the engine answers
//! same     whether two files are one
//! ```
//!
//! A file that was copied up and holds the same is the image's still.

mod layer;
mod paths;
mod same;
mod serving;

use std::{collections::BTreeMap, os::fd::OwnedFd, path::Path};

use bulkhead_agent::look::{
    Seen,
    facts::{Change, Tampering},
};
use nix::{
    fcntl::{OFlag, open},
    sys::stat::Mode,
};

use super::place;
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
};

const MOST: usize = 64;
const LONGEST: usize = 256;

/// `directories` without the slash at their beginning; `programs` by name.
pub(super) fn look(machine: &Machine, directories: &[String], programs: &[String]) -> Outcome<Seen> {
    let (Some(state), Some(image)) = (&machine.disk.state, &machine.disk.image) else { return Ok(Seen::Missing) };
    let (upper, image) = (directory(&state.join("upper"))?, directory(image)?);
    let mut changes = Changes::default();
    layer::look(&upper, &image, directories, &mut changes);
    // Opened while we still may; read as his own root, who can put anything there.
    let view = paths::View::of(machine)?;
    let serving = serving::holders(machine)?;
    place::become_root_of(machine)?;
    view.look(&image, programs, &mut changes);
    serving::look(&serving, &image, &mut changes);
    Ok(changes.seen())
}

fn directory(path: &Path) -> Outcome<OwnedFd> {
    open(path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
        .doing(|| format!("open {}", path.display()))
}

/// What was found, each path once: the first word counts.
#[derive(Default)]
struct Changes {
    found: BTreeMap<String, Tampering>,
    truncated: bool,
}

impl Changes {
    fn add(&mut self, path: &str, what: Tampering) {
        let path: String = path.chars().take(LONGEST).collect();
        if self.found.len() < MOST || self.found.contains_key(&path) {
            self.found.entry(path).or_insert(what);
        } else {
            self.truncated = true;
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    fn seen(self) -> Seen {
        let changes = self.found.into_iter().map(|(path, what)| Change { path, what }).collect();
        Seen::Tampered { changes, truncated: self.truncated }
    }
}
