//! Every term of the course, by its first letter.

use leptos::prelude::*;

use crate::api::course::GlossaryTerm;

#[component]
pub(crate) fn GlossaryView(terms: Vec<GlossaryTerm>) -> impl IntoView {
    let letters = by_letter(terms);
    let empty = letters.is_empty();
    view! {
        <div class="page narrow glossary">
            <h1>"Glossary"</h1>
            <p class="lead">"The terms of the course, each in a sentence or two. In a lesson, the first use of a term opens the same note."</p>
            {empty.then(|| view! { <p class="empty">"This course has no glossary yet. Its terms stand in the file glossary.toml beside the outline."</p> })}
            {(!empty).then(|| view! {
                <nav class="letters" aria-label="Letters">
                    {letters.iter().map(|(letter, _)| view! { <a href=format!("#letter-{letter}")>{letter.clone()}</a> }).collect_view()}
                </nav>
            })}
            {letters.into_iter().map(|(letter, terms)| view! { <Letter letter terms/> }).collect_view()}
        </div>
    }
}

#[component]
fn Letter(letter: String, terms: Vec<GlossaryTerm>) -> impl IntoView {
    let id = format!("letter-{letter}");
    view! {
        <section aria-labelledby=id.clone()>
            <h2 id=id.clone()>{letter}</h2>
            <dl>
                {terms.into_iter().map(|term| view! {
                    <div id=term.anchor>
                        <dt>{term.term}{(!term.aliases.is_empty()).then(|| view! { <small>{term.aliases.join(", ")}</small> })}</dt>
                        <dd>
                            <span inner_html=term.definition_html></span>
                            {term.lesson.map(|lesson| view! { <a href=lesson.href>{lesson.title}</a> })}
                        </dd>
                    </div>
                }).collect_view()}
            </dl>
        </section>
    }
    .into_any()
}

/// The terms come in order; what begins with no letter stands under `#`.
fn by_letter(terms: Vec<GlossaryTerm>) -> Vec<(String, Vec<GlossaryTerm>)> {
    let mut letters: Vec<(String, Vec<GlossaryTerm>)> = Vec::new();
    for term in terms {
        let first = term.term.chars().next().filter(|first| first.is_alphabetic());
        let letter = first.map_or_else(|| "#".to_owned(), |first| first.to_uppercase().to_string());
        match letters.last_mut() {
            Some((last, group)) if *last == letter => group.push(term),
            _ => letters.push((letter, vec![term])),
        }
    }
    letters
}
