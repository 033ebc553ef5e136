//! The right side of the workspace: what it takes to start, how the start goes, the terminals, or why it is over.

use leptos::{
    either::{EitherOf3, EitherOf5},
    ev::SubmitEvent,
    prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{
    feed::{Feed, Live},
    terminals::Terminals,
};
use crate::{
    api::lab::{MachineView, SandboxState, StepStatus, StepView},
    server_fns::lab::start_lab,
    ui::{Glyph, Icon, inline, time, whole},
};

/// What a sandbox of this lab takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    pub machines: Vec<MachineView>,
    pub minutes: u16,
    pub limit_minutes: u16,
    pub tier: String,
    /// Nobody is signed in, so nothing can be started.
    pub anonymous: bool,
    /// Why the engine here cannot run it.
    pub unmet: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Pending,
    Ready,
    Stopping,
    Over(SandboxState),
}

/// A stopped sandbox is none for the server; whoever has just seen it stop is told so.
fn phase(state: Option<SandboxState>, before: Option<Phase>) -> Phase {
    match state {
        None => match before {
            None | Some(Phase::Idle) => Phase::Idle,
            Some(Phase::Over(state)) => Phase::Over(state),
            Some(Phase::Pending | Phase::Ready | Phase::Stopping) => Phase::Over(SandboxState::Stopped),
        },
        Some(SandboxState::Ready) => Phase::Ready,
        Some(SandboxState::Stopping) => Phase::Stopping,
        Some(state) if state.is_pending() => Phase::Pending,
        Some(state) => Phase::Over(state),
    }
}

#[island]
pub fn LabStage(needs: Needs, live: Live) -> impl IntoView {
    let feed = Feed::shared(move || live);
    let phase = Memo::new(move |before: Option<&Phase>| {
        phase(feed.sandbox.with(|s| s.as_ref().map(|s| s.state)), before.copied())
    });
    let needs = StoredValue::new(needs);
    move || match phase.get() {
        Phase::Idle => EitherOf5::A(view! { <Start feed needs=needs.get_value() label="Start lab"/> }),
        Phase::Pending => EitherOf5::B(view! {
            <div class="stage-card">
                <h2>"Starting your sandbox"</h2>
                <Steps feed/>
                <p class="faint">"You can read on meanwhile; this page changes by itself."</p>
            </div>
        }),
        Phase::Ready => EitherOf5::C(view! { <Terminals feed machines=needs.get_value().machines/> }),
        Phase::Stopping => EitherOf5::D(view! {
            <div class="stage-card"><h2><Icon glyph=Glyph::Spinner/>"Stopping the sandbox"</h2></div>
        }),
        Phase::Over(state) => EitherOf5::E(view! { <Over feed state needs=needs.get_value()/> }),
    }
}

/// The tier's name, and what it means where we know.
fn tier(name: &str) -> String {
    match name {
        "userns" => "userns: root in here is nobody outside; no network beyond the sandbox".into(),
        other => other.into(),
    }
}

#[component]
fn Start(feed: Feed, needs: Needs, label: &'static str) -> impl IntoView {
    whole(view! {
        <div class="stage-card">
            <h2>"Your sandbox"</h2>
            <dl class="needs">
                {needs.machines.into_iter().map(|machine| view! {
                    <div><dt><code>{machine.name}</code></dt><dd>{inline(&machine.summary)}{(!machine.terminal).then(|| view! { " "<span class="tag">"no terminal"</span> })}</dd></div>
                }).collect_view()}
                <div><dt>"Time"</dt><dd>"about "{time::minutes(needs.minutes)}" of work; it stays up "{time::minutes(needs.limit_minutes)}", and can be extended"</dd></div>
                <div><dt>"Isolation"</dt><dd>{tier(&needs.tier)}</dd></div>
            </dl>
            <StartForm feed label anonymous=needs.anonymous unmet=needs.unmet/>
            <noscript><p class="empty">"Terminals and live results need WebAssembly. The text, the quizzes and your results do not."</p></noscript>
        </div>
    })
}

#[component]
fn StartForm(feed: Feed, label: &'static str, anonymous: bool, unmet: Vec<String>) -> impl IntoView {
    let lab = feed.lab.get_value();
    if !unmet.is_empty() {
        return EitherOf3::A(view! {
            <div class="notice warn" data-testid="unmet">
                <Icon glyph=Glyph::Warn/>
                <span>"This lab cannot run here. "{unmet.join(" ")}" The text can be read all the same."</span>
            </div>
        });
    }
    if anonymous {
        return EitherOf3::B(
            view! { <p><a class="button" href=format!("/sign-in?next=/labs/{lab}")>"Sign in to start"</a></p> },
        );
    }
    let start = move |event: SubmitEvent| {
        event.prevent_default();
        feed.ask(start_lab(feed.lab.get_value()), move |view| feed.show(Some(view)));
    };
    EitherOf3::C(view! {
        <form method="post" action="/api/start_lab" on:submit=start>
            <input type="hidden" name="lab" value=lab/>
            <button class="big" disabled=feed.busy data-testid="start-lab">
                {move || feed.busy.get().then(|| view! { <Icon glyph=Glyph::Spinner/> })}
                {label}
            </button>
        </form>
    })
}

#[component]
fn Steps(feed: Feed) -> impl IntoView {
    let steps = Memo::new(move |_| feed.sandbox.with(|s| s.as_ref().map(|s| s.steps.clone()).unwrap_or_default()));
    view! { <ol class="steps">{move || steps.get().into_iter().map(|step| view! { <Step step/> }).collect_view()}</ol> }
}

#[component]
fn Step(step: StepView) -> impl IntoView {
    let (glyph, data, word) = match step.status {
        StepStatus::Waiting => (Glyph::Dashed, "waiting", "waiting"),
        StepStatus::Running => (Glyph::Spinner, "running", "running"),
        StepStatus::Done => (Glyph::Check, "done", "done"),
        StepStatus::Failed => (Glyph::Cross, "failed", "failed"),
    };
    whole(view! {
        <li data-status=data>
            <Icon glyph/>
            <span>{step.label}</span>
            <span class="sr">", "{word}</span>
            <span class="step-time">{step.millis.map(time::took)}</span>
        </li>
    })
}

#[component]
fn Over(feed: Feed, state: SandboxState, needs: Needs) -> impl IntoView {
    let (title, text) = match state {
        SandboxState::Failed => ("The sandbox could not be started", "Nothing was counted against you."),
        SandboxState::Expired => (
            "The time is up",
            "The sandbox was stopped. What was graded is kept; a new start begins from the clean state.",
        ),
        _ => ("The sandbox is stopped", "What was graded is kept; a new start begins from the clean state."),
    };
    let failed = state == SandboxState::Failed;
    let error = feed.sandbox.with_untracked(|s| s.as_ref().and_then(|s| s.error.clone()));
    whole(view! {
        <div class="stage-card" data-failed=failed.then_some("")>
            <h2>{failed.then(|| view! { <Icon glyph=Glyph::Warn/> })}{title}</h2>
            {failed.then(|| view! { <Steps feed/> })}
            {error.map(|error| view! { <p class="notice bad" role="alert"><Icon glyph=Glyph::Warn/><span>{inline(&error)}</span></p> })}
            <p>{text}</p>
            <StartForm feed label="Start again" anonymous=needs.anonymous unmet=needs.unmet/>
        </div>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_saw_it_stop_is_told_that_it_is_stopped() {
        let stopping = phase(Some(SandboxState::Stopping), Some(Phase::Ready));
        let stopped = phase(None, Some(stopping));
        assert_eq!(stopped, Phase::Over(SandboxState::Stopped));
        assert_eq!(phase(None, Some(stopped)), stopped, "and stays told");
        let failed = phase(Some(SandboxState::Failed), Some(Phase::Pending));
        assert_eq!(phase(None, Some(failed)), failed);
        assert_eq!(phase(None, None), Phase::Idle);
        assert_eq!(phase(Some(SandboxState::Queued), Some(stopped)), Phase::Pending);
    }
}
