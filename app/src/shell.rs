//! The document around every page.

use leptos::prelude::*;

use crate::page::PageRequest;

#[component]
pub(crate) fn Shell(request: PageRequest) -> impl IntoView {
    let title = request.path;
    view! { <!DOCTYPE html><html lang="en"><head><title>{title}</title></head><body></body></html> }
}
