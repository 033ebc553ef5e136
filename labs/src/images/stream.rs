//! Tar is read and written by blocking code; the engine speaks in async streams. This joins them with bounded memory.

use std::io::{self, Read, Write};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;
use tokio_util::io::{ReaderStream, StreamReader, SyncIoBridge};

/// Bytes in flight between the blocking side and each stream.
const BUFFER: usize = 256 * 1024;

/// Runs `work` on a blocking thread between `input` and the returned stream.
///
/// When `work` fails the stream ends in an error, so that whoever reads it does not take a part for the whole; the
/// receiver says why.
pub(super) fn through<S, W>(
    input: S,
    work: W,
) -> (impl Stream<Item = io::Result<Bytes>> + Send + 'static, oneshot::Receiver<io::Result<()>>)
where
    S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    W: FnOnce(&mut dyn Read, &mut dyn Write) -> io::Result<()> + Send + 'static,
{
    let (reader, writer) = tokio::io::duplex(BUFFER);
    let (outcome, heard) = oneshot::channel();
    let (failed, ended) = oneshot::channel();
    // Bridges take the runtime's handle where they are made, which is here and not on the blocking thread.
    let mut input = SyncIoBridge::new(StreamReader::new(Box::pin(input)));
    let mut output = SyncIoBridge::new(writer);
    tokio::task::spawn_blocking(move || {
        let result = {
            let mut buffered = io::BufWriter::with_capacity(BUFFER, &mut output);
            work(&mut input, &mut buffered).and_then(|()| buffered.flush())
        };
        // Whoever stopped listening has an error of his own.
        let _ = failed.send(result.as_ref().err().map(ToString::to_string));
        let _ = outcome.send(result);
        drop(output.shutdown());
    });
    let end = stream::once(async move {
        match ended.await {
            Ok(None) => Ok(Bytes::new()),
            Ok(Some(why)) => Err(io::Error::other(why)),
            Err(_) => Err(io::Error::other("the thread that wrote this stream is gone")),
        }
    })
    .try_filter(|bytes| std::future::ready(!bytes.is_empty()));
    (ReaderStream::with_capacity(reader, BUFFER).chain(end), heard)
}

/// Calls `seen` with the sum of all bytes so far, for each chunk.
pub(super) fn counted<S, F>(input: S, seen: F) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    S: Stream<Item = io::Result<Bytes>> + Send,
    F: Fn(u64) + Send,
{
    let mut sum = 0;
    input.inspect_ok(move |bytes| {
        sum += bytes.len() as u64;
        seen(sum);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_pass_through_the_blocking_side() {
        let input = stream::iter((0..2000).map(|_| Ok(Bytes::from(vec![7_u8; 1000]))));
        let (output, outcome) = through(input, |read, write| io::copy(read, write).map(drop));
        let all: Vec<Bytes> = output.try_collect().await.unwrap();
        assert_eq!(all.iter().map(Bytes::len).sum::<usize>(), 2_000_000);
        outcome.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_failure_ends_the_stream_in_an_error() {
        let input = stream::iter([Ok(Bytes::from_static(b"x"))]);
        let (output, outcome) =
            through(input, |_, write| write.write_all(b"half").and(Err(io::Error::other("bad tar"))));
        let all: Result<Vec<Bytes>, _> = output.try_collect().await;
        assert!(all.unwrap_err().to_string().contains("bad tar"));
        assert!(outcome.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_reader_that_goes_ends_the_work() {
        let input = stream::repeat_with(|| Ok(Bytes::from(vec![0_u8; 65536])));
        let (output, outcome) = through(input, |read, write| io::copy(read, write).map(drop));
        drop(output);
        assert!(outcome.await.unwrap().is_err());
    }
}
