//! Glyphs on a 16 × 16 grid, drawn with one stroke width so that they sit in a line of text.

use leptos::prelude::*;

use super::whole;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "ssr"), expect(dead_code, reason = "pages show more glyphs than islands do"))]
pub(crate) enum Glyph {
    Check,
    Cross,
    Question,
    Dashed,
    Dot,
    Clock,
    Spinner,
    Right,
    Plus,
    Search,
    Terminal,
    Flask,
    Lock,
    Bulb,
    Reset,
    Stop,
    Note,
    Warn,
    Theme,
    Out,
    Person,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Check => "M3 8.5 6.5 12 13 4.5",
            Self::Cross => "M4 4l8 8M12 4l-8 8",
            Self::Question => "M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M8 12.6v.2",
            Self::Dashed => {
                "M8 2a6 6 0 0 1 2.3.5M12.2 3.7A6 6 0 0 1 13.8 6.5M13.9 9.2A6 6 0 0 1 12.5 12M10.5 13.5A6 6 0 0 1 8 14M5.7 13.5A6 6 0 0 1 3.7 12.2M2.2 9.6A6 6 0 0 1 2.1 7M3.2 4.4A6 6 0 0 1 5.5 2.5"
            }
            Self::Dot => "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
            Self::Clock => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 4.8V8l2.2 1.5",
            Self::Spinner => "M8 2a6 6 0 1 1-6 6",
            Self::Right => "M6 3.5 10.5 8 6 12.5",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 13.5 13.5",
            Self::Terminal => "M2.5 4 6 7.5 2.5 11M8 12h5.5",
            Self::Flask => "M6 2h4M6.8 2v4.2L3 12.6c-.4.7.1 1.4.9 1.4h8.2c.8 0 1.3-.7.9-1.4L9.2 6.2V2M5 10h6",
            Self::Lock => "M4 7h8v6.5H4ZM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
            Self::Bulb => "M6 12.5h4M6.5 14.5h3M5.8 10.5A4.3 4.3 0 1 1 10.2 10.5v.2H5.8Z",
            Self::Reset => "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
            Self::Stop => "M4 4h8v8H4Z",
            Self::Note => "M3.5 2.5h9v11h-9ZM6 6h4M6 9h4",
            Self::Warn => "M8 2.5 14 13H2ZM8 6.5v3M8 11.2v.1",
            Self::Theme => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 2a6 6 0 1 0 0 12Z",
            Self::Out => "M6.5 3H3v10h3.5M7 8h6.5M11 5.5 13.5 8 11 10.5",
            Self::Person => "M8 2.5a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM2.5 14c.5-2.6 2.7-4 5.5-4s5 1.4 5.5 4",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Spinner => "icon spin",
            Self::Theme => "icon half",
            _ => "icon",
        }
    }
}

/// Always beside a word or inside something with an accessible name, so it is hidden from screen readers.
#[component]
pub(crate) fn Icon(#[prop(into)] glyph: Signal<Glyph>) -> impl IntoView {
    whole(view! {
        <svg class=move || glyph.get().class() viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d=move || glyph.get().path()></path>
        </svg>
    })
}
