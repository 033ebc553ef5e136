//! The handle between instructions and terminals: drag it, move it with the arrow keys, fold with Enter or a double click.

use leptos::{ev::KeyboardEvent, prelude::*};

use super::browser;

const KEY: &str = "lab.split";
const DEFAULT: f64 = 42.0;
/// Narrower than this, a pane is folded away instead.
const MIN: f64 = 18.0;
const MAX: f64 = 78.0;

/// Between both limits, or folded to either side when dragged well past them.
fn settle(percent: f64) -> f64 {
    if percent < MIN / 2.0 {
        0.0
    } else if percent > 100.0 - (100.0 - MAX) / 2.0 {
        100.0
    } else {
        percent.clamp(MIN, MAX)
    }
}

#[island]
pub fn Splitter() -> impl IntoView {
    let at = RwSignal::new(DEFAULT);
    let dragging = RwSignal::new(false);
    let set = move |percent: f64| {
        let percent = settle(percent);
        at.set(percent);
        browser::set_split(percent);
    };
    let keep = move || browser::store(KEY, &format!("{:.1}", at.get_untracked()));
    Effect::new(move |_| {
        if let Some(stored) = browser::stored(KEY).and_then(|text| text.parse().ok()).filter(|p: &f64| p.is_finite()) {
            set(stored);
        }
    });
    let unfolded = StoredValue::new(DEFAULT);
    let fold = move || {
        let now = at.get_untracked();
        if now < 1.0 {
            set(unfolded.get_value());
        } else {
            unfolded.set_value(now);
            set(0.0);
        }
        keep();
    };
    let key = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "ArrowLeft" => set(at.get_untracked() - 4.0),
            "ArrowRight" => set((at.get_untracked() + 4.0).max(MIN)),
            "Home" => set(MIN),
            "End" => set(MAX),
            "Enter" | " " => fold(),
            _ => return,
        }
        event.prevent_default();
        keep();
    };
    view! {
        <div
            class="splitter"
            role="separator"
            aria-orientation="vertical"
            aria-label="Width of the instructions"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || format!("{:.0}", at.get())
            tabindex="0"
            data-dragging=move || dragging.get().then_some("")
            on:pointerdown=move |event| {
                browser::capture_pointer(&event);
                dragging.set(true);
            }
            on:pointermove=move |event| {
                if dragging.get_untracked() && let Some(percent) = browser::pointer_percent(&event) {
                    set(percent);
                }
            }
            on:pointerup=move |_| {
                dragging.set(false);
                keep();
            }
            on:pointercancel=move |_| dragging.set(false)
            on:dblclick=move |_| fold()
            on:keydown=key
        ></div>
    }
}

#[cfg(test)]
mod tests {
    use super::settle;

    #[test]
    fn a_pane_is_wide_enough_or_folded() {
        for (dragged, settled) in [(50.0, 50.0), (15.0, 18.0), (3.0, 0.0), (-20.0, 0.0), (85.0, 78.0), (97.0, 100.0)] {
            assert!((settle(dragged) - settled).abs() < f64::EPSILON, "{dragged}");
        }
    }
}
