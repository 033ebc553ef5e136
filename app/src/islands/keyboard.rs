//! `/` goes to the search, `?` shows the shortcuts.

use leptos::prelude::*;

use super::browser;

const SHORTCUTS: &[(&str, &[(&str, &str)])] = &[
    ("Anywhere", &[("/", "Search the course"), ("?", "This list"), ("Esc", "Close a list or a search")]),
    (
        "In a terminal",
        &[
            ("Ctrl Shift C", "Copy (selecting copies too)"),
            ("Ctrl Shift V", "Paste"),
            ("Ctrl Shift F", "Find in the scrollback"),
            ("Ctrl +  Ctrl −  Ctrl 0", "Larger, smaller, normal"),
            ("Ctrl Shift L", "Leave the terminal, to its tab"),
        ],
    ),
    ("Between the panes", &[("← →", "Move the divider"), ("Enter", "Fold or unfold the instructions")]),
];

#[island]
pub fn Keyboard() -> impl IntoView {
    Effect::new(|_| {
        browser::on_key(|event| match event.key().as_str() {
            "/" if browser::focus(".search-form input") || browser::focus(".top-search input") => {
                event.prevent_default();
            }
            "?" => browser::show_dialog("#shortcuts"),
            _ => {}
        });
    });
    view! {
        <dialog id="shortcuts" aria-labelledby="shortcuts-title">
            <form method="dialog">
                <h2 id="shortcuts-title">"Keyboard"</h2>
                {SHORTCUTS.iter().map(|(place, keys)| view! {
                    <h3>{*place}</h3>
                    <dl>{keys.iter().map(|(key, what)| view! { <div><dt><kbd>{*key}</kbd></dt><dd>{*what}</dd></div> }).collect_view()}</dl>
                }).collect_view()}
                <button>"Close"</button>
            </form>
        </dialog>
    }
}
