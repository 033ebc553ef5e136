//! Tells when a folder has changed, and its writer has paused.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use futures::StreamExt as _;
use inotify::{EventStream, Inotify, WatchMask};
use tokio::time::{Instant, timeout_at};

/// An editor saves in several steps: write beside, rename, change the mode.
const PAUSE: Duration = Duration::from_millis(30);
/// Whoever writes without a pause is read in between.
const LONGEST: Duration = Duration::from_millis(300);
/// As deep as a course is read.
const MAX_DEPTH: usize = 8;
/// Of events that the kernel hands over at once; one has a file's name at most.
const BUFFER: usize = 16 * 1024;

pub(crate) struct Watch {
    folder: PathBuf,
    events: EventStream<Vec<u8>>,
}

impl Watch {
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        let watch = Self { folder: folder.to_owned(), events: Inotify::init()?.into_event_stream(vec![0; BUFFER])? };
        watch.cover(folder, 0)?;
        Ok(watch)
    }

    /// Waits for a change, and for the pause after it.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        self.next().await?;
        let end = Instant::now() + LONGEST;
        loop {
            let pause = Instant::now() + PAUSE;
            match timeout_at(pause.min(end), self.next()).await {
                Ok(heard) => heard?,
                Err(_) => break,
            }
        }
        // Folders that came with the change. What was written into one before it is watched is read all the same, as who
        // waits here reads everything afterwards; what is written later is heard.
        self.cover(&self.folder, 0)
    }

    async fn next(&mut self) -> io::Result<()> {
        match self.events.next().await {
            Some(event) => event.map(drop),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Watches a folder and those below it. One that is watched already stays so.
    fn cover(&self, folder: &Path, depth: usize) -> io::Result<()> {
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR;
        let covered = self.events.watches().add(folder, mask).and_then(|_| fs::read_dir(folder));
        let entries = match covered {
            Ok(entries) => entries,
            // It went away meanwhile, which is a change that is heard.
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth > 0 => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries.flatten() {
            if depth < MAX_DEPTH && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.cover(&entry.path(), depth + 1)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::random::Random;

    const PATIENCE: Duration = Duration::from_secs(20);

    type Way = (&'static str, fn(&Path));

    #[tokio::test]
    async fn every_way_to_save_is_heard_and_reading_is_not() {
        let folder = std::env::temp_dir().join(format!("bulkhead-watch-{}", Random::system().hex::<8>()));
        fs::create_dir_all(folder.join("m")).expect("a folder");
        let mut watch = Watch::start(&folder).expect("watched");
        let ways: [Way; 5] = [
            ("written", |folder| fs::write(folder.join("m/a"), "1").expect("written")),
            ("renamed over", |folder| {
                fs::write(folder.join(".swap"), "2").expect("written");
                fs::rename(folder.join(".swap"), folder.join("m/a")).expect("renamed");
            }),
            ("in a new folder", |folder| {
                fs::create_dir_all(folder.join("n/o")).expect("a folder");
                fs::write(folder.join("n/o/b"), "3").expect("written");
            }),
            ("again in the new folder", |folder| fs::write(folder.join("n/o/b"), "4").expect("written")),
            ("removed", |folder| fs::remove_file(folder.join("m/a")).expect("removed")),
        ];
        for (way, save) in ways {
            save(&folder);
            let heard = timeout(PATIENCE, watch.changed()).await;
            assert!(heard.is_ok_and(|heard| heard.is_ok()), "{way}");
        }
        fs::read(folder.join("n/o/b")).expect("read");
        fs::read_dir(folder.join("n")).expect("listed").for_each(drop);
        assert!(timeout(2 * PAUSE, watch.changed()).await.is_err(), "reading was heard");
        fs::remove_dir_all(&folder).expect("removed");
        let gone = timeout(PATIENCE, watch.changed()).await.expect("the folder's end is heard");
        assert!(gone.is_err(), "there is nothing to watch any more");
    }
}
