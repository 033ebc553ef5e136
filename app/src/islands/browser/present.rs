//! The browser's side.

use leptos::{
    ev::{self, KeyboardEvent, PointerEvent},
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
};
use web_sys::{EventSource, HtmlDialogElement, HtmlElement, MessageEvent};

use super::Heard;

/// Time until a stream that the server refused is asked for again.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_secs(4);

pub(crate) fn stored(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

/// Where the browser keeps nothing (private mode), a choice lasts as long as the page.
pub(crate) fn store(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(key, value);
    }
}

pub(crate) fn now() -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds since the epoch are a whole number far below 2^53"
    )]
    let now = js_sys::Date::now() as i64;
    now
}

/// Sets a `data-` attribute of the document, or takes it away.
pub(crate) fn set_root_data(name: &str, value: Option<&str>) {
    let Some(root) = document().document_element() else { return };
    let name = format!("data-{name}");
    let _ = match value {
        Some(value) => root.set_attribute(&name, value),
        None => root.remove_attribute(&name),
    };
}

/// True where there was something to focus.
pub(crate) fn focus(selector: &str) -> bool {
    match find::<HtmlElement>(selector) {
        Some(element) => element.focus().is_ok(),
        None => false,
    }
}

pub(crate) fn show_dialog(selector: &str) {
    if let Some(dialog) = find::<HtmlDialogElement>(selector)
        && !dialog.open()
    {
        let _ = dialog.show_modal();
    }
}

fn find<T: JsCast>(selector: &str) -> Option<T> {
    document().query_selector(selector).ok()??.dyn_into().ok()
}

pub(crate) fn page_is_visible() -> bool {
    !document().hidden()
}

/// Has the browser ask before the page is left, as long as `while_true` says so.
pub(crate) fn ask_before_leaving(while_true: impl Fn() -> bool + 'static) {
    let handle = window_event_listener(ev::beforeunload, move |event| {
        if while_true() {
            event.prevent_default();
            event.set_return_value("stay");
        }
    });
    std::mem::forget(handle);
}

/// Keys pressed anywhere on the page but in a field or a terminal.
pub(crate) fn on_key(handle: impl Fn(&KeyboardEvent) + 'static) {
    let handle = window_event_listener(ev::keydown, move |event| {
        let typing = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()).is_some_and(|element| {
            element.is_content_editable() || ["INPUT", "TEXTAREA", "SELECT"].contains(&element.tag_name().as_str())
        });
        if !typing && !event.ctrl_key() && !event.meta_key() && !event.alt_key() {
            handle(&event);
        }
    });
    std::mem::forget(handle);
}

/// One event stream for as long as the page lives. The browser itself comes back after a lost network; a stream that
/// the server refused (it was restarting, say) is asked for again here.
pub(crate) fn listen_to_lab(lab: &str, hear: impl Fn(Heard) + 'static) {
    connect(format!("/events/lab/{lab}"), std::rc::Rc::new(hear));
}

fn connect(path: String, hear: std::rc::Rc<dyn Fn(Heard)>) {
    let Ok(source) = EventSource::new(&path) else { return hear(Heard::Lost) };
    let opened = Closure::<dyn Fn()>::new({
        let hear = hear.clone();
        move || hear(Heard::Opened)
    });
    let message = Closure::<dyn Fn(MessageEvent)>::new({
        let hear = hear.clone();
        move |event: MessageEvent| {
            let parsed = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
            match parsed {
                Some(event) => hear(Heard::Event(Box::new(event))),
                None => leptos::logging::warn!("An event that this page does not understand; reload it."),
            }
        }
    });
    let failed = Closure::<dyn Fn()>::new({
        let source = source.clone();
        move || {
            hear(Heard::Lost);
            if source.ready_state() == EventSource::CLOSED {
                let (path, hear) = (path.clone(), hear.clone());
                set_timeout(move || connect(path, hear), ASK_AGAIN);
            }
        }
    });
    source.set_onopen(Some(opened.as_ref().unchecked_ref()));
    source.set_onmessage(Some(message.as_ref().unchecked_ref()));
    source.set_onerror(Some(failed.as_ref().unchecked_ref()));
    opened.forget();
    message.forget();
    failed.forget();
}

const SPLIT: &str = "#lab-split";

/// Width of the instructions, in per cent of both panes.
pub(crate) fn set_split(percent: f64) {
    if let Some(split) = find::<HtmlElement>(SPLIT) {
        let _ = split.style().set_property("--split", &format!("{percent:.1}%"));
        let _ = split.set_attribute(
            "data-folded",
            if percent < 1.0 {
                "text"
            } else if percent > 99.0 {
                "stage"
            } else {
                ""
            },
        );
    }
}

/// Where the pointer is, in per cent of both panes.
pub(crate) fn pointer_percent(event: &PointerEvent) -> Option<f64> {
    let area = find::<HtmlElement>(SPLIT)?.get_bounding_client_rect();
    (area.width() > 0.0).then(|| (f64::from(event.client_x()) - area.left()) / area.width() * 100.0)
}

pub(crate) fn capture_pointer(event: &PointerEvent) {
    if let Some(element) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) {
        let _ = element.set_pointer_capture(event.pointer_id());
    }
}
