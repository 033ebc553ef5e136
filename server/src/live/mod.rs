//! The live side of labs: sandboxes, terminals, grading, events.
//!
//! ```text
//! sandboxes   rows and engine objects, one life cycle
//! terminals   hubs, screens, viewers, the WebSocket
//! grading     one at a time in each sandbox, stored once
//! watching    what happens in sandboxes whose pages are open
//! events      one stream for each page, whole state first
//! streams     how many of them an account has open
//! session     the end of the session that a stream came with
//! state       the whole present state of a lab for one student
//! text        a lab's texts, rendered once
//! engine      an engine that may answer later
//! installed   the labs and images that this installation brings
//! images      lab → sandbox image          variables   values derived from the installation's key
//! crash       dying on purpose, for tests
//! ```

pub(crate) mod crash;
pub mod engine;
pub mod events;
pub mod grading;
pub mod images;
pub mod installed;
pub mod sandboxes;
pub(crate) mod session;
pub mod state;
pub mod streams;
pub mod terminals;
pub mod text;
pub mod variables;
pub mod watching;

use std::{ops::Deref, sync::Arc};

use bulkhead_content::Course;
use bulkhead_labs::{engine::SandboxEngine, manifest::Catalog};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::{
    events::{Events, sse},
    grading::Grader,
    images::Images,
    sandboxes::{Places, Sandboxes},
    streams::Streams,
    terminals::{Terminals, socket},
    text::Texts,
    variables::Key,
    watching::Watchers,
};
use crate::{
    clock::Clock,
    http::{Access, Route},
    random::Random,
    store::{ServerId, Store, StoreResult},
};

/// SSE and WebSocket routes, mounted by `http` with the same session, CSRF and role rules.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/events/lab/{id}", Access::STUDENT, sse::stream),
        Route::get("/ws/sandbox/{sandbox}/terminal/{id}", Access::STUDENT, socket::open),
    ]
}

/// The live side of labs. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Parts>);

pub struct Parts {
    pub engine: Arc<dyn SandboxEngine>,
    pub catalog: Arc<Catalog>,
    pub texts: Texts,
    pub events: Arc<Events>,
    pub terminals: Arc<Terminals>,
    pub sandboxes: Arc<Sandboxes>,
    pub grader: Arc<Grader>,
    pub watchers: Arc<Watchers>,
    pub streams: Arc<Streams>,
    closing: CancellationToken,
}

/// What the live side needs from outside.
pub struct Needs {
    pub store: Store,
    pub clock: Clock,
    pub random: Random,
    pub engine: Arc<dyn SandboxEngine>,
    pub catalog: Catalog,
    pub images: Images,
    pub course: Arc<Course>,
    pub places: Places,
}

impl Deref for Live {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Live {
    /// Takes up what the server before this one left, and starts what runs as long as the server.
    pub async fn start(needs: Needs) -> StoreResult<Self> {
        let Needs { store, clock, random, engine, catalog, images, course, places } = needs;
        let catalog = Arc::new(catalog);
        let texts = Texts::render(&catalog, &course);
        let key = Key::of(&store, &random).await?;
        let me = ServerId::new(random.hex::<8>());
        let events = Arc::new(Events::default());
        let (changed, mut told) = mpsc::unbounded_channel();
        let terminals = Arc::new(Terminals::new(Arc::clone(&engine), changed));
        let sandboxes = Sandboxes::new(sandboxes::Parts {
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
            engine: Arc::clone(&engine),
            catalog: Arc::clone(&catalog),
            images,
            key: key.clone(),
            me: me.clone(),
            places,
            terminals: Arc::clone(&terminals),
            events: Arc::clone(&events),
        });
        let grader = Grader::new(grading::Parts {
            store: store.clone(),
            clock,
            random,
            catalog: Arc::clone(&catalog),
            texts: texts.clone(),
            key,
            me,
            sandboxes: Arc::clone(&sandboxes),
            terminals: Arc::clone(&terminals),
            events: Arc::clone(&events),
        });
        let watchers = Watchers::new(
            store,
            Arc::clone(&catalog),
            Arc::clone(&sandboxes),
            Arc::clone(&terminals),
            Arc::clone(&grader),
            Arc::clone(&events),
        );
        let announcing = Arc::clone(&sandboxes);
        tokio::spawn(async move {
            while let Some(sandbox) = told.recv().await {
                announcing.announce_anew(&sandbox).await;
            }
        });
        sandboxes.begin().await?;
        Arc::clone(&grader).begin().await;
        let (streams, closing) = (Arc::default(), CancellationToken::new());
        let parts = Parts { engine, catalog, texts, events, terminals, sandboxes, grader, watchers, streams, closing };
        Ok(Self(Arc::new(parts)))
    }

    /// Streams end, so that the server can. Sandboxes live on, for the next server.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Ends once [`Self::close`] was called.
    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }
}
