//! `GET /events/lab/{id}`: the lab's state as server-sent events, whole at first and whenever the page fell behind, for
//! as long as the page's reader is signed in.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Path, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use bulkhead_app::api::{ApiError, Caller, lab::LabEvent};
use futures::{Stream, StreamExt};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{Fault, Platform, account_of},
    http::refusal,
    live::{session, streams},
    store::AccountId,
};

const HEARTBEAT: Duration = Duration::from_secs(15);

pub async fn stream(
    State(platform): State<Arc<Platform>>,
    Extension(caller): Extension<Caller>,
    Path(lab): Path<String>,
) -> Response {
    let account = match account_of(&caller) {
        Ok(account) => account,
        Err(error) => return refusal(error),
    };
    if platform.live.catalog.lab(&lab).is_none() {
        return refusal(ApiError::NotFound);
    }
    let open = match platform.live.streams.open(account) {
        Ok(open) => open,
        Err(error) => return refusal(error),
    };
    let listening = Listening {
        _open: open,
        // Before the state is read, so that no change falls between.
        changes: platform.live.events.subscribe(account, &lab),
        waiting: VecDeque::new(),
        whole: true,
        closing: platform.live.closing(),
        platform: Arc::clone(&platform),
        account,
        lab,
    };
    listening.platform.live.watchers.ensure(account, &listening.lab);
    let signed_out = Box::pin(async move { session::over(platform, &caller).await });
    let events = events(listening).take_until(signed_out);
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("")).into_response()
}

struct Listening {
    _open: streams::Stream,
    platform: Arc<Platform>,
    account: AccountId,
    lab: String,
    changes: Receiver<LabEvent>,
    waiting: VecDeque<LabEvent>,
    /// The whole state is due.
    whole: bool,
    closing: CancellationToken,
}

fn events(listening: Listening) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(listening, |mut listening| async move {
        let closing = listening.closing.clone();
        let event = tokio::select! {
            event = listening.next() => event?,
            () = closing.cancelled() => return None,
        };
        let event = Event::default().json_data(&event).unwrap_or_default();
        Some((Ok(event), listening))
    })
}

impl Listening {
    async fn next(&mut self) -> Option<LabEvent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if std::mem::take(&mut self.whole) {
                self.waiting = self.state().await?;
                continue;
            }
            match self.changes.recv().await {
                Ok(event) => return Some(event),
                // What was missed is in the state.
                Err(RecvError::Lagged(_)) => self.whole = true,
                Err(RecvError::Closed) => {
                    self.changes = self.platform.live.events.subscribe(self.account, &self.lab);
                    self.whole = true;
                }
            }
        }
    }

    /// `None`: it cannot be read now; the browser comes again.
    async fn state(&self) -> Option<VecDeque<LabEvent>> {
        let lab = self.platform.live.catalog.lab(&self.lab)?;
        match self.platform.live.state(&self.platform.store, self.account, lab).await {
            Ok(state) => Some(state.into_events().into()),
            Err(error) => {
                let _logged = error.shown();
                None
            }
        }
    }
}
