//! How much a viewer may be sent: pure accounting of what he has not parsed yet.
//!
//! ```text
//!            window full for longer than his patience
//!   InSync ───────────────────────────────────────────▶ Behind: gets nothing, costs nobody anything
//!      ▲                                                   │
//!      └──────────── everything acknowledged: SNAPSHOT ────┘
//! ```

use std::time::Duration;

use bulkhead_app::api::terminal::WINDOW;
use tokio::time::Instant;

/// For so long the program waits for the one who types. He would rather have every line than a picture of the last.
const WRITER_PATIENCE: Duration = Duration::from_secs(2);
/// For so long it waits for somebody who watches.
const VIEWER_PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Window {
    unacknowledged: usize,
    /// Since when nothing more may be sent.
    full_since: Option<Instant>,
    /// The last sign that he still parses.
    progress: Option<Instant>,
    behind: bool,
}

/// What the terminal does for a viewer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Send him output.
    Open,
    /// Hold the program back; look again at this moment at the latest.
    WaitUntil(Instant),
    /// Go on without him.
    Behind,
}

impl Window {
    /// A viewer starts behind: the first thing that he gets is a snapshot.
    pub(crate) fn new() -> Self {
        Self { unacknowledged: 0, full_since: None, progress: None, behind: true }
    }

    pub(crate) fn room(&mut self, now: Instant, writer: bool) -> Room {
        if self.behind {
            return Room::Behind;
        }
        if self.unacknowledged < WINDOW as usize {
            self.full_since = None;
            return Room::Open;
        }
        let since = *self.full_since.get_or_insert(now);
        // A writer who parses slowly slows down his own program only. Somebody who watches must not slow down another's.
        let until = if writer {
            self.progress.map_or(since, |at| at.max(since)) + WRITER_PATIENCE
        } else {
            since + VIEWER_PATIENCE
        };
        if now < until {
            return Room::WaitUntil(until);
        }
        self.behind = true;
        Room::Behind
    }

    /// Output was lost on the way: what follows makes sense only after a snapshot.
    pub(crate) fn fall_behind(&mut self) {
        self.behind = true;
    }

    /// A snapshot is due: he is behind and has parsed all that he was sent.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.behind && self.unacknowledged == 0
    }

    pub(crate) fn sent_snapshot(&mut self, bytes: usize) {
        self.behind = false;
        self.sent(bytes);
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        self.unacknowledged += bytes;
    }

    pub(crate) fn acknowledged(&mut self, now: Instant, bytes: usize) {
        self.unacknowledged = self.unacknowledged.saturating_sub(bytes);
        self.progress = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_sync() -> Window {
        let mut window = Window::new();
        assert!(window.wants_snapshot());
        window.sent_snapshot(10);
        window
    }

    #[test]
    fn a_new_viewer_gets_a_snapshot_before_any_output() {
        let mut window = Window::new();
        assert_eq!(window.room(Instant::now(), true), Room::Behind);
        window.sent_snapshot(10);
        assert_eq!(window.room(Instant::now(), true), Room::Open);
        assert!(!window.wants_snapshot());
    }

    #[test]
    fn a_full_window_waits_for_the_writer_then_goes_on_without_him() {
        let mut window = in_sync();
        let now = Instant::now();
        window.sent(WINDOW as usize);
        assert_eq!(window.room(now, true), Room::WaitUntil(now + WRITER_PATIENCE));
        assert_eq!(window.room(now + Duration::from_secs(1), true), Room::WaitUntil(now + WRITER_PATIENCE));
        assert_eq!(window.room(now + WRITER_PATIENCE, true), Room::Behind);
        assert!(!window.wants_snapshot(), "not before he has parsed what is under way");
        window.acknowledged(now, WINDOW as usize + 10);
        assert!(window.wants_snapshot());
    }

    #[test]
    fn every_acknowledgement_renews_the_patience_with_the_writer() {
        let mut window = in_sync();
        let mut now = Instant::now();
        window.sent(2 * WINDOW as usize);
        assert!(matches!(window.room(now, true), Room::WaitUntil(_)));
        for _ in 0..5 {
            now += Duration::from_millis(1900);
            window.acknowledged(now, 1);
            assert_eq!(window.room(now, true), Room::WaitUntil(now + WRITER_PATIENCE));
        }
        assert_eq!(window.room(now, true), Room::WaitUntil(now + WRITER_PATIENCE), "he is the writer");
        window.acknowledged(now, WINDOW as usize + 10);
        assert_eq!(window.room(now, true), Room::Open);
    }

    #[test]
    fn somebody_who_watches_holds_the_program_back_for_less() {
        let mut window = in_sync();
        let now = Instant::now();
        window.sent(WINDOW as usize);
        assert_eq!(window.room(now, false), Room::WaitUntil(now + VIEWER_PATIENCE));
        window.acknowledged(now + VIEWER_PATIENCE / 2, 1);
        window.sent(1);
        assert_eq!(window.room(now + VIEWER_PATIENCE, false), Room::Behind);
    }

    #[test]
    fn acknowledging_more_than_was_sent_opens_no_larger_window() {
        let mut window = in_sync();
        let now = Instant::now();
        window.acknowledged(now, usize::MAX);
        window.sent(WINDOW as usize);
        assert!(matches!(window.room(now, true), Room::WaitUntil(_)));
    }
}
