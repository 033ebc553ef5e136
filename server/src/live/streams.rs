//! How many event streams and sockets an account has open: each costs a place, a task and a question every few seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bulkhead_app::api::ApiError;

use crate::store::AccountId;

/// More than anybody has use for: every terminal of all his labs, and pages beside them.
pub const MOST: usize = 64;

#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<AccountId, usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Stream {
    of: Arc<Streams>,
    account: AccountId,
}

impl Streams {
    pub fn open(self: &Arc<Self>, account: AccountId) -> Result<Stream, ApiError> {
        let mut all = self.all();
        let open = all.entry(account).or_default();
        if *open >= MOST {
            let message = format!("You have {MOST} pages and terminals open. Close some, then load this page again.");
            return Err(ApiError::Conflict { message });
        }
        *open += 1;
        Ok(Stream { of: Arc::clone(self), account })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<AccountId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut all = self.of.all();
        let left = all.get_mut(&self.account).map_or(0, |open| {
            *open -= 1;
            *open
        });
        if left == 0 {
            all.remove(&self.account);
        }
    }
}
