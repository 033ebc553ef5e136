//! What changes in a lab, told to every page of its student: one channel for each account and lab.
//!
//! A page that listens gets the whole present state first, then what changes. One that falls behind gets the whole state
//! again, so an event may be lost but never the truth.

pub mod sse;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bulkhead_app::api::lab::LabEvent;
use tokio::sync::broadcast;

use crate::store::AccountId;

/// Events that a page may be behind before it gets the whole state again.
const BACKLOG: usize = 64;

#[derive(Debug, Default)]
pub struct Events {
    channels: Mutex<HashMap<(AccountId, String), broadcast::Sender<LabEvent>>>,
}

impl Events {
    pub fn publish(&self, account: AccountId, lab: &str, event: LabEvent) {
        let mut channels = self.channels();
        let key = (account, lab.to_owned());
        if channels.get(&key).is_some_and(|channel| channel.send(event).is_err()) {
            channels.remove(&key);
        }
    }

    /// How many listen to a lab of an account.
    pub fn listeners(&self, account: AccountId, lab: &str) -> usize {
        self.channels().get(&(account, lab.to_owned())).map_or(0, broadcast::Sender::receiver_count)
    }

    pub fn subscribe(&self, account: AccountId, lab: &str) -> broadcast::Receiver<LabEvent> {
        let mut channels = self.channels();
        // Pages come and go; channels that nobody listens to any more are swept here.
        channels.retain(|_, channel| channel.receiver_count() > 0);
        channels.entry((account, lab.to_owned())).or_insert_with(|| broadcast::Sender::new(BACKLOG)).subscribe()
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<(AccountId, String), broadcast::Sender<LabEvent>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_student_and_the_lab_that_it_is_about_hear_of_it() {
        let events = Events::default();
        let (ada, bob) = (AccountId::new(1), AccountId::new(2));
        let mut listening = events.subscribe(ada, "lab");
        let mut others = [events.subscribe(bob, "lab"), events.subscribe(ada, "other")];
        events.publish(ada, "lab", LabEvent::Warning { minutes: 10 });
        assert_eq!(listening.recv().await, Ok(LabEvent::Warning { minutes: 10 }));
        for other in &mut others {
            assert_eq!(other.try_recv(), Err(broadcast::error::TryRecvError::Empty));
        }
    }

    #[test]
    fn channels_without_listeners_are_let_go() {
        let events = Events::default();
        drop(events.subscribe(AccountId::new(1), "lab"));
        events.publish(AccountId::new(1), "lab", LabEvent::Grading { running: true });
        assert!(events.channels().is_empty());
        drop(events.subscribe(AccountId::new(1), "lab"));
        let _listening = events.subscribe(AccountId::new(2), "lab");
        assert_eq!(events.channels().len(), 1);
    }
}
