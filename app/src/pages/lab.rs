//! The lab workspace: what to do on the left, where to do it on the right.

use leptos::prelude::*;

use crate::{
    api::{
        Caller,
        course::Link,
        lab::{LabPage, SandboxState, TaskView},
    },
    islands::{
        browser,
        code::CodeButtons,
        lab::{
            feed::{Live, TaskState},
            head::LabHead,
            solution::Solution,
            stage::{LabStage, Needs},
            task::TaskCard,
        },
        splitter::Splitter,
    },
    ui::{inline, time},
};

#[component]
pub(crate) fn LabView(lab: LabPage, caller: Caller) -> impl IntoView {
    let live = Live {
        lab: lab.id.clone(),
        now: browser::now(),
        sandbox: lab.sandbox.clone(),
        tasks: lab.tasks.iter().map(TaskState::of).collect(),
        score: lab.score.clone(),
        best: lab.best.clone(),
        attempts: lab.attempts,
        solution: lab.solution.clone(),
        told: caller.account.is_some(),
    };
    // The other islands find the head's state in the browser; they only bring what the server renders them from.
    let bare = Live { tasks: vec![], score: None, best: None, ..live.clone() };
    let needs = Needs {
        machines: lab.machines,
        minutes: lab.minutes,
        limit_minutes: lab.limit_minutes,
        tier: lab.tier,
        anonymous: caller.account.is_none(),
        unmet: lab.unmet,
    };
    let id = lab.id.clone();
    let graded = !lab.tasks.is_empty();
    let ready = lab.sandbox.as_ref().is_some_and(|sandbox| sandbox.state == SandboxState::Ready);
    view! {
        <div class="lab">
            <LabHead title=lab.title pass=lab.pass graded live/>
            <nav class="lab-parts" aria-label="Parts of this page">
                <a href="#instructions">"Instructions"</a>
                {graded.then(|| view! { <a href="#tasks-title">"Tasks"</a> })}
                <a href="#sandbox">"Sandbox"</a>
            </nav>
            <div class="lab-split" id="lab-split">
                <section class="lab-text" id="instructions" aria-label="Instructions" tabindex="0">
                    <p class="facts">
                        <span>{format!("Module {}: {}", lab.module, lab.module_title)}</span>
                        <span>{lab.difficulty}</span>
                        <span>{time::minutes(lab.minutes)}</span>
                    </p>
                    <div class="prose" inner_html=lab.story_html></div>
                    {(!lab.objectives.is_empty()).then(|| view! {
                        <section class="objectives">
                            <h2>"After this you can"</h2>
                            <ul>{lab.objectives.into_iter().map(|o| view! { <li>{inline(&o)}</li> }).collect_view()}</ul>
                        </section>
                    })}
                    {graded.then(|| view! {
                        <section class="tasks" aria-labelledby="tasks-title">
                            <h2 id="tasks-title">"Tasks"</h2>
                            {lab.tasks.into_iter().enumerate().map(|(index, task)| view! { <Task lab=id.clone() number=index + 1 task ready/> }).collect_view()}
                        </section>
                        <section>
                            <h2>"Solution"</h2>
                            <Solution live=bare.clone()/>
                        </section>
                    })}
                    {(!lab.lessons.is_empty()).then(|| view! { <Lessons lessons=lab.lessons/> })}
                    <CodeButtons/>
                </section>
                <Splitter/>
                <section class="lab-stage" id="sandbox" aria-label="Sandbox"><LabStage needs live=bare/></section>
            </div>
        </div>
    }
}

#[component]
fn Task(lab: String, number: usize, mut task: TaskView, ready: bool) -> impl IntoView {
    let body = std::mem::take(&mut task.body_html);
    view! { <TaskCard lab number task ready><div class="prose" inner_html=body></div></TaskCard> }
}

#[component]
fn Lessons(lessons: Vec<Link>) -> impl IntoView {
    view! {
        <section>
            <h2>"Read again"</h2>
            <ul class="references">{lessons.into_iter().map(|lesson| view! { <li><a href=lesson.href target="_blank" rel="noopener">{lesson.title}</a></li> }).collect_view()}</ul>
        </section>
    }
}
