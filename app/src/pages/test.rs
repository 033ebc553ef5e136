//! A test over a module or over the course: what it asks, its paper, how it went. A plain form: it is handed in whole.

use leptos::prelude::*;

use crate::{
    api::test::{TestPage, TestPaper, TestQuestion, TestStanding},
    islands::quiz::{StaticQuestion, Total},
    ui::{Glyph, Icon},
};

#[component]
pub(crate) fn TestView(test: TestPage) -> impl IntoView {
    let TestPage { title, href, module, questions, pass_percent, standing, paper } = test;
    let over = if module.is_some() { "this module" } else { "the whole course" };
    let whole_course = module.is_none();
    let under_way = paper.as_ref().is_some_and(|paper| paper.result.is_none());
    let again = standing.taken > 0;
    view! {
        <div class="page narrow test">
            <nav class="crumbs" aria-label="Where this is">
                <a href="/">"Course"</a>
                {module.map(|module| view! { <a href=module.href>{module.title}</a> })}
            </nav>
            <h1>{title}</h1>
            <p class="lead">
                {questions}" questions over "{over}", drawn for you. You pass with "{pass_percent}" per cent. "
                {whole_course.then_some("It begins with what you were wrong about before. ")}
                "A paper is handed in once; then every option explains itself, and you can draw another."
            </p>
            <Stands standing/>
            {paper.map(|paper| view! { <Paper paper href=href.clone()/> })}
            {(!under_way).then(|| view! {
                <form method="post" action=format!("{href}/new") class="test-new">
                    <button>{if again { "Draw another paper" } else { "Begin" }}</button>
                </form>
            })}
        </div>
    }
}

#[component]
fn Stands(standing: TestStanding) -> impl IntoView {
    let tries = if standing.taken == 1 { "paper" } else { "papers" };
    standing.best.map(|best| {
        view! {
            <p class="test-stands">
                {if standing.passed {
                    view! { <span class="mark" data-mark="pass"><Icon glyph=Glyph::Check/>"Passed"</span> }.into_any()
                } else {
                    view! { <span class="mark" data-mark="part"><Icon glyph=Glyph::Dashed/>"Not passed yet"</span> }.into_any()
                }}
                <span>"best "{best}" per cent in "{standing.taken}" "{tries}</span>
            </p>
        }
        .into_any()
    })
}

#[component]
fn Paper(paper: TestPaper, href: String) -> impl IntoView {
    let closed = paper.result.is_some();
    let result = paper.result;
    let marks = result.as_ref().map(|result| result.marks.clone()).unwrap_or_default();
    view! {
        {result.map(|result| view! { <p class="test-result" role="status"><Total result/></p> })}
        <form class="quiz" method="post" action=href>
            <input type="hidden" name="paper" value=paper.id.to_string()/>
            {paper.questions.into_iter().enumerate().map(|(at, asked)| {
                let TestQuestion { question, lesson, missed } = asked;
                let mark = marks.iter().find(|mark| mark.question == question.id).cloned();
                let wrong = mark.as_ref().is_some_and(|mark| !mark.correct);
                view! {
                    <div class="test-question">
                        {(missed && !closed).then(|| view! { <p class="test-missed faint">"You were wrong about this before."</p> })}
                        <StaticQuestion number=at + 1 question mark/>
                        {lesson.filter(|_| wrong).map(|lesson| view! { <p class="test-read">"Read again: "<a href=lesson.href>{lesson.title}</a></p> })}
                    </div>
                }
            }).collect_view()}
            {(!closed).then(|| view! {
                <div class="quiz-foot">
                    <button>"Hand in"</button>
                    <p class="faint">"What is left open counts as wrong."</p>
                </div>
            })}
        </form>
    }
    .into_any()
}
