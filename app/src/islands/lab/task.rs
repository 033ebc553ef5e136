//! One task: its text, its checks with what was expected and what was seen, its hints, its answer.

use leptos::{either::Either, ev::SubmitEvent, prelude::*};

use super::feed::{Feed, Live, TaskState};
use crate::{
    api::lab::{AnswerView, CheckView, HintView, SandboxState, SolutionView, TaskView, Verdict},
    server_fns::lab::{answer as send_answer, check_lab, hint as ask_hint},
    ui::{Glyph, Icon, inline, verdict::Mark, whole},
};

/// `children` is the task's text, which the server alone renders; `ready` says whether a sandbox was up when it did.
#[island]
pub fn TaskCard(lab: String, number: usize, task: TaskView, ready: bool, children: Children) -> impl IntoView {
    let TaskView { id, title, points, hints, checks, answer, .. } = task;
    let state = TaskState { id: id.clone(), title: title.clone(), points, checks };
    let feed = Feed::shared({
        let lab = lab.clone();
        move || alone(lab, state)
    });
    let checks = Memo::new({
        let id = id.clone();
        move |_| {
            feed.tasks.with(|tasks| tasks.iter().find(|t| t.id == id).map(|t| t.checks.clone()).unwrap_or_default())
        }
    });
    let mark = Memo::new(move |_| {
        checks.with(|checks| {
            let verdict =
                checks.iter().map(|c| c.verdict).collect::<Option<Vec<_>>>().and_then(|v| v.into_iter().max());
            Mark::of(verdict, checks.iter().any(|c| c.running))
        })
    });
    let ready = Memo::new(move |_| {
        // On the server a card's own feed knows no sandbox.
        if cfg!(feature = "hydrate") {
            feed.sandbox.with(|s| s.as_ref().is_some_and(|s| s.state == SandboxState::Ready))
        } else {
            ready
        }
    });
    let check = {
        let id = id.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            feed.ask(check_lab(feed.lab.get_value(), Some(id.clone())), |()| {});
        }
    };
    let (anchor, heading) = (format!("task-{id}"), format!("task-{id}-title"));
    let labelled = heading.clone();
    let glyph = Signal::derive(move || mark.get().glyph());
    view! {
        <article class="task" id=anchor data-mark=move || mark.get().data() aria-labelledby=labelled>
            <header>
                <span class="task-mark"><Icon glyph/></span>
                <h3 id=heading>{number}". "{title}</h3>
                <span class="task-word">{move || mark.get().word()}</span>
                <span class="task-points">{points}" points"</span>
            </header>
            <div class="task-body">
                {children()}
                {answer.map(|answer| view! { <AnswerForm feed task=id.clone() answer/> })}
                <ul class="checks">
                    {move || checks.get().into_iter().map(|check| view! { <CheckRow check/> }).collect_view()}
                </ul>
                <div class="task-foot">
                    <form method="post" action="/api/check_lab" on:submit=check>
                        <input type="hidden" name="lab" value=lab.clone()/>
                        <input type="hidden" name="task" value=id.clone()/>
                        <button class="plain small" disabled=move || !ready.get() || feed.busy.get() || mark.get() == Mark::Running>"Check"</button>
                    </form>
                    {(!hints.is_empty()).then(|| view! { <Hints feed lab task=id hints/> })}
                </div>
            </div>
        </article>
    }
}

/// What a card knows by itself. In the browser the page's feed is there before any card.
fn alone(lab: String, state: TaskState) -> Live {
    Live {
        lab,
        now: 0,
        sandbox: None,
        tasks: vec![state],
        score: None,
        best: None,
        attempts: 0,
        solution: SolutionView::Locked { tries_left: 0 },
        told: false,
    }
}

#[component]
fn CheckRow(check: CheckView) -> impl IntoView {
    let mark = Mark::of(check.verdict, check.running);
    let evidence = matches!(check.verdict, Some(Verdict::Fail | Verdict::Unknown)) && !check.running;
    let CheckView { title, expected, observed, why, references, lesson, verdict, stale, tampered, .. } = check;
    let passed = verdict == Some(Verdict::Pass);
    let unknown = verdict == Some(Verdict::Unknown);
    let evidence =
        (evidence && !(expected.is_empty() && observed.is_empty() && why.is_empty())) || !tampered.is_empty();
    // Of what passes, only the odd is told.
    let why = if passed { String::new() } else { why };
    let references = if passed { Vec::new() } else { references };
    let lesson = lesson.filter(|_| !passed);
    whole(view! {
        <li class="check" data-mark=mark.data()>
            <p class="check-line"><Icon glyph=mark.glyph()/><span>{title}{stale.then(|| view! { " "<small class="stale">"(before the last change)"</small> })}</span><b>{mark.word()}</b></p>
            {evidence.then(|| view! {
                <dl class="evidence">
                    {pair("Expected", expected, true)}
                    {pair(if unknown { "Seen so far" } else { "Observed" }, observed, true)}
                    {pair("Not the image’s", tampered.join("\n"), true)}
                    {pair(if unknown { "Could not check because" } else { "Why it matters" }, why, false)}
                    {(!references.is_empty()).then(|| view! { <div><dt>"Reference"</dt><dd>{references.join(", ")}</dd></div> })}
                    {lesson.map(|lesson| view! { <div><dt>"Lesson"</dt><dd><a href=lesson.href target="_blank" rel="noopener">{lesson.title}</a></dd></div> })}
                    {unknown.then(|| view! { <div><dt>"Cost"</dt><dd>"None: what we could not look at never counts against you."</dd></div> })}
                </dl>
            })}
        </li>
    })
}

fn pair(term: &'static str, text: String, literal: bool) -> impl IntoView {
    (!text.is_empty()).then(|| {
        // What was seen is the student's own text; only an author's words hold marks.
        let shown = if literal { Either::Left(text) } else { Either::Right(inline(&text)) };
        view! { <div><dt>{term}</dt><dd class=literal.then_some("literal")>{shown}</dd></div> }
    })
}

#[component]
fn Hints(feed: Feed, lab: String, task: String, hints: Vec<HintView>) -> impl IntoView {
    let total = hints.len();
    let hints = RwSignal::new(hints);
    let next = Memo::new(move |_| hints.with(|hints| hints.iter().position(|hint| hint.html.is_none())));
    let ask = {
        let task = task.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            let Some(position) = next.get_untracked() else { return };
            let index = hints.with_untracked(|hints| hints[position].index);
            feed.ask(ask_hint(feed.lab.get_value(), task.clone(), index), move |hint| {
                hints.update(|hints| hints[position] = hint);
            });
        }
    };
    whole(view! {
        <form method="post" action="/api/hint" class="hint-ask" hidden=move || next.get().is_none() on:submit=ask>
            <input type="hidden" name="lab" value=lab/>
            <input type="hidden" name="task" value=task/>
            <input type="hidden" name="index" value=move || next.get().and_then(|at| hints.with(|h| h.get(at).map(|h| h.index.to_string())))/>
            <button class="quiet small" disabled=feed.busy><Icon glyph=Glyph::Bulb/>{move || format!("Hint {} of {total}", next.get().unwrap_or(0) + 1)}</button>
        </form>
        <ol class="hints" aria-live="polite">
            {move || hints.get().into_iter().filter_map(|hint| hint.html).map(|html| view! { <li class="prose" inner_html=html></li> }).collect_view()}
        </ol>
    })
}

#[component]
fn AnswerForm(feed: Feed, task: String, answer: AnswerView) -> impl IntoView {
    let AnswerView { check, label, submitted } = answer;
    let saved = RwSignal::new(submitted.is_some());
    let text = RwSignal::new(submitted.unwrap_or_default());
    let lab = feed.lab.get_value();
    let save = {
        let (task, check) = (task.clone(), check.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let question = send_answer(feed.lab.get_value(), task.clone(), check.clone(), text.get_untracked());
            feed.ask(question, move |()| saved.set(true));
        }
    };
    let write = move |event| {
        text.set(event_target_value(&event));
        saved.set(false);
    };
    let field = format!("answer-{task}-{check}");
    whole(view! {
        <form method="post" action="/api/answer" class="answer" on:submit=save>
            <input type="hidden" name="lab" value=lab/>
            <input type="hidden" name="task" value=task/>
            <input type="hidden" name="check" value=check/>
            <label for=field.clone()>{inline(&label)}</label>
            <input id=field name="text" type="text" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="2000" required=true value=text.get_untracked() on:input=write/>
            <button class="plain small" disabled=feed.busy>"Save"</button>
            <span role="status" class="faint">{move || if saved.get() { "Saved; the next check grades it." } else { "" }}</span>
        </form>
    })
}
