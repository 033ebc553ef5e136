//! The course: every module, section and lesson, with what the reader has done.

use leptos::prelude::*;

use crate::{
    api::{
        Caller,
        course::{LabLink, LessonEntry, LessonState, ModuleEntry, Outline},
        test::TestLink,
    },
    ui::{Glyph, Icon, inline, meter::Meter, time},
};

#[component]
pub(crate) fn OutlineView(outline: Outline, caller: Caller) -> impl IntoView {
    let lessons = || outline.modules.iter().flat_map(|m| &m.sections).flat_map(|s| &s.lessons);
    let written = lessons().filter(|l| l.href.is_some()).count();
    let done = lessons().filter(|l| matches!(l.state, LessonState::Read | LessonState::Done)).count();
    let labs = outline.modules.iter().map(|m| m.labs.len()).sum::<usize>();
    let first = lessons().find_map(|l| l.href.clone());
    let resume = outline.resume.clone();
    let signed_in = caller.account.is_some();
    let empty = outline.modules.is_empty();
    view! {
        <div class="page course">
            <header class="course-head">
                <h1>{outline.title}</h1>
                <p class="lead">
                    "How the engine holds a container, how that hold breaks, and how you make it keep. Read, then prove it as root on a Docker host of your own."
                </p>
                <div class="course-go">
                    {match (resume, first) {
                        (Some(href), _) => view! { <a class="button" href=href>"Go on reading"<Icon glyph=Glyph::Right/></a> }.into_any(),
                        (None, Some(href)) => view! { <a class="button" href=href>"Start reading"<Icon glyph=Glyph::Right/></a> }.into_any(),
                        (None, None) => ().into_any(),
                    }}
                    {(labs > 0).then(|| view! { <a class="button plain" href="/labs"><Icon glyph=Glyph::Flask/>"All labs"</a> })}
                    {signed_in.then(|| view! {
                        <p class="course-done">
                            <Meter done=u32::try_from(done).unwrap_or(u32::MAX) total=u32::try_from(written).unwrap_or(u32::MAX)/>
                            <span>{done}" of "{written}" lessons done"</span>
                        </p>
                    })}
                </div>
            </header>
            {empty.then(|| view! { <p class="empty">"This course has no modules yet. Its folder is read when the server starts; put one there and start it again."</p> })}
            {outline.modules.into_iter().map(|module| view! { <Module module/> }).collect_view()}
            {outline.final_test.map(|test| view! {
                <section class="module" aria-labelledby="final-title">
                    <header>
                        <p class="module-number"><Icon glyph=Glyph::Check/></p>
                        <h2 id="final-title">"The whole course"</h2>
                        <p>"The final test begins with what you were wrong about on the way."</p>
                    </header>
                    <div class="module-body"><ul class="rows">
                        <TestRow test/>
                        <li class="row">
                            <span class="row-state"><Icon glyph=Glyph::Dot/></span>
                            <a class="row-title" href="/print">"The course as one document"</a>
                            <span class="row-side">"to print"</span>
                        </li>
                        <li class="row">
                            <span class="row-state"><Icon glyph=Glyph::Dot/></span>
                            <a class="row-title" href="/glossary">"Glossary"</a>
                            <span class="row-side"></span>
                        </li>
                    </ul></div>
                </section>
            })}
        </div>
    }
}

#[component]
fn Module(module: ModuleEntry) -> impl IntoView {
    let anchor = format!("module-{}", module.number);
    view! {
        <section class="module" id=anchor.clone() aria-labelledby=format!("{anchor}-title")>
            <header>
                <p class="module-number">{module.number}</p>
                <h2 id=format!("{anchor}-title")>{module.title}</h2>
                <p>{inline(&module.summary)}</p>
            </header>
            <div class="module-body">
                {module.sections.into_iter().map(|section| view! {
                    <section>
                        {(!section.title.is_empty()).then(|| view! { <h3>{section.title}</h3> })}
                        <ol class="rows">{section.lessons.into_iter().map(|lesson| view! { <LessonRow lesson/> }).collect_view()}</ol>
                    </section>
                }).collect_view()}
                {(!module.labs.is_empty()).then(|| view! {
                    <section>
                        <h3>"Labs"</h3>
                        <ul class="rows">{module.labs.into_iter().map(|lab| view! { <LabRow lab/> }).collect_view()}</ul>
                    </section>
                })}
                {module.test.map(|test| view! {
                    <section>
                        <h3>"At the end"</h3>
                        <ul class="rows">
                            <li class="row">
                                <span class="row-state"><Icon glyph=Glyph::Dot/></span>
                                <a class="row-title" href=format!("/learn/{}/summary", module.slug)>"Summary on one sheet"</a>
                                <span class="row-side">"to print"</span>
                            </li>
                            <TestRow test/>
                        </ul>
                    </section>
                })}
            </div>
        </section>
    }
    .into_any()
}

#[component]
pub(crate) fn TestRow(test: TestLink) -> impl IntoView {
    let (glyph, data, word) = match (test.standing.passed, test.standing.taken) {
        (true, _) => (Glyph::Check, "done", "Passed"),
        (false, 0) => (Glyph::Dot, "unread", "Not taken"),
        (false, _) => (Glyph::Dot, "read", "Not passed yet"),
    };
    view! {
        <li class="row" data-state=data>
            <span class="row-state"><Icon glyph/><span class="sr">{word}</span></span>
            <a class="row-title" href=test.href>{test.title}</a>
            <span class="row-side">
                {test.standing.best.map(|best| view! { <span class="score">"best "{best}" %"</span> })}
                {test.questions}" questions"
            </span>
        </li>
    }
    .into_any()
}

/// Icon and word of a lesson's state.
pub(crate) fn state(state: LessonState) -> (Glyph, &'static str, &'static str) {
    match state {
        LessonState::Unread => (Glyph::Dot, "unread", "Not read"),
        LessonState::Read => (Glyph::Dot, "read", "Read"),
        LessonState::Done => (Glyph::Check, "done", "Done"),
        LessonState::ToCome => (Glyph::Dashed, "to-come", "To come"),
    }
}

#[component]
fn LessonRow(lesson: LessonEntry) -> impl IntoView {
    let (glyph, data, word) = state(lesson.state);
    let minutes = (lesson.minutes > 0).then(|| time::minutes(lesson.minutes));
    view! {
        <li class="row" data-state=data>
            <span class="row-state"><Icon glyph/><span class="sr">{word}</span></span>
            {match lesson.href {
                Some(href) => view! { <a class="row-title" href=href>{lesson.title}</a><span class="row-side">{minutes}</span> }.into_any(),
                None => view! { <span class="row-title">{lesson.title}</span><span class="row-side">"to come"</span> }.into_any(),
            }}
        </li>
    }
    .into_any()
}

#[component]
pub(crate) fn LabRow(lab: LabLink) -> impl IntoView {
    view! {
        <li class="row">
            <span class="row-state"><Icon glyph=Glyph::Flask/></span>
            <a class="row-title" href=lab.href>{lab.title}</a>
            <span class="row-side">
                {lab.best_score.map(|score| view! { <span class="score">"best "{score}</span> })}
                {time::minutes(lab.minutes)}
            </span>
        </li>
    }
    .into_any()
}
