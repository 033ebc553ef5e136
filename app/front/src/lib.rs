//! What the browser loads: the islands of the app, compiled to WASM; those of a workspace with the feature `work`.
//! `app/web/src/boot.js` wakes them.

// Links the islands in, each of which exports a function of its own.
use bulkhead_app as _;
use leptos::wasm_bindgen::{self, prelude::wasm_bindgen};

/// Called once, before the first island wakes.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
