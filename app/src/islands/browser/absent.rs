//! The server's side: there is no browser here.

use leptos::{html::Div, prelude::NodeRef};

use super::{Heard, Link};

pub(crate) fn stored(_key: &str) -> Option<String> {
    None
}
pub(crate) fn store(_key: &str, _value: &str) {}
pub(crate) fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|passed| i64::try_from(passed.as_millis()).ok())
        .unwrap_or_default()
}
pub(crate) fn set_root_data(_name: &str, _value: Option<&str>) {}
pub(crate) fn focus(_selector: &str) -> bool {
    false
}
pub(crate) fn show_dialog(_selector: &str) {}
pub(crate) fn page_is_visible() -> bool {
    false
}
pub(crate) fn ask_before_leaving(_while_true: impl Fn() -> bool + 'static) {}
pub(crate) fn on_key(_handle: impl Fn(&leptos::ev::KeyboardEvent) + 'static) {}
pub(crate) fn listen_to_lab(_lab: &str, _hear: impl Fn(Heard) + 'static) {}
pub(crate) fn set_split(_percent: f64) {}
pub(crate) fn pointer_percent(_event: &leptos::ev::PointerEvent) -> Option<f64> {
    None
}
pub(crate) fn capture_pointer(_event: &leptos::ev::PointerEvent) {}
pub(crate) fn wake_code_buttons() {}

/// A terminal on the page; only a browser makes one.
#[derive(Clone)]
pub(crate) struct Terminal;

#[expect(clippy::unused_self, reason = "the same methods as in the browser")]
impl Terminal {
    pub(crate) fn open(_host: NodeRef<Div>, _path: &str, _report: impl Fn(Link) + 'static) -> Option<Self> {
        None
    }
    pub(crate) fn activate(&self) {}
    pub(crate) fn search(&self) {}
    pub(crate) fn zoom(&self, _by: i32) {}
    pub(crate) fn set_screen_reader(_on: bool) {}
    pub(crate) fn screen_reader() -> bool {
        false
    }
    pub(crate) fn close(&self) {}
}
