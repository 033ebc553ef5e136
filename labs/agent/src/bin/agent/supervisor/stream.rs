//! One stream of the platform: frames in, frames out, never waiting.

use std::os::fd::{AsFd, OwnedFd};

use bulkhead_agent::{
    frame::{self, Frame, Kind},
    protocol::{Event, Fault, FaultKind, Response},
};
use nix::{
    errno::Errno,
    sys::socket::MsgFlags,
    unistd::{read, write},
};
use serde::Serialize;

use crate::sys::descriptor;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) u32);

/// With so much waiting to be written, no more output of processes is added.
const FULL: usize = 1024 * 1024;
const CHUNK: usize = 64 * 1024;

/// A caller whose pipes have not arrived yet.
pub(crate) struct Caller(pub(crate) OwnedFd);

pub(crate) enum Arrival {
    NotYet,
    /// He is gone, or brought something else.
    Never,
    Pipes(OwnedFd, OwnedFd),
}

impl Caller {
    pub(crate) fn arrive(&self) -> Arrival {
        let fds = match descriptor::receive(&self.0, MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN | Errno::EINTR) => return Arrival::NotYet,
            Err(_) => return Arrival::Never,
            Ok((_, fds)) => fds,
        };
        let ready = fds.iter().try_for_each(descriptor::nonblocking).is_ok();
        match <[OwnedFd; 2]>::try_from(fds) {
            Ok([input, output]) if ready => Arrival::Pipes(input, output),
            _ => Arrival::Never,
        }
    }
}

pub(crate) struct Stream {
    /// Closing it ends `agent connect`, and the other way round.
    pub(crate) link: OwnedFd,
    pub(crate) input: OwnedFd,
    pub(crate) output: OwnedFd,
    received: Vec<u8>,
    sending: Vec<u8>,
    pub(crate) greeted: bool,
    /// Ended: it is taken away after this round.
    pub(crate) over: bool,
    /// To be ended when everything is written.
    last_words: bool,
}

impl Stream {
    pub(crate) fn new(link: OwnedFd, input: OwnedFd, output: OwnedFd) -> Self {
        Self {
            link,
            input,
            output,
            received: Vec::new(),
            sending: Vec::new(),
            greeted: false,
            over: false,
            last_words: false,
        }
    }

    /// Takes in what is there.
    pub(crate) fn receive(&mut self) {
        let mut chunk = vec![0_u8; CHUNK];
        match read(&self.input, &mut chunk) {
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Ok(0) | Err(_) => self.over = true,
            Ok(count) => self.received.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }

    /// The next whole frame. A stream out of step cannot be understood any more and ends.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        if self.over || self.last_words {
            return None;
        }
        match frame::decode(&self.received) {
            Ok(Some((frame, size))) => {
                self.received.drain(..size);
                Some(frame)
            }
            Ok(None) => None,
            Err(error) => {
                crate::log::say(&format!("a stream is out of step: {error}"));
                self.over = true;
                None
            }
        }
    }

    pub(crate) fn answer(&mut self, request: u32, response: &Response) {
        self.answer_encoded(request, json(response));
    }

    /// Like [`Self::answer`], for a response that is JSON already.
    pub(crate) fn answer_encoded(&mut self, request: u32, mut response: Vec<u8>) {
        if response.len() > frame::MAX_PAYLOAD {
            let message =
                format!("the answer has {} bytes, more than one frame holds; ask for less at once", response.len());
            response = json(&Response::Err(Fault { kind: FaultKind::Invalid, message }));
        }
        frame::encode(Kind::Response, request, &response, &mut self.sending);
    }

    pub(crate) fn event(&mut self, process: u32, event: &Event) {
        frame::encode(Kind::Event, process, &json(event), &mut self.sending);
    }

    pub(crate) fn data(&mut self, process: u32, bytes: &[u8]) {
        frame::encode(Kind::Data, process, bytes, &mut self.sending);
    }

    pub(crate) fn credit(&mut self, process: u32, bytes: u32) {
        frame::encode(Kind::Credit, process, &bytes.to_be_bytes(), &mut self.sending);
    }

    pub(crate) fn has_room(&self) -> bool {
        self.sending.len() < FULL
    }

    pub(crate) fn wants_to_write(&self) -> bool {
        !self.sending.is_empty()
    }

    pub(crate) fn end_after_this(&mut self) {
        self.last_words = true;
    }

    /// Writes what the pipe takes.
    pub(crate) fn flush(&mut self) {
        let mut written = 0;
        while let Some(rest) = self.sending.get(written..).filter(|rest| !rest.is_empty()) {
            match write(self.output.as_fd(), rest) {
                Ok(count) => written += count,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(_) => {
                    self.over = true;
                    break;
                }
            }
        }
        self.sending.drain(..written);
        self.over |= self.last_words && self.sending.is_empty();
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Our own plain types always encode; an empty payload would be refused by the other side, which is right.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use bulkhead_agent::protocol::{Reply, Request};
    use nix::{fcntl::OFlag, unistd::pipe2};

    use super::*;

    fn stream() -> (Stream, std::fs::File, std::fs::File) {
        let (input, to) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let (from, output) = pipe2(OFlag::O_CLOEXEC).unwrap();
        descriptor::nonblocking(&input).unwrap();
        descriptor::nonblocking(&output).unwrap();
        let (link, _) = descriptor::message_pair().unwrap();
        (Stream::new(link, input, output), to.into(), from.into())
    }

    #[test]
    fn frames_come_out_whole_however_they_arrive() {
        let (mut stream, mut to, _from) = stream();
        let mut bytes = Vec::new();
        frame::encode(Kind::Request, 7, &json(&Request::Status), &mut bytes);
        frame::encode(Kind::Data, 8, b"x", &mut bytes);
        for byte in &bytes {
            assert!(stream.next().is_none_or(|frame| frame.channel == 7));
            to.write_all(&[*byte]).unwrap();
            stream.receive();
        }
        let last = stream.next().unwrap();
        assert_eq!((last.kind, last.channel, last.payload.as_slice()), (Kind::Data, 8, b"x".as_slice()));
    }

    #[test]
    fn nonsense_ends_the_stream() {
        let (mut stream, mut to, _from) = stream();
        to.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        stream.receive();
        assert!(stream.next().is_none());
        assert!(stream.over);
    }

    #[test]
    fn an_answer_that_no_frame_holds_becomes_a_fault() {
        let (mut stream, _to, mut from) = stream();
        stream.answer_encoded(1, vec![b' '; frame::MAX_PAYLOAD + 1]);
        stream.flush();
        let mut bytes = [0; 4096];
        let count = from.read(&mut bytes).unwrap();
        let (frame, _) = frame::decode(&bytes[..count]).unwrap().unwrap();
        let response: Response = serde_json::from_slice(&frame.payload).unwrap();
        assert_eq!(response.unwrap_err().kind, FaultKind::Invalid);
    }

    #[test]
    fn last_words_are_written_before_the_end() {
        let (mut stream, _to, mut from) = stream();
        stream.answer(1, &Ok(Reply::Done));
        stream.end_after_this();
        assert!(!stream.over);
        stream.flush();
        assert!(stream.over);
        let mut bytes = [0; 64];
        assert!(from.read(&mut bytes).unwrap() > frame::HEADER);
    }
}
