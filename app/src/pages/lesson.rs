//! A lesson: the course beside it, the text, its quiz, its labs, its sources.

use leptos::prelude::*;

use super::outline::{LabRow, state};
use crate::{
    api::{
        Caller,
        course::{Heading, LessonPage, Link, ModuleEntry, Outline, Reference},
    },
    islands::{code::CodeButtons, quiz::QuizForm},
    ui::{Glyph, Icon, inline, time},
};

#[component]
pub(crate) fn LessonView(lesson: LessonPage, outline: Outline, caller: Caller) -> impl IntoView {
    let (_, data, word) = state(lesson.state);
    let signed_in = caller.account.is_some();
    view! {
        <div class="reader">
            <Sidebar outline current=lesson.id.clone() module=lesson.module_number/>
            <article class="lesson">
                <nav class="crumbs" aria-label="Where this is">
                    <a href="/">"Course"</a>
                    <a href=lesson.module_href>{format!("{} {}", lesson.module_number, lesson.module_title)}</a>
                    <span>{lesson.section_title}</span>
                </nav>
                <h1>{lesson.title}</h1>
                <p class="lead">{inline(&lesson.summary)}</p>
                <p class="facts">
                    <span><Icon glyph=Glyph::Clock/>{time::minutes(lesson.minutes)}</span>
                    <span>"Updated "<time>{lesson.updated}</time></span>
                    {signed_in.then(|| view! { <span data-state=data>{word}</span> })}
                </p>
                {(!lesson.objectives.is_empty()).then(|| view! {
                    <section class="objectives" aria-labelledby="objectives">
                        <h2 id="objectives">"After this you can"</h2>
                        <ul>{lesson.objectives.into_iter().map(|o| view! { <li>{inline(&o)}</li> }).collect_view()}</ul>
                    </section>
                })}
                <div class="prose" inner_html=lesson.html></div>
                <CodeButtons/>
                {lesson.quiz.map(|quiz| view! {
                    <section class="after" id="quiz" aria-labelledby="quiz-title">
                        <h2 id="quiz-title">"Check yourself"</h2>
                        <QuizForm quiz signed_in/>
                    </section>
                })}
                {(!lesson.labs.is_empty()).then(|| view! {
                    <section class="after" aria-labelledby="labs-title">
                        <h2 id="labs-title">"Do it yourself"</h2>
                        <ul class="rows">{lesson.labs.into_iter().map(|lab| view! { <LabRow lab/> }).collect_view()}</ul>
                    </section>
                })}
                {(!lesson.references.is_empty()).then(|| view! {
                    <section class="after" aria-labelledby="references">
                        <h2 id="references">"References"</h2>
                        <References references=lesson.references/>
                    </section>
                })}
                <nav class="turn" aria-label="Lessons before and after">
                    {turn(lesson.previous, "previous", "Before this")}
                    {turn(lesson.next, "next", "Next")}
                </nav>
            </article>
            <Contents headings=lesson.headings/>
        </div>
    }
}

fn turn(link: Option<Link>, rel: &'static str, label: &'static str) -> impl IntoView {
    let rel_short = if rel == "previous" { "prev" } else { "next" };
    link.map(
        |link| view! { <a class=rel rel=rel_short href=link.href><small>{label}</small><span>{link.title}</span></a> },
    )
}

#[component]
fn Sidebar(outline: Outline, current: String, module: u8) -> impl IntoView {
    view! {
        <button type="button" class="plain sidebar-open" popovertarget="sidebar">"Course contents"</button>
        <nav class="sidebar" id="sidebar" popover="" aria-label="Course">
            {outline.modules.into_iter().map(|entry| view! { <SidebarModule entry current=current.clone() here=module/> }).collect_view()}
        </nav>
    }
    .into_any()
}

#[component]
fn SidebarModule(entry: ModuleEntry, current: String, here: u8) -> impl IntoView {
    let lessons = entry.sections.into_iter().flat_map(|section| section.lessons).collect::<Vec<_>>();
    let open = (entry.number == here).then_some("");
    view! {
        <details open=open>
            <summary><span class="number">{entry.number}</span>{entry.title}</summary>
            <ol>
                {lessons.into_iter().map(|lesson| {
                    let (glyph, data, word) = state(lesson.state);
                    let here = (lesson.id == current).then_some("page");
                    view! {
                        <li data-state=data>
                            {match lesson.href {
                                Some(href) => view! { <a href=href aria-current=here><Icon glyph/>{lesson.title}<span class="sr">", "{word}</span></a> }.into_any(),
                                None => view! { <span><Icon glyph/>{lesson.title}<span class="sr">", to come"</span></span> }.into_any(),
                            }}
                        </li>
                    }
                }).collect_view()}
                {entry.labs.into_iter().map(|lab| view! {
                    <li class="lab"><a href=lab.href><Icon glyph=Glyph::Flask/>{lab.title}</a></li>
                }).collect_view()}
            </ol>
        </details>
    }
    .into_any()
}

#[component]
fn Contents(headings: Vec<Heading>) -> impl IntoView {
    let shown = headings.into_iter().filter(|h| (2..=3).contains(&h.level)).collect::<Vec<_>>();
    (shown.len() > 1).then(|| view! {
        <nav class="contents" aria-label="On this page">
            <p>"On this page"</p>
            <ol>
                {shown.into_iter().map(|heading| view! {
                    <li data-level=heading.level.to_string()><a href=format!("#{}", heading.anchor)>{heading.text}</a></li>
                }).collect_view()}
            </ol>
        </nav>
    })
}

/// The list alone; its heading is the page's.
#[component]
pub(crate) fn References(references: Vec<Reference>) -> impl IntoView {
    view! {
            <ul class="references">
                {references.into_iter().map(|reference| view! {
                    <li>
                        {match reference.url {
                            Some(url) => view! { <a href=url rel="noopener external">{reference.title}</a> }.into_any(),
                            None => reference.title.into_any(),
                        }}
                        {reference.date.map(|date| view! { <time>{date}</time> })}
                    </li>
                }).collect_view()}
            </ul>
    }
    .into_any()
}
