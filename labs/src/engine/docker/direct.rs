//! A way to the agent that leaves the engine out, where engine and platform share a machine: every key typed goes through
//! two processes less, and every byte printed.
//!
//! ```text
//! open a door (a socket in a folder that the sandbox sees) ─▶ exec `agent connect DOOR` ─┬─▶ it comes through the door
//!                                                                                         └─▶ it says so: the exec's own stream
//! ```
//!
//! The folder is the sandbox's alone, holds nothing but doors, and is mounted read-only; no machine sees it. A door opens
//! once.

use std::{
    fs::{self, DirBuilder, Permissions},
    io::{self, Write},
    net::Shutdown,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::{UnixListener, unix::pipe},
};

use crate::engine::{Duplex, SandboxId};

/// Where the sandbox sees its folder.
pub(super) const INSIDE: &str = "/run/doors";
/// By this process.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// The folders of one installation.
#[derive(Clone, Debug)]
pub(super) struct Doors {
    folder: PathBuf,
}

impl Doors {
    pub(super) fn new(instance: &str) -> Self {
        let own = fs::metadata("/proc/self").map_or(0, |own| own.uid());
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
        let base = match runtime {
            _ if own == 0 => PathBuf::from("/run/bulkhead"),
            Some(folder) => folder.join("bulkhead"),
            None => std::env::temp_dir().join(format!("bulkhead-{own}")),
        };
        Self { folder: base.join(instance) }
    }

    /// On the engine's machine. Where that is another one, the engine makes an empty folder there and no door opens.
    pub(super) fn folder(&self, id: &SandboxId) -> PathBuf {
        self.folder.join(id.as_str())
    }

    /// Before the container is made, or the engine would make the folder and own it.
    pub(super) fn prepare(&self, id: &SandboxId) -> io::Result<()> {
        let folder = self.folder(id);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        // What reaches it came by the mount, and finds sockets only.
        fs::set_permissions(&folder, Permissions::from_mode(0o755))
    }

    pub(super) fn remove(&self, id: &SandboxId) {
        let _none = fs::remove_dir_all(self.folder(id));
        let _others = fs::remove_dir(&self.folder);
    }

    pub(super) fn open(&self, id: &SandboxId) -> io::Result<Door> {
        // Another server of this installation, or one that crashed here, may have left doors.
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("{at}-{}", OPENED.fetch_add(1, Ordering::Relaxed));
        let path = self.folder(id).join(&name);
        let listener = UnixListener::bind(&path)?;
        let door = Door { listener, path, inside: Path::new(INSIDE).join(&name).to_string_lossy().into_owned() };
        // The agent is root without the right to ignore modes.
        fs::set_permissions(&door.path, Permissions::from_mode(0o666))?;
        Ok(door)
    }
}

pub(super) struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// The door's name for the agent.
    pub(super) inside: String,
}

impl Door {
    /// The stream that the agent chose: through the door, or `exec`'s own.
    pub(super) async fn meet(self, mut exec: Duplex) -> io::Result<Duplex> {
        let mut said = [0];
        tokio::select! {
            came = self.listener.accept() => {
                let (socket, _) = came?;
                Ok(Box::pin(Through { socket: Socket::new(&socket.into_std()?)?, exec }))
            }
            // It found the door shut, and says so before anything else.
            read = exec.read_exact(&mut said) => read.map(|_| exec),
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _none = fs::remove_file(&self.path);
    }
}

/// The exec lives as long as its stream is held. When it ends, by an engine that stops for one, this one does.
struct Through {
    socket: Socket,
    exec: Duplex,
}

impl AsyncRead for Through {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.socket).poll_read(context, buffer) {
            return Poll::Ready(read);
        }
        let mut nothing = [0];
        self.exec.as_mut().poll_read(context, &mut ReadBuf::new(&mut nothing))
    }
}

impl AsyncWrite for Through {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// A socket that is not told each time that the other end has read. The usual one is told so for every key, and a thread
/// that has nothing to do wakes up while the shell wants the processor.
struct Socket {
    read: pipe::Receiver,
    write: std::os::unix::net::UnixStream,
    /// While the other end does not read.
    full: Option<pipe::Sender>,
}

impl Socket {
    fn new(socket: &std::os::unix::net::UnixStream) -> io::Result<Self> {
        // A pipe's end waits for one direction alone, and asks of its file no more than that it reads.
        let read = pipe::Receiver::from_owned_fd_unchecked(socket.try_clone()?.into())?;
        Ok(Self { read, write: socket.try_clone()?, full: None })
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(full) = &mut self.full {
                let written = ready!(Pin::new(full).poll_write(context, bytes));
                self.full = None;
                return Poll::Ready(written);
            }
            match (&self.write).write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.full = Some(pipe::Sender::from_owned_fd_unchecked(self.write.try_clone()?.into())?);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.write.shutdown(Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncWriteExt, duplex},
        net::UnixStream,
    };

    use super::*;

    /// Doors in a folder of the test's own, and the sandbox that they are for.
    fn doors(test: &str) -> (Doors, SandboxId) {
        let folder = std::env::temp_dir().join(format!("bulkhead-doors-{}-{test}", std::process::id()));
        let id = SandboxId::parse("one").expect("an id");
        let doors = Doors { folder };
        doors.prepare(&id).expect("prepared");
        (doors, id)
    }

    fn left(doors: &Doors, id: &SandboxId) -> usize {
        fs::read_dir(doors.folder(id)).expect("the folder").count()
    }

    #[tokio::test]
    async fn who_comes_through_the_door_is_the_stream() {
        let (doors, id) = doors("through");
        let (exec, held) = duplex(64);
        let door = doors.open(&id).expect("a door");
        let path = doors.folder(&id).join(Path::new(&door.inside).file_name().expect("a name"));
        let (met, came) = tokio::join!(door.meet(Box::pin(exec)), UnixStream::connect(&path));
        let (mut met, mut came) = (met.expect("met"), came.expect("came"));
        came.write_all(b"hello").await.expect("written");
        let mut said = [0; 5];
        met.read_exact(&mut said).await.expect("read");
        assert_eq!(&said, b"hello");
        assert_eq!(left(&doors, &id), 0, "a door opens once");
        drop(held);
        assert_eq!(met.read(&mut said).await.expect("an end"), 0, "it ends with the exec");
        doors.remove(&id);
        assert!(!doors.folder.exists());
    }

    #[tokio::test]
    async fn whoever_finds_the_door_shut_uses_the_exec() {
        let (doors, id) = doors("shut");
        let (exec, mut agent) = duplex(64);
        let door = doors.open(&id).expect("a door");
        agent.write_all(b"-hello").await.expect("written");
        let mut met = door.meet(Box::pin(exec)).await.expect("met");
        let mut said = [0; 5];
        met.read_exact(&mut said).await.expect("read");
        assert_eq!(&said, b"hello", "the first byte was for the door");
        assert_eq!(left(&doors, &id), 0);
        doors.remove(&id);
    }

    #[tokio::test]
    async fn who_does_not_read_is_waited_for() {
        const MUCH: usize = 4 * 1024 * 1024;
        let (near, mut far) = UnixStream::pair().expect("a pair");
        let mut near = Socket::new(&near.into_std().expect("a socket")).expect("a socket");
        let sent = tokio::spawn(async move {
            near.write_all(&vec![7; MUCH]).await.expect("written");
            near.write_all(b"!").await.expect("written");
            near.shutdown().await.expect("shut");
            let mut answer = String::new();
            near.read_to_string(&mut answer).await.expect("read");
            answer
        });
        tokio::task::yield_now().await;
        assert!(!sent.is_finished());
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.expect("read");
        assert_eq!((got.len(), got.last()), (MUCH + 1, Some(&b'!')));
        far.write_all(b"all of it").await.expect("written");
        drop(far);
        assert_eq!(sent.await.expect("sent"), "all of it");
    }
}
