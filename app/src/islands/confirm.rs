//! A button that asks once: the first press turns it into the question, the second one answers yes.

use std::time::Duration;

use leptos::prelude::*;

use crate::ui::{Glyph, Icon, whole};

/// The question stands this long, then the button is what it was.
const PATIENCE: Duration = Duration::from_secs(5);

/// In a form, so that it works (without the question) where no WASM runs.
#[component]
pub(crate) fn ConfirmButton(
    glyph: Glyph,
    label: &'static str,
    question: &'static str,
    #[prop(into)] disabled: Signal<bool>,
    act: Callback<()>,
) -> impl IntoView {
    let asking = RwSignal::new(false);
    let press = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        if asking.get_untracked() {
            asking.set(false);
            act.run(());
        } else {
            asking.set(true);
            set_timeout(
                move || {
                    asking.try_set(false);
                },
                PATIENCE,
            );
        }
    };
    whole(view! {
        <button class="quiet confirm" data-asking=move || asking.get().then_some("") disabled=disabled on:click=press>
            <Icon glyph/>
            <span>{move || if asking.get() { question } else { label }}</span>
        </button>
    })
}
