//! The line over the workspace: tasks done, score, time left, and what can be done with the sandbox.

use leptos::prelude::*;

use super::feed::{Feed, Live, TaskState};
use crate::{
    api::lab::{SandboxState, ScoreView},
    islands::confirm::ConfirmButton,
    server_fns::lab::{check_lab, extend_lab, reset_lab, stop_lab},
    ui::{Glyph, Icon, time, verdict::Mark, whole},
};

#[island]
pub fn LabHead(title: String, pass: u8, graded: bool, live: Live) -> impl IntoView {
    let feed = Feed::shared(move || live);
    let ready =
        Signal::derive(move || feed.sandbox.with(|s| s.as_ref().is_some_and(|s| s.state == SandboxState::Ready)));
    let there = Memo::new(move |_| feed.sandbox.with(|s| s.as_ref().is_some_and(|s| !s.state.is_over())));
    let timed = Memo::new(move |_| feed.left().is_some());
    let stale = Memo::new(move |_| {
        feed.tasks.with(|tasks| tasks.iter().flat_map(|task| &task.checks).any(|check| check.stale))
    });
    let tampered = Memo::new(move |_| {
        feed.tasks.with(|tasks| tasks.iter().flat_map(|task| &task.checks).any(|check| !check.tampered.is_empty()))
    });
    let blocked = Signal::derive(move || feed.busy.get() || !ready.get());
    let lab = feed.lab.get_value();
    let check = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        feed.ask(check_lab(feed.lab.get_value(), None), |()| {});
    };
    let reset = Callback::new(move |()| {
        feed.ask(reset_lab(feed.lab.get_value()), move |view| feed.show(Some(view)));
    });
    let stop = Callback::new(move |()| feed.ask(stop_lab(feed.lab.get_value()), |()| {}));
    view! {
        <div class="lab-head">
            <div class="lab-title"><a href="/labs">"Labs"</a><h1>{title}</h1></div>
            {graded.then(|| view! {
                <dl class="lab-figures">
                    <div><dt>"Tasks"</dt><dd data-testid="tasks-done">{move || { let (done, total) = feed.done(); format!("{done}/{total}") }}</dd></div>
                    <div class="task-links">
                        <dt class="sr">"Each task"</dt>
                        {move || feed.tasks.with(|tasks| tasks.iter().enumerate().map(|(at, task)| task_link(at + 1, task)).collect_view())}
                    </div>
                    <div>
                        <dt>"Score"</dt>
                        <dd data-testid="score">{move || feed.score.get().map_or_else(|| "–".to_owned(), |s| s.score.to_string())}<small>" of 100"</small></dd>
                    </div>
                    <div><dt>"Best"</dt><dd data-testid="best">{move || feed.best.get().map_or_else(|| "–".to_owned(), |b| b.score.to_string())}<small>{move || standing(feed.best.get().as_ref(), pass)}</small></dd></div>
                </dl>
            })}
            {move || timed.get().then(|| view! { <Timer feed/> })}
            <div class="lab-acts">
                {graded.then(|| view! {
                    <form method="post" action="/api/check_lab" on:submit=check>
                        <input type="hidden" name="lab" value=lab.clone()/>
                        <button disabled=move || blocked.get() || feed.grading.get() data-testid="check-all">
                            {move || feed.grading.get().then(|| view! { <Icon glyph=Glyph::Spinner/> })}
                            {move || if feed.grading.get() { "Checking" } else { "Check all" }}
                        </button>
                    </form>
                })}
                {move || there.get().then(|| view! {
                    <form method="post" action="/api/reset_lab">
                        <input type="hidden" name="lab" value=feed.lab.get_value()/>
                        <ConfirmButton glyph=Glyph::Reset label="Reset" question="Lose all changes?" disabled=blocked act=reset/>
                    </form>
                    <form method="post" action="/api/stop_lab">
                        <input type="hidden" name="lab" value=feed.lab.get_value()/>
                        <ConfirmButton glyph=Glyph::Stop label="Stop" question="Stop the sandbox?" disabled=feed.busy act=stop/>
                    </form>
                })}
            </div>
        </div>
        <div class="lab-notes">
            {move || feed.stale.get().then(|| view! {
                <p class="notice warn" role="status"><Icon glyph=Glyph::Spinner/>"No live updates: the server does not answer. What you see may be old; trying again."</p>
            })}
            {move || feed.problem.get().map(|problem| view! {
                <p class="notice bad" role="alert"><Icon glyph=Glyph::Warn/><span>{problem.to_string()}</span>
                    <button type="button" class="quiet" on:click=move |_| feed.problem.set(None)>"Close"</button></p>
            })}
            {move || stale.get().then(|| view! {
                <p class="notice" data-testid="stale"><Icon glyph=Glyph::Clock/>"Something changed in the sandbox since some of these verdicts. They and the score are of then; check again to know."</p>
            })}
            {move || tampered.get().then(|| view! {
                <p class="notice warn" data-testid="tampered"><Icon glyph=Glyph::Warn/>"Programs in your sandbox are not the image’s any more; the evidence says which. The verdicts rest on the kernel and on our own tools, not on them."</p>
            })}
            {move || feed.score.get().filter(|s| s.gated).map(|_| view! {
                <p class="notice warn"><Icon glyph=Glyph::Warn/>"The service did not answer as it should, so the score is capped. Bring it back first."</p>
            })}
        </div>
        <p class="sr" role="status" aria-live="polite" data-testid="announced">{feed.said}</p>
    }
}

/// The way to a task, with how it stands.
fn task_link(number: usize, task: &TaskState) -> impl IntoView + use<> {
    let mark = Mark::of(task.verdict(), task.checks.iter().any(|check| check.running));
    let label = format!("{number}. {}: {}", task.title, mark.word());
    whole(view! {
        <dd><a href=format!("#task-{}", task.id) data-mark=mark.data() title=label.clone() aria-label=label><Icon glyph=mark.glyph()/></a></dd>
    })
}

fn standing(best: Option<&ScoreView>, pass: u8) -> String {
    if best.is_some_and(|best| best.passed) { " passed".into() } else { format!(" pass at {pass}") }
}

#[component]
fn Timer(feed: Feed) -> impl IntoView {
    let minutes = Memo::new(move |_| feed.left().map(|left| left / 60_000));
    let tone = move || match minutes.get() {
        Some(..2) => "last",
        Some(2..10) => "soon",
        _ => "calm",
    };
    let extension = Memo::new(move |_| feed.sandbox.with(|s| s.as_ref().map_or(0, |s| s.extend_minutes)));
    let extend = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        feed.ask(extend_lab(feed.lab.get_value()), move |view| feed.show(Some(view)));
    };
    whole(view! {
        <div class="timer" data-tone=tone>
            <Icon glyph=Glyph::Clock/>
            <span class="sr">"Time left: "</span>
            <span class="timer-left" role="timer">{move || feed.left().map_or_else(|| "–:––".to_owned(), time::clock)}</span>
            {move || (extension.get() > 0).then(|| view! {
                <form method="post" action="/api/extend_lab" on:submit=extend>
                    <input type="hidden" name="lab" value=feed.lab.get_value()/>
                    <button class="plain small" disabled=feed.busy>"+"{extension.get()}" min"</button>
                </form>
            })}
        </div>
    })
}
