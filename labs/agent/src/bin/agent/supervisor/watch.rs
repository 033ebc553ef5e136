//! What the supervisor waits for, and for how long.

use std::{os::fd::AsFd, time::Instant};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{Supervisor, THAW_AGAIN, process::Phase, stream::StreamId};
use crate::fault::{Doing, Outcome};

#[derive(Clone, Copy)]
enum Source {
    Listener,
    /// Read in every round anyway.
    Signals,
    Caller(u32),
    Link(StreamId),
    Stream(StreamId),
    /// Written in every round anyway.
    Room,
    Launch(u32),
    Output(u32),
    Errors(u32),
    Job(usize),
}

impl Supervisor {
    /// Waits for the next thing to happen and takes it in.
    pub(super) fn wait(&mut self) -> Outcome<()> {
        let (sources, mut fds) = self.watched();
        let ready = match poll(&mut fds, self.patience()) {
            Ok(_) => {
                sources.iter().zip(&fds).filter(|(_, fd)| fd.any().unwrap_or(true)).map(|(source, _)| *source).collect()
            }
            Err(Errno::EINTR) => Vec::new(),
            Err(errno) => return Err(errno).doing(|| "wait".into()),
        };
        drop(fds);
        for source in ready {
            self.take_in(source);
        }
        Ok(())
    }

    fn watched(&self) -> (Vec<Source>, Vec<PollFd<'_>>) {
        let mut sources = Vec::new();
        let mut fds = Vec::new();
        let mut add = |source, fd, flags| {
            sources.push(source);
            fds.push(PollFd::new(fd, flags));
        };
        add(Source::Listener, self.listener.as_fd(), PollFlags::POLLIN);
        add(Source::Signals, self.signals.as_fd(), PollFlags::POLLIN);
        for (id, caller) in &self.callers {
            add(Source::Caller(*id), caller.0.as_fd(), PollFlags::POLLIN);
        }
        for (id, stream) in &self.streams {
            add(Source::Link(*id), stream.link.as_fd(), PollFlags::POLLIN);
            add(Source::Stream(*id), stream.input.as_fd(), PollFlags::POLLIN);
            if stream.wants_to_write() {
                add(Source::Room, stream.output.as_fd(), PollFlags::POLLOUT);
            }
        }
        for (id, process) in &self.processes {
            if let Phase::Starting { launch, .. } = &process.phase {
                add(Source::Launch(*id), launch.link.as_fd(), PollFlags::POLLIN);
            }
            if let Some(output) = process.output_wanted() {
                add(Source::Output(*id), output.as_fd(), PollFlags::POLLIN);
            }
            if let Some(errors) = process.errors() {
                add(Source::Errors(*id), errors.as_fd(), PollFlags::POLLIN);
            }
            if let Some(input) = process.input_wanted() {
                add(Source::Room, input.as_fd(), PollFlags::POLLOUT);
            }
        }
        for (index, answer) in self.jobs.answers() {
            add(Source::Job(index), answer.as_fd(), PollFlags::POLLIN);
        }
        (sources, fds)
    }

    fn patience(&self) -> PollTimeout {
        let launches = self.processes.values().filter_map(|process| match process.phase {
            Phase::Starting { deadline, .. } => Some(deadline),
            Phase::Running => None,
        });
        let doomed = self.doomed.iter().map(|(_, when)| *when);
        let next = launches
            .chain(doomed)
            .chain(self.jobs.next_deadline())
            .chain(self.restarts.next())
            .chain(self.endings.next(&self.sandbox))
            .chain(self.stopping.map(|_| Instant::now() + THAW_AGAIN))
            .min();
        next.map_or(PollTimeout::NONE, |next| {
            // Rounded up: waking just before the deadline would only mean to wait again.
            let millis = next.saturating_duration_since(Instant::now()).as_millis().saturating_add(1);
            PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
        })
    }

    fn take_in(&mut self, source: Source) {
        match source {
            Source::Signals | Source::Room => {}
            Source::Listener => self.accept(),
            Source::Caller(id) => self.arrive(id),
            // The caller says nothing more; that something is there means that he left.
            Source::Link(id) => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.over = true;
                }
            }
            Source::Stream(id) => self.read_stream(id),
            Source::Launch(id) => self.advance(id),
            Source::Output(id) => {
                if let Some(process) = self.processes.get_mut(&id) {
                    process.read_output();
                }
            }
            Source::Errors(id) => {
                if let Some(process) = self.processes.get_mut(&id) {
                    process.read_errors();
                }
            }
            Source::Job(index) => self.jobs.read(index),
        }
    }

    fn read_stream(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.receive();
        }
        while let Some(frame) = self.streams.get_mut(&id).and_then(super::stream::Stream::next) {
            self.frame(id, frame);
        }
    }

    fn advance(&mut self, id: u32) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        let Phase::Starting { launch, .. } = &mut process.phase else { return };
        let outcome = launch.advance();
        // Known at once, so that an early end is not missed.
        if process.pid.is_none()
            && let Some(pid) = launch.pid
        {
            process.pid = Some(pid);
            process.exit = self.unclaimed.iter().find(|(early, _)| *early == pid).map(|(_, code)| *code);
        }
        if let Some(outcome) = outcome {
            self.launched(id, outcome);
        }
    }
}
