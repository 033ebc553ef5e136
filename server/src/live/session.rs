//! Streams and sockets outlive the request that opened them, but not the session that it came with.

use std::{sync::Arc, time::Duration};

use bulkhead_app::api::Caller;
use tokio::time::timeout;

use crate::backend::Platform;

/// How late an end is noticed that another process brought about: another server, or the command line.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Waits until the caller's session is over: signed out, ended from elsewhere, or expired. A local learner has none, and
/// nothing that could end.
pub(crate) async fn over(platform: Arc<Platform>, caller: &Caller) {
    let Some(handle) = caller.session.as_deref() else { return std::future::pending().await };
    let mut ended = platform.store.sessions_ended();
    loop {
        ended.mark_unchanged();
        match platform.store.sessions().signed_in(handle, platform.clock.now()).await {
            Ok(None) => return,
            Ok(Some(_)) => {}
            // A database that is away for a moment signs nobody out.
            Err(error) => tracing::warn!(%error, "cannot tell whether a session is over"),
        }
        let _asked_again = timeout(ASK_AGAIN, ended.changed()).await;
    }
}
