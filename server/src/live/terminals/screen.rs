//! What a terminal shows right now, kept on the server, so that a browser that comes late gets a picture and never a recording.
//!
//! A snapshot is drawn from the model: text, colours, cursor, modes. A query that a program once printed is no part of the
//! picture, so no browser answers it a second time into the program's input.

use std::{
    fmt::Write,
    num::NonZeroU16,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use bulkhead_agent::protocol::Size;
use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use vt100::{
    Parser, Screen as Cells,
    capture::{BasicFormattedCaptureRange, BasicFormattedCaptureState},
};

/// Lines above the screen that a snapshot carries.
const SCROLLBACK: usize = 300;
/// A snapshot larger than this leaves the scrollback out.
const SNAPSHOT_LIMIT: usize = 256 * 1024;
/// Largest terminal that is modelled. Beyond it a hostile size would cost memory on our side.
pub(crate) const MAX_COLS: u16 = 500;
pub(crate) const MAX_ROWS: u16 = 200;

/// For so long a screen may have the thread. What is fed after that waits for its next turn.
const TURN: Duration = Duration::from_millis(10);
/// Between two looks at the clock. Two bytes can cost a new screen.
const PIECE: usize = 32;

/// What this thread has worked: a machine that is busy with others makes nobody's output dear.
pub(super) fn worked() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(spent.tv_sec).unwrap_or_default(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}

/// A terminal's size, brought into the bounds that the model accepts.
pub(crate) fn bounded(size: Size) -> Size {
    Size { cols: size.cols.clamp(2, MAX_COLS), rows: size.rows.clamp(1, MAX_ROWS) }
}

pub(crate) struct Screen {
    parser: Parser,
    size: Size,
}

impl Screen {
    pub(crate) fn new(size: Size) -> Self {
        let size = bounded(size);
        Self { parser: parser(size), size }
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Takes as much as there is time for, and says how much that was.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        let (began, mut taken) = (Instant::now(), 0);
        self.guarded(|parser| {
            for piece in bytes.chunks(PIECE) {
                taken += piece.len();
                parser.process(piece);
                if began.elapsed() >= TURN {
                    break;
                }
            }
        });
        taken
    }

    #[cfg(test)]
    pub(super) fn feed_all(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[self.feed(bytes)..];
        }
    }

    pub(crate) fn resize(&mut self, size: Size) {
        self.size = bounded(size);
        let (rows, cols) = dimensions(self.size);
        self.guarded(|parser| parser.set_size(rows, cols));
    }

    /// Bytes that draw this screen, with its scrollback, on a terminal that was just reset and has this size.
    pub(crate) fn snapshot(&mut self) -> Bytes {
        let mut drawn = String::new();
        self.guarded(|parser| drawn = draw(parser.screen(), true));
        if drawn.len() > SNAPSHOT_LIMIT {
            self.guarded(|parser| drawn = draw(parser.screen(), false));
        }
        drawn.into()
    }

    /// The plain text on the screen.
    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// The bytes come from a student, and the model is a library: a sequence that makes it panic costs him his screen, not
    /// us the task that moves his output.
    fn guarded(&mut self, action: impl FnOnce(&mut Parser)) {
        if catch_unwind(AssertUnwindSafe(|| action(&mut self.parser))).is_err() {
            tracing::warn!("the screen model failed on a terminal's output and starts over");
            self.parser = parser(self.size);
        }
    }
}

fn parser(size: Size) -> Parser {
    let (rows, cols) = dimensions(size);
    Parser::new(rows, cols, SCROLLBACK)
}

fn dimensions(size: Size) -> (NonZeroU16, NonZeroU16) {
    let nonzero = |n| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN);
    (nonzero(size.rows), nonzero(size.cols))
}

fn draw(cells: &Cells, scrollback: bool) -> String {
    if !cells.alternate_screen() {
        return draw_plain(cells, scrollback);
    }
    // A full-screen program hides the shell's screen. The library shows one of the two at a time, so a copy is told to leave.
    let (rows, cols) = cells.size();
    let mut behind = Parser::new(rows, cols, SCROLLBACK);
    *behind.screen_mut() = cells.clone();
    behind.process(b"\x1b[?47l");
    let mut drawn = draw_plain(behind.screen(), scrollback);
    drawn.push_str("\x1b[?1049h");
    drawn.push_str(&cells.state_formatted());
    drawn
}

fn draw_plain(cells: &Cells, scrollback: bool) -> String {
    let mut drawn = String::new();
    if scrollback {
        // Printing everything once moves the older lines above the screen; what is drawn next replaces only the screen.
        let mut state = BasicFormattedCaptureState::new();
        let written = cells
            .write_contents_formatted_basic(&mut LineFeeds(&mut drawn), BasicFormattedCaptureRange::Full(&mut state));
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        drawn.push_str("\x1b[m");
    }
    drawn.push_str(&cells.state_formatted());
    drawn
}

/// A terminal needs a carriage return where the library writes a bare line feed.
struct LineFeeds<'a>(&'a mut String);

impl Write for LineFeeds<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        text.split_inclusive('\n').try_for_each(|part| match part.strip_suffix('\n') {
            Some(line) => write!(self.0, "{line}\r\n"),
            None => self.0.write_str(part),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { cols: 20, rows: 4 };

    /// What a browser shows after the snapshot: the screen, and every line above it.
    fn seen(snapshot: &[u8], size: Size) -> (String, Vec<String>) {
        let mut viewer = Screen::new(size);
        viewer.feed_all(snapshot);
        let cells = viewer.parser.screen_mut();
        let screen = cells.contents();
        let above = cells.scrollback_len();
        let lines = (1..=above)
            .rev()
            .map(|up| {
                cells.set_scrollback(up);
                cells.rows(0, size.cols).next().unwrap_or_default()
            })
            .collect();
        cells.set_scrollback(0);
        (screen, lines)
    }

    #[test]
    fn a_snapshot_draws_the_same_screen_and_scrollback() {
        let mut screen = Screen::new(SIZE);
        for line in 0..10 {
            screen.feed_all(format!("\x1b[3{}mline {line}\x1b[m\r\n", line % 8).as_bytes());
        }
        screen.feed_all(b"$ ");
        let (shown, above) = seen(&screen.snapshot(), SIZE);
        assert_eq!(shown, "line 7\nline 8\nline 9\n$ ");
        assert_eq!(above, (0..7).map(|line| format!("line {line}")).collect::<Vec<_>>());
    }

    #[test]
    fn the_cursor_and_the_colour_go_on_where_they_were() {
        let mut screen = Screen::new(SIZE);
        screen.feed_all(b"one\r\n\x1b[31mtwo");
        let snapshot = screen.snapshot();
        let mut viewer = Screen::new(SIZE);
        viewer.feed_all(&snapshot);
        for it in [&mut screen, &mut viewer] {
            it.feed_all(b" and on\x1b[2;9H!");
        }
        assert_eq!(viewer.parser.screen().contents_formatted(), screen.parser.screen().contents_formatted());
        assert_eq!(viewer.parser.screen().cursor_position(), (1, 9));
    }

    #[test]
    fn queries_are_not_in_a_snapshot() {
        let mut screen = Screen::new(SIZE);
        // Cursor position, device attributes, title report, colour query, clipboard read, DECRQSS.
        screen.feed_all(b"a\x1b[6nb\x1b[c\x1b[>cc\x1b[21td\x1b]11;?\x07e\x1b]52;c;?\x07f\x1bP$qm\x1b\\g");
        let snapshot = screen.snapshot();
        let text = String::from_utf8_lossy(&snapshot);
        for query in ["\x1b[6n", "\x1b[c", "\x1b[>c", "\x1b[21t", "\x1b]", "\x1bP"] {
            assert!(!text.contains(query), "{query:?} in {text:?}");
        }
        assert_eq!(seen(&snapshot, SIZE).0, "abcdefg");
    }

    #[test]
    fn a_full_screen_program_leaves_to_the_shell_that_was_there() {
        let mut screen = Screen::new(SIZE);
        screen.feed_all(b"$ vim\r\n\x1b[?1049h\x1b[2J\x1b[Hediting");
        let snapshot = screen.snapshot();
        assert_eq!(seen(&snapshot, SIZE).0, "editing");
        let mut viewer = Screen::new(SIZE);
        viewer.feed_all(&snapshot);
        viewer.feed_all(b"\x1b[?1049l$ ");
        assert_eq!(viewer.parser.screen().contents().trim_end(), "$ vim\n$");
    }

    #[test]
    fn a_snapshot_is_bounded_whatever_was_printed() {
        let mut screen = Screen::new(Size { cols: u16::MAX, rows: u16::MAX });
        assert_eq!(screen.size(), Size { cols: MAX_COLS, rows: MAX_ROWS });
        for n in 0..200_000_u32 {
            screen.feed_all(format!("\x1b[38;2;{};{};{}mX", n % 256, n / 7 % 256, n / 3 % 256).as_bytes());
        }
        // The screen itself is always drawn: 100,000 cells of 20 bytes at the worst.
        assert!(screen.snapshot().len() <= usize::from(MAX_COLS) * usize::from(MAX_ROWS) * 24);
    }

    #[test]
    fn rubbish_and_resizes_do_no_harm() {
        let mut screen = Screen::new(SIZE);
        let mut seed = 1_u32;
        for round in 0..300_u16 {
            let rubbish: Vec<u8> = (0..512)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let byte = (seed >> 24) as u8;
                    if byte.is_multiple_of(5) {
                        b"\x1b[?;0123456789hlmHJKrLMPXS@"[usize::from(byte) % 27]
                    } else {
                        byte
                    }
                })
                .collect();
            screen.feed_all(&rubbish);
            screen.resize(Size { cols: round % 90, rows: round % 37 });
            screen.snapshot();
        }
    }

    /// An operating system command has no end before its end; a student's need not have any.
    #[test]
    fn a_command_without_an_end_costs_nothing() {
        let rss = || {
            let status = std::fs::read_to_string("/proc/self/status").expect("a status");
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
            line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
        };
        let mut screen = Screen::new(SIZE);
        screen.feed_all(b"\x1b]0;");
        let (before, title) = (rss(), vec![b'x'; 1024 * 1024]);
        for _ in 0..64 {
            screen.feed_all(&title);
        }
        assert!(rss() < before + 32, "{} MiB before, {} after 64 MiB of a title", before, rss());
        screen.feed_all(b"\x07hello");
        assert_eq!(screen.text(), "hello");
    }

    #[test]
    fn what_is_dear_to_draw_waits_for_another_turn() {
        let mut screen = Screen::new(Size { cols: MAX_COLS, rows: MAX_ROWS });
        for dear in ["\x1bc", "x\x1b[65535b", "\x1b[65535S", "\x1b[2J"] {
            let flood = dear.repeat(64 * 1024 / dear.len());
            let began = worked();
            let taken = screen.feed(flood.as_bytes());
            let took = worked().checked_sub(began).expect("time that only grows");
            // All of it takes minutes.
            assert!(taken > 0 && took < Duration::from_secs(1), "{taken} bytes of {dear:?} took {took:?}");
        }
    }
}
