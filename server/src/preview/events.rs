//! `GET /preview/events?seen=`: tells a page when the edition that it was drawn from is no longer the present one.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use serde::Deserialize;

use super::Preview;

const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
pub(super) struct Seen {
    /// [`Preview::name`] of the edition that the page shows.
    #[serde(default)]
    seen: String,
}

impl Preview {
    /// An edition's name, which no other has, not even of a server before this one.
    pub(super) fn name(&self, number: u64) -> String {
        format!("{}.{number}", self.run)
    }
}

pub(super) async fn stream(State(preview): State<Arc<Preview>>, Query(Seen { seen }): Query<Seen>) -> Response {
    let editions = preview.editions.clone();
    let events = futures::stream::unfold((preview, editions, seen), |(preview, mut editions, seen)| async move {
        loop {
            let present = preview.name(editions.borrow_and_update().number);
            if present != seen {
                let event = Event::default().event("edition").data(&present);
                return Some((Ok::<_, Infallible>(event), (preview, editions, present)));
            }
            editions.changed().await.ok()?;
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("")).into_response()
}
