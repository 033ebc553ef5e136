//! The end of a process's output, by its place in all that the process has printed.

use std::collections::VecDeque;

pub(crate) struct Ring {
    bytes: VecDeque<u8>,
    capacity: usize,
    end: u64,
}

impl Ring {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { bytes: VecDeque::new(), capacity, end: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.end += bytes.len() as u64;
        let kept = bytes.get(bytes.len().saturating_sub(self.capacity)..).unwrap_or_default();
        let excess = (self.bytes.len() + kept.len()).saturating_sub(self.capacity);
        self.bytes.drain(..excess);
        self.bytes.extend(kept);
    }

    /// Bytes printed so far.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Place of the oldest byte that is still here.
    pub(crate) fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// Up to `most` bytes from `place` on. What is gone is skipped.
    pub(crate) fn read(&self, place: u64, most: usize) -> Vec<u8> {
        let skip = usize::try_from(place.saturating_sub(self.start())).unwrap_or(usize::MAX);
        let (first, second) = self.bytes.as_slices();
        let from = |slice: &[u8], skip: usize, most: usize| {
            let slice = slice.get(skip..).unwrap_or_default();
            slice.get(..most).unwrap_or(slice).to_vec()
        };
        let mut bytes = from(first, skip, most);
        bytes.extend(from(second, skip.saturating_sub(first.len()), most - bytes.len()));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_end() {
        let mut ring = Ring::new(4);
        ring.push(b"ab");
        assert_eq!((ring.start(), ring.end()), (0, 2));
        ring.push(b"cde");
        assert_eq!((ring.start(), ring.end()), (1, 5));
        assert_eq!(ring.read(1, 99), b"bcde");
        assert_eq!(ring.read(3, 1), b"d");
    }

    #[test]
    fn one_push_may_be_longer_than_all_of_it() {
        let mut ring = Ring::new(3);
        ring.push(b"0123456789");
        assert_eq!((ring.start(), ring.end()), (7, 10));
        assert_eq!(ring.read(0, 99), b"789");
        assert_eq!(ring.read(10, 99), b"");
        assert_eq!(ring.read(u64::MAX, 99), b"");
    }

    #[test]
    fn places_go_on_however_it_is_filled() {
        let mut ring = Ring::new(5);
        let all: Vec<u8> = (0..=255).collect();
        for part in all.chunks(3) {
            ring.push(part);
            assert_eq!(ring.read(ring.start(), 99).last(), part.last());
            assert!(ring.end() - ring.start() <= 5);
        }
        assert_eq!(ring.end(), 256);
        assert_eq!(ring.read(253, 2), [253, 254]);
    }
}
