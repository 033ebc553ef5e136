//! A course that is being written, as its readers will see it: the real pages, drawn from a folder, for one author on
//! loopback. There is no account, no database, no engine, and nothing is kept; none of this is mounted by `serve`.
//!
//! ```text
//!  a file is saved → watch (the folder was left alone for a moment) → desk (what changed is rendered again)
//!     → edition → open pages hear of it and load themselves again
//! ```
//!
//! ```text
//! edition  the course as it stood at one moment, and what is wrong with it
//! desk     the folder, read again
//! watch    tells when the folder has changed
//! router   routes
//! pages    one handler per page
//! answers  what a quiz or a test makes of answers
//! frame    what is added to a page: its findings, and the script that loads it again
//! events   tells open pages of a new edition
//! ```

mod answers;
mod desk;
mod edition;
mod events;
mod frame;
mod pages;
mod router;
mod watch;

use std::sync::Arc;

use bulkhead_labs::manifest::Catalog;
use tokio::sync::watch::Receiver;

use crate::assets::Site;

pub(crate) use self::{desk::Desk, edition::Edition, frame::counted, router::router, watch::Watch};

/// What every handler has.
pub(crate) struct Preview {
    /// The present edition, and when the next one comes.
    pub(crate) editions: Receiver<Arc<Edition>>,
    pub(crate) labs: Catalog,
    pub(crate) site: Site,
    /// Tells this server's editions from those of one before it.
    pub(crate) run: String,
}

impl Preview {
    fn edition(&self) -> Arc<Edition> {
        Arc::clone(&self.editions.borrow())
    }
}
