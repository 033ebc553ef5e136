//! What the pages ask for. Rules live here: every method authorises by its caller.

use std::sync::Arc;

use bulkhead_content::Course;

use crate::{account::Accounts, assets::Site, clock::Clock, config::Config, live::Live, random::Random, store::Store};

/// Everything that a request handler may reach; the router's state is an `Arc` of it.
pub struct Platform {
    pub config: Config,
    pub clock: Clock,
    pub random: Random,
    pub store: Store,
    pub accounts: Accounts,
    pub course: Arc<Course>,
    /// Sandboxes, terminals, grading, events.
    pub live: Live,
    pub site: Site,
}
