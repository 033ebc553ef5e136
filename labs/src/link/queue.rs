//! A process's output between the reader task and the consumer, and its input on the way: both bounded by credit.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bulkhead_agent::protocol::{CREDIT_STEP as STEP, INITIAL_CREDIT};
use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use super::process::Ending;

#[derive(Debug)]
pub(super) struct Queue {
    /// A terminal lives on when nobody looks; a piped process does not.
    pub(super) terminal: bool,
    state: Mutex<State>,
    arrived: Notify,
    /// Input was taken, or will never be.
    room: Notify,
}

#[derive(Debug)]
struct State {
    waiting: BytesMut,
    /// What the sender may still send.
    credit: u32,
    /// Taken by the consumer and not yet given back as credit.
    owed: u32,
    ending: Option<Ending>,
    abandoned: bool,
    /// Input that was sent and not yet given back as credit.
    typed: u32,
}

/// The sender went beyond its credit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overrun;

impl Queue {
    /// `again`: this stream was attached before. Credit that was given for that one may reach the agent after the attach and
    /// count for this one, so that more may come.
    pub(super) fn new(terminal: bool, again: bool) -> Self {
        let credit = if again { 2 * INITIAL_CREDIT } else { INITIAL_CREDIT };
        let state = State { waiting: BytesMut::new(), credit, owed: 0, ending: None, abandoned: false, typed: 0 };
        Self { terminal, state: Mutex::new(state), arrived: Notify::new(), room: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what arrived. `Ok(Some)`: credit to send back at once, because nobody reads here any more.
    pub(super) fn put(&self, bytes: BytesMut) -> Result<Option<u32>, Overrun> {
        let mut state = self.state();
        let length = u32::try_from(bytes.len()).map_err(|_| Overrun)?;
        state.credit = state.credit.checked_sub(length).ok_or(Overrun)?;
        if state.abandoned {
            state.owed += length;
            return Ok(state.repay());
        }
        if state.waiting.is_empty() {
            state.waiting = bytes;
        } else {
            state.waiting.unsplit(bytes);
        }
        drop(state);
        self.arrived.notify_one();
        Ok(None)
    }

    /// The first ending counts.
    pub(super) fn end(&self, ending: Ending) {
        self.state().ending.get_or_insert(ending);
        self.arrived.notify_one();
        self.room.notify_waiters();
    }

    /// Waits until so much input may be sent. False: there is nobody any more to send it to.
    pub(super) async fn reserve(&self, bytes: u32) -> bool {
        loop {
            let mut room = pin!(self.room.notified());
            // From here on no notification is missed.
            room.as_mut().enable();
            {
                let mut state = self.state();
                if state.ending.is_some() {
                    return false;
                }
                if state.typed == 0 || state.typed.saturating_add(bytes) <= INITIAL_CREDIT {
                    state.typed = state.typed.saturating_add(bytes);
                    return true;
                }
            }
            room.await;
        }
    }

    /// The agent handed on so much input. More than was sent may come: an attach before this one's counts too.
    pub(super) fn typed(&self, bytes: u32) {
        let mut state = self.state();
        state.typed = state.typed.saturating_sub(bytes);
        drop(state);
        self.room.notify_waiters();
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.state().ending.clone()
    }

    /// All that waits, with the credit to send back for it; `None` at the end.
    pub(super) async fn take(&self) -> Option<(Bytes, Option<u32>)> {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut state = self.state();
                if !state.waiting.is_empty() {
                    let bytes = std::mem::take(&mut state.waiting).freeze();
                    state.owed += u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    return Some((bytes, state.repay()));
                }
                if state.ending.is_some() {
                    return None;
                }
            }
            arrived.await;
        }
    }

    /// Nobody reads any more: what comes is thrown away. The credit for what waited, if there is enough of it.
    pub(super) fn abandon(&self) -> Option<u32> {
        let mut state = self.state();
        state.abandoned = true;
        let waiting = std::mem::take(&mut state.waiting);
        state.owed += u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        state.repay()
    }
}

impl State {
    fn repay(&mut self) -> Option<u32> {
        if self.owed < STEP || self.ending.is_some() {
            return None;
        }
        let credit = std::mem::take(&mut self.owed);
        self.credit += credit;
        Some(credit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: u32) -> BytesMut {
        BytesMut::zeroed(length as usize)
    }

    #[tokio::test]
    async fn holds_the_credit_and_not_a_byte_more() {
        let queue = Queue::new(true, false);
        assert_eq!(queue.put(bytes(INITIAL_CREDIT)), Ok(None));
        assert_eq!(queue.put(bytes(1)), Err(Overrun));
        let (taken, credit) = queue.take().await.expect("waiting bytes");
        assert_eq!((taken.len(), credit), (INITIAL_CREDIT as usize, Some(INITIAL_CREDIT)));
        assert_eq!(queue.put(bytes(INITIAL_CREDIT)), Ok(None), "what was taken may be sent again");
    }

    #[tokio::test]
    async fn gives_everything_before_the_end() {
        let queue = Queue::new(false, false);
        queue.put(bytes(3)).expect("within credit");
        queue.put(bytes(4)).expect("within credit");
        queue.end(Ending::Detached);
        assert_eq!(queue.take().await.map(|(taken, _)| taken.len()), Some(7));
        assert!(queue.take().await.is_none());
        queue.end(Ending::Exited { code: 0, stderr: String::new() });
        assert_eq!(queue.ending(), Some(Ending::Detached), "the first ending counts");
    }

    #[tokio::test(start_paused = true)]
    async fn input_waits_for_credit_and_for_nobody_who_is_gone() {
        use std::time::Duration;
        use tokio::time::timeout;

        let queue = Queue::new(false, false);
        assert!(queue.reserve(INITIAL_CREDIT).await);
        assert!(timeout(Duration::from_mins(1), queue.reserve(1)).await.is_err(), "there is no credit left");
        queue.typed(STEP);
        assert!(queue.reserve(STEP).await);
        let (waited, ()) = tokio::join!(queue.reserve(1), async {
            tokio::task::yield_now().await;
            queue.end(Ending::Detached);
        });
        assert!(!waited, "who waits learns that nobody is left");
        assert!(!queue.reserve(1).await);
    }

    #[test]
    fn an_abandoned_terminal_never_runs_dry() {
        let queue = Queue::new(true, false);
        queue.put(bytes(STEP - 1)).expect("within credit");
        assert_eq!(queue.abandon(), None);
        for _ in 0..100 {
            assert!(queue.put(bytes(STEP)).expect("within credit").is_some_and(|credit| credit >= STEP));
        }
    }
}
