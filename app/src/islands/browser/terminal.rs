//! The terminal, as `app/web/src/terminal` offers it.

use leptos::{
    html::Div,
    prelude::*,
    wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen},
};
use web_sys::HtmlElement;

use super::{Link, focus};

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type Session;
    #[wasm_bindgen(catch, js_namespace = BulkheadTerminal, js_name = open)]
    fn open_session(host: &HtmlElement, path: &str, report: &Closure<dyn Fn(String)>) -> Result<Session, JsValue>;
    #[wasm_bindgen(catch, js_namespace = BulkheadTerminal, js_name = activate)]
    fn activate_session(session: &Session) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_namespace = BulkheadTerminal, js_name = setScreenReader)]
    fn set_screen_reader(on: bool) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_namespace = BulkheadTerminal, js_name = screenReader)]
    fn screen_reader() -> Result<bool, JsValue>;
    #[wasm_bindgen(method, js_name = openSearch)]
    fn open_search(this: &Session);
    #[wasm_bindgen(method)]
    fn zoom(this: &Session, by: i32);
    #[wasm_bindgen(method)]
    fn dispose(this: &Session);

    #[wasm_bindgen(catch, js_namespace = BulkheadCode, js_name = wake)]
    fn wake_code() -> Result<(), JsValue>;
}

/// One terminal on the page, of one of the sandbox's shells.
#[derive(Clone)]
pub(crate) struct Terminal(Session);

impl Terminal {
    /// `None` where the terminal's script did not load.
    pub(crate) fn open(host: NodeRef<Div>, path: &str, report: impl Fn(Link) + 'static) -> Option<Self> {
        let host: HtmlElement = host.get_untracked()?.unchecked_into();
        let report = Closure::<dyn Fn(String)>::new(move |said: String| match said.as_str() {
            "connecting" => report(Link::Connecting),
            "open" => report(Link::Open),
            "waiting" => report(Link::Waiting),
            "leave" => {
                focus("#terminal-tabs [aria-selected=true]");
            }
            _ => report(Link::Over),
        });
        let session = open_session(&host, path, &report).ok()?;
        report.forget();
        Some(Self(session))
    }

    /// Shown now: fit it, give it the keyboard, and send commands from the text to it.
    pub(crate) fn activate(&self) {
        let _ = activate_session(&self.0);
    }

    pub(crate) fn search(&self) {
        self.0.open_search();
    }

    pub(crate) fn zoom(&self, by: i32) {
        self.0.zoom(by);
    }

    pub(crate) fn set_screen_reader(on: bool) {
        let _ = set_screen_reader(on);
    }

    pub(crate) fn screen_reader() -> bool {
        screen_reader().unwrap_or(false)
    }

    pub(crate) fn close(&self) {
        self.0.dispose();
    }
}

/// Has the buttons of the page’s code blocks copy and run.
pub(crate) fn wake_code_buttons() {
    if wake_code().is_err() {
        leptos::logging::warn!("The script for code blocks did not load.");
    }
}
