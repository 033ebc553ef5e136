//! Light, dark, or as the system says. The document's head sets the choice before the first paint.

use leptos::prelude::*;

use super::browser;
use crate::ui::{Glyph, Icon};

const KEY: &str = "theme";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    fn read(text: Option<&str>) -> Self {
        match text {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    fn value(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::System => "Theme: as the system",
            Self::Light => "Theme: light",
            Self::Dark => "Theme: dark",
        }
    }
}

#[island]
pub fn ThemeToggle() -> impl IntoView {
    let theme = RwSignal::new(Theme::System);
    Effect::new(move |_| theme.set(Theme::read(browser::stored(KEY).as_deref())));
    let turn = move |_| {
        let next = theme.get_untracked().next();
        browser::store(KEY, next.value().unwrap_or("system"));
        browser::set_root_data("theme", next.value());
        theme.set(next);
    };
    view! {
        <button type="button" class="quiet theme" title=move || theme.get().label() on:click=turn>
            <Icon glyph=Glyph::Theme/>
            <span class="sr" aria-live="polite">{move || theme.get().label()}</span>
        </button>
    }
}
