//! A process that the platform opened on a machine: what it prints, what it is told, and how it ends.
//!
//! ```text
//!  Starting ──▶ Running ──▶ ended ──▶ all its output read ──▶ Exited is sent to who is attached
//!     └─▶ (fault)
//! ```
//!
//! Output goes through a [`Ring`]. With somebody attached it is read only a little ahead of what he has credit for, so
//! that the process waits for him; with nobody it is read on, so that the process waits for nobody.

use std::{collections::VecDeque, os::fd::OwnedFd, time::Instant};

use bulkhead_agent::protocol::{CREDIT_STEP, INITIAL_CREDIT, RING, Size};
use nix::{
    errno::Errno,
    unistd::{Pid, read, write},
};

use super::{
    ring::Ring,
    stream::{Stream, StreamId},
};
use crate::enter::Launch;

/// Read ahead of what was sent.
const AHEAD: u64 = 64 * 1024;
const CHUNK: usize = 16 * 1024;
/// Input that waits for a terminal's program; a real terminal drops far sooner.
const MOST_INPUT_TERMINAL: usize = 1024 * 1024;
/// Input that waits for a piped program. Credit keeps it far below; who sends on without any loses the program.
const MOST_INPUT_PIPED: usize = 16 * 1024 * 1024;
/// Kept of what a piped process wrote to standard error.
const TAIL: usize = 8 * 1024;

pub(crate) enum Phase {
    /// Not yet its own program. Who asked gets the answer when it is.
    Starting {
        launch: Launch,
        deadline: Instant,
        stream: StreamId,
        request: u32,
    },
    Running,
}

/// The ends that we hold.
pub(crate) enum Ends {
    Terminal { master: Option<OwnedFd>, size: Size },
    Pipes { input: Option<OwnedFd>, output: Option<OwnedFd>, errors: Option<OwnedFd>, tail: Ring },
}

pub(crate) struct Attachment {
    pub(crate) stream: StreamId,
    pub(crate) credit: u64,
    /// Place in the output of the next byte to send.
    pub(crate) sent: u64,
}

pub(crate) struct Process {
    pub(crate) machine: usize,
    pub(crate) uid: u32,
    pub(crate) pid: Option<Pid>,
    pub(crate) phase: Phase,
    pub(crate) ends: Ends,
    pub(crate) ring: Ring,
    pub(crate) attached: Option<Attachment>,
    pub(crate) exit: Option<i32>,
    /// Its end was told to somebody.
    pub(crate) told: bool,
    input: VecDeque<u8>,
    input_ends: bool,
    /// Input that left `input` and was not yet given back as credit.
    owed: u32,
}

impl Process {
    pub(crate) fn new(machine: usize, uid: u32, phase: Phase, ends: Ends, stream: StreamId) -> Self {
        let attached = Some(Attachment { stream, credit: INITIAL_CREDIT.into(), sent: 0 });
        Self {
            machine,
            uid,
            pid: None,
            phase,
            ends,
            ring: Ring::new(RING),
            attached,
            exit: None,
            told: false,
            input: VecDeque::new(),
            input_ends: false,
            owed: 0,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.ends, Ends::Terminal { .. })
    }

    pub(crate) fn size(&self) -> Option<Size> {
        match self.ends {
            Ends::Terminal { size, .. } => Some(size),
            Ends::Pipes { .. } => None,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    /// Makes `stream` the one that gets the output, from the oldest byte kept, and returns that byte's place.
    pub(crate) fn attach(&mut self, stream: StreamId) -> u64 {
        let sent = self.ring.start();
        self.attached = Some(Attachment { stream, credit: INITIAL_CREDIT.into(), sent });
        self.told = false;
        sent
    }

    /// Where output comes from, if more of it is wanted now.
    pub(crate) fn output_wanted(&self) -> Option<&OwnedFd> {
        let far_ahead = self.attached.as_ref().is_some_and(|attached| self.ring.end() - attached.sent >= AHEAD);
        match &self.ends {
            _ if far_ahead || !self.is_running() => None,
            Ends::Terminal { master, .. } => master.as_ref(),
            Ends::Pipes { output, .. } => output.as_ref(),
        }
    }

    pub(crate) fn errors(&self) -> Option<&OwnedFd> {
        match &self.ends {
            Ends::Pipes { errors, .. } => errors.as_ref(),
            Ends::Terminal { .. } => None,
        }
    }

    /// Where input goes to, if some is waiting.
    pub(crate) fn input_wanted(&self) -> Option<&OwnedFd> {
        match &self.ends {
            _ if !self.is_running() || (self.input.is_empty() && !self.input_ends) => None,
            Ends::Terminal { master, .. } => master.as_ref(),
            Ends::Pipes { input, .. } => input.as_ref(),
        }
    }

    /// Reads output as far as it is wanted and there is some.
    pub(crate) fn read_output(&mut self) {
        let mut chunk = [0_u8; CHUNK];
        // One process may not keep the supervisor from the others.
        for _ in 0..8 {
            let Some(from) = self.output_wanted() else { return };
            match read(from, &mut chunk) {
                Ok(count) if count > 0 => self.ring.push(chunk.get(..count).unwrap_or_default()),
                Err(Errno::EINTR) => {}
                // What is read after its end was in the pipe at its end; who still could write to it is not waited for.
                Err(Errno::EAGAIN) if self.exit.is_none() => return,
                Ok(_) | Err(_) => {
                    self.end_output();
                    return;
                }
            }
        }
    }

    fn end_output(&mut self) {
        match &mut self.ends {
            Ends::Terminal { master, .. } => *master = None,
            Ends::Pipes { output, .. } => *output = None,
        }
    }

    pub(crate) fn read_errors(&mut self) {
        let mut chunk = [0_u8; CHUNK];
        if let Ends::Pipes { errors, tail, .. } = &mut self.ends
            && let Some(from) = errors
        {
            match read(&*from, &mut chunk) {
                Ok(count) if count > 0 => tail.push(chunk.get(..count).unwrap_or_default()),
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Ok(_) | Err(_) => *errors = None,
            }
        }
    }

    pub(crate) fn new_tail() -> Ring {
        Ring::new(TAIL)
    }

    /// Takes input for the process; empty is the end of a pipe's. False: it does not read, and there is too much.
    pub(crate) fn take_input(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            self.input_ends = !self.is_terminal();
            return true;
        }
        let most = if self.is_terminal() { MOST_INPUT_TERMINAL } else { MOST_INPUT_PIPED };
        let room = most.saturating_sub(self.input.len());
        self.input.extend(bytes.iter().take(room));
        self.owe(bytes.len().saturating_sub(room));
        self.is_terminal() || bytes.len() <= room
    }

    /// Hands on what the process takes.
    pub(crate) fn write_input(&mut self) {
        while let Some(to) = self.input_wanted() {
            let (waiting, _) = self.input.as_slices();
            if waiting.is_empty() {
                self.end_input();
                return;
            }
            match write(to, waiting) {
                Ok(count) => {
                    self.input.drain(..count);
                    self.owe(count);
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                Err(_) => {
                    self.owe(self.input.len());
                    self.input.clear();
                    self.end_input();
                }
            }
        }
    }

    fn owe(&mut self, bytes: usize) {
        self.owed = self.owed.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// Input that may be sent again, in steps: a key that was typed costs no frame.
    pub(crate) fn input_credit(&mut self) -> Option<u32> {
        (self.owed >= CREDIT_STEP).then(|| std::mem::take(&mut self.owed))
    }

    fn end_input(&mut self) {
        self.input_ends = false;
        if let Ends::Pipes { input, .. } = &mut self.ends {
            *input = None;
        }
    }

    /// Sends what there is credit for.
    pub(crate) fn send(&mut self, id: u32, stream: &mut Stream) {
        let Some(attached) = &mut self.attached else { return };
        while attached.credit > 0 && attached.sent < self.ring.end() && stream.has_room() {
            let most = usize::try_from(attached.credit).unwrap_or(CHUNK).min(CHUNK);
            let bytes = self.ring.read(attached.sent, most);
            attached.sent += bytes.len() as u64;
            attached.credit -= bytes.len() as u64;
            stream.data(id, &bytes);
        }
    }

    /// Its exit code, once it ended and all that it printed was read, and sent if somebody is attached.
    pub(crate) fn finished(&self) -> Option<i32> {
        let read = match &self.ends {
            Ends::Terminal { master, .. } => master.is_none(),
            Ends::Pipes { output, .. } => output.is_none(),
        };
        let sent = self.attached.as_ref().is_none_or(|attached| attached.sent >= self.ring.end());
        self.exit.filter(|_| read && sent && self.is_running())
    }

    /// The end of what a piped process wrote to standard error.
    pub(crate) fn tail(&self) -> String {
        match &self.ends {
            Ends::Pipes { tail, .. } => String::from_utf8_lossy(&tail.read(0, TAIL)).into_owned(),
            Ends::Terminal { .. } => String::new(),
        }
    }
}
