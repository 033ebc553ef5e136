//! Search over all lessons.

use leptos::prelude::*;

use crate::api::course::SearchHit;

#[component]
pub(crate) fn SearchView(query: String, hits: Vec<SearchHit>) -> impl IntoView {
    let asked = !query.is_empty();
    let count = hits.len();
    let said = query.clone();
    view! {
        <div class="page narrow">
            <h1>"Search"</h1>
            <form class="search-form" role="search" aria-label="This page" action="/search" method="get">
                <label class="sr" for="search-field">"Search the course"</label>
                <input id="search-field" r#type="search" name="q" value=query autocomplete="off" autofocus=(!asked).then_some("") placeholder="no_new_privs, overlay, docker.sock …"/>
                <button>"Search"</button>
            </form>
            {match (asked, count) {
                (false, _) => view! { <p class="empty">"Search finds sections of lessons: by a term, a file, a system call, a capability."</p> }.into_any(),
                (true, 0) => view! { <p class="empty">"Nothing found for “"{said}"”. Try one word, or a shorter one."</p> }.into_any(),
                (true, 1) => view! { <p class="faint" role="status">"1 section"</p> }.into_any(),
                (true, n) => view! { <p class="faint" role="status">{n}" sections"</p> }.into_any(),
            }}
            <ol class="hits">
                {hits.into_iter().map(|hit| view! {
                    <li>
                        <p class="faint">{hit.lesson}</p>
                        <h2><a href=hit.href>{hit.title}</a></h2>
                        <p inner_html=hit.excerpt_html></p>
                    </li>
                }).collect_view()}
            </ol>
        </div>
    }
}
