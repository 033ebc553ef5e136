//! What this is, and whose work it carries.

use leptos::prelude::*;

use crate::page::Part;

#[component]
pub(crate) fn AboutView(version: String, parts: Vec<Part>) -> impl IntoView {
    let empty = parts.is_empty();
    view! {
        <div class="page narrow">
            <h1>"About and licences"</h1>
            <p class="lead">"Bulkhead "{version}" serves the course Docker Security - Internals and the labs that go with it. It is licensed under Apache-2.0."</p>
            <section>
                <h2>"Work of others in this program"</h2>
                {empty.then(|| view! { <p class="empty">"This build lists no parts. Build the site folder first; it brings the list along."</p> })}
                <ul class="parts">
                    {parts.into_iter().map(|part| {
                        let head = view! { <span>{part.name}" "<span class="faint">{part.version}</span></span><span class="faint">{part.kind}</span><span>{part.licence}</span> };
                        if part.text.is_empty() {
                            view! { <li><div class="part">{head}</div></li> }.into_any()
                        } else {
                            view! { <li><details><summary class="part">{head}</summary><pre>{part.text}</pre></details></li> }.into_any()
                        }
                    }).collect_view()}
                </ul>
            </section>
        </div>
    }
}
