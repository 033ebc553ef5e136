//! Copy and run on the code blocks of the page. The buttons come with the text; without this they stay hidden.

use leptos::prelude::*;

use super::browser;

#[island]
pub fn CodeButtons() -> impl IntoView {
    Effect::new(|_| browser::wake_code_buttons());
}
