//! An exec's stdin and stdout as one duplex stream.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bollard::{container::LogOutput, errors::Error, exec::StartExecResults};
use bytes::{Buf, Bytes};
use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::engine::{Duplex, EngineError};

/// Of the buffer that the engine's packets are cut from; the engine sends up to 32 KiB at once.
pub(super) const CAPACITY: usize = 64 * 1024;
/// Bytes kept of what the other side said on stderr before it ended.
const COMPLAINT: usize = 2000;

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

struct ExecStream {
    output: Output,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    /// The rest of a packet that the reader's buffer did not hold.
    rest: Bytes,
    complaint: String,
}

pub(super) fn duplex(started: StartExecResults) -> Result<Duplex, EngineError> {
    match started {
        StartExecResults::Attached { output, input } => {
            Ok(Box::pin(ExecStream { output, input, rest: Bytes::new(), complaint: String::new() }))
        }
        StartExecResults::Detached => Err(EngineError::Refused {
            what: "attach to the sandbox's agent".to_owned(),
            cause: "it started the process detached".to_owned(),
        }),
    }
}

impl AsyncRead for ExecStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.rest.is_empty() {
            match ready!(this.output.as_mut().poll_next(context)) {
                Some(Ok(LogOutput::StdOut { message } | LogOutput::Console { message })) => this.rest = message,
                Some(Ok(LogOutput::StdErr { message })) => {
                    let room = COMPLAINT.saturating_sub(this.complaint.len()).min(message.len());
                    this.complaint.push_str(&String::from_utf8_lossy(&message[..room]));
                }
                Some(Ok(LogOutput::StdIn { .. })) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None if this.complaint.is_empty() => return Poll::Ready(Ok(())),
                None => {
                    return Poll::Ready(Err(io::Error::other(std::mem::take(&mut this.complaint).trim().to_owned())));
                }
            }
        }
        let taken = this.rest.len().min(buffer.remaining());
        buffer.put_slice(&this.rest[..taken]);
        this.rest.advance(taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ExecStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.input.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.as_mut().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn stream(packets: Vec<LogOutput>) -> Duplex {
        let output = Box::pin(futures::stream::iter(packets.into_iter().map(Ok)));
        Box::pin(ExecStream {
            output,
            input: Box::pin(tokio::io::sink()),
            rest: Bytes::new(),
            complaint: String::new(),
        })
    }

    #[tokio::test]
    async fn packets_become_one_stream() {
        let out = |text: &'static str| LogOutput::StdOut { message: Bytes::from_static(text.as_bytes()) };
        let mut duplex = stream(vec![out("ab"), out(""), out("cde")]);
        let mut three = [0; 3];
        duplex.read_exact(&mut three).await.expect("three bytes");
        let mut rest = String::new();
        duplex.read_to_string(&mut rest).await.expect("the rest");
        assert_eq!((&three, rest.as_str()), (b"abc", "de"));
    }

    #[tokio::test]
    async fn what_it_complained_of_is_the_error() {
        let mut duplex = stream(vec![LogOutput::StdErr { message: Bytes::from_static(b"agent: no supervisor\n") }]);
        let error = duplex.read_to_end(&mut Vec::new()).await.expect_err("a complaint");
        assert_eq!(error.to_string(), "agent: no supervisor");
    }
}
