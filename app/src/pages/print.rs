//! Pages for paper: a module's summary sheet, and the whole course. On screen they read as pages.

use leptos::prelude::*;

use super::lesson::References;
use crate::{
    api::print::{LessonSummary, PrintedLesson, PrintedModule, SummarySheet, WholeCourse},
    ui::inline,
};

#[component]
pub(crate) fn SummaryView(sheet: SummarySheet) -> impl IntoView {
    let empty = sheet.lessons.is_empty();
    view! {
        <div class="page sheet">
            <nav class="crumbs" aria-label="Where this is">
                <a href="/">"Course"</a>
                <a href=sheet.module.href>{sheet.module.title}</a>
            </nav>
            <header>
                <h1>{sheet.title}</h1>
                <p class="lead">{inline(&sheet.summary)}</p>
            </header>
            {empty.then(|| view! { <p class="empty">"No lesson of this module is written yet."</p> })}
            <div class="sheet-lessons">
                {sheet.lessons.into_iter().map(|lesson| view! { <Summary lesson/> }).collect_view()}
            </div>
        </div>
    }
}

#[component]
fn Summary(lesson: LessonSummary) -> impl IntoView {
    view! {
        <section class="sheet-lesson">
            <h2><a href=lesson.href>{lesson.title}</a></h2>
            <h3>"You can"</h3>
            <ul>{lesson.objectives.into_iter().map(|objective| view! { <li>{inline(&objective)}</li> }).collect_view()}</ul>
            {lesson.takeaways_html.map(|html| view! {
                <h3>"Takeaways"</h3>
                <div class="prose" inner_html=html></div>
            })}
            {(!lesson.commands.is_empty()).then(|| view! {
                <h3>"Commands"</h3>
                <ul class="sheet-commands">{lesson.commands.into_iter().map(|command| view! { <li><code>{command}</code></li> }).collect_view()}</ul>
            })}
        </section>
    }
    .into_any()
}

#[component]
pub(crate) fn PrintView(course: WholeCourse) -> impl IntoView {
    view! {
        <div class="page narrow book">
            <header class="book-title">
                <h1>{course.title}</h1>
                <p class="lead">{inline(&course.summary)}</p>
            </header>
            <nav class="book-contents" aria-label="Contents">
                <h2>"Contents"</h2>
                <ol>{course.modules.iter().map(contents).collect_view()}</ol>
            </nav>
            {course.modules.into_iter().map(|module| view! { <Module module/> }).collect_view()}
            {(!course.glossary.is_empty()).then(|| view! {
                <section class="book-module glossary">
                    <h2>"Glossary"</h2>
                    <dl>
                        {course.glossary.into_iter().map(|term| view! {
                            <div id=term.anchor><dt>{term.term}</dt><dd inner_html=term.definition_html></dd></div>
                        }).collect_view()}
                    </dl>
                </section>
            })}
        </div>
    }
}

fn contents(module: &PrintedModule) -> impl IntoView + use<> {
    let lessons = module.lessons.iter().map(|lesson| {
        view! { <li><a href=format!("#{}", lesson.anchor)>{lesson.title.clone()}</a></li> }
    });
    view! { <li value=module.number.to_string()><a href=format!("#module-{}", module.number)>{module.title.clone()}</a><ol>{lessons.collect_view()}</ol></li> }
}

#[component]
fn Module(module: PrintedModule) -> impl IntoView {
    view! {
        <section class="book-module" id=format!("module-{}", module.number)>
            <header>
                <p class="book-number">"Module "{module.number}</p>
                <h2>{module.title}</h2>
                <p class="lead">{inline(&module.summary)}</p>
            </header>
            {module.lessons.into_iter().map(|lesson| view! { <Lesson lesson/> }).collect_view()}
        </section>
    }
    .into_any()
}

#[component]
fn Lesson(lesson: PrintedLesson) -> impl IntoView {
    let PrintedLesson { anchor, title, section, summary, updated, objectives, html, references } = lesson;
    view! {
        <article class="book-lesson" id=anchor>
            <p class="crumbs"><span>{section}</span><span>"Updated "{updated}</span></p>
            <h3>{title}</h3>
            <p class="lead">{inline(&summary)}</p>
            <section class="objectives">
                <h4>"After this you can"</h4>
                <ul>{objectives.into_iter().map(|o| view! { <li>{inline(&o)}</li> }).collect_view()}</ul>
            </section>
            <div class="prose" inner_html=html></div>
            {(!references.is_empty()).then(|| view! {
                <h4>"References"</h4>
                <References references/>
            })}
        </article>
    }
    .into_any()
}
