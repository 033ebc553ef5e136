//! Progress as a bar. The words beside it are the caller's, so the bar itself is hidden from screen readers.

use leptos::prelude::*;

/// An SVG, as the page's policy allows no `style` attribute to set a width with.
#[component]
pub(crate) fn Meter(done: u32, total: u32) -> impl IntoView {
    let width = if total == 0 { 0 } else { u64::from(done.min(total)) * 100 / u64::from(total) };
    view! {
        <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="meter-track" width="100" height="4"></rect>
            <rect class="meter-fill" width=width.to_string() height="4"></rect>
        </svg>
    }
}
