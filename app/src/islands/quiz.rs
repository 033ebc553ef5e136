//! A quiz in place. As a plain form it is posted and the page comes back with the result; awake, it marks itself.

use std::collections::BTreeMap;

use leptos::{either::EitherOf3, ev::SubmitEvent, prelude::*, task::spawn_local};

use crate::{
    api::{
        ApiError,
        course::{Answer, Mark, OptionMark, Printed, Question, QuestionKind, Quiz, QuizResult},
    },
    forms::quiz_field,
    server_fns::course::submit_quiz,
    ui::{Glyph, Icon, whole},
};

type Answers = RwSignal<BTreeMap<String, Answer>>;
type Outcome = RwSignal<Option<QuizResult>>;

#[island]
pub fn QuizForm(quiz: Quiz, signed_in: bool) -> impl IntoView {
    let lesson = quiz.lesson.clone();
    let given = quiz.result.iter().flat_map(|r| &r.marks).map(|m| (m.question.clone(), m.answer.clone())).collect();
    let answers: Answers = RwSignal::new(given);
    let result: Outcome = RwSignal::new(quiz.result);
    let pending = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let submit = {
        let lesson = lesson.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            if pending.get_untracked() {
                return;
            }
            pending.set(true);
            error.set(None);
            let (lesson, given) = (lesson.clone(), answers.get_untracked().into_values().collect());
            spawn_local(async move {
                match submit_quiz(lesson, given).await {
                    Ok(marked) => result.set(Some(marked)),
                    Err(refused) => error.set(Some(refused)),
                }
                pending.set(false);
            });
        }
    };
    view! {
        <form class="quiz" method="post" action=format!("/learn/{lesson}/quiz") on:submit=submit>
            {quiz.questions.into_iter().enumerate().map(|(index, question)| {
                view! { <QuestionView number=index + 1 question answers result closed=false/> }
            }).collect_view()}
            <div class="quiz-foot">
                <button disabled=pending>{move || if result.get().is_some() { "Check again" } else { "Check my answers" }}</button>
                <p role="status" aria-live="polite">
                    {move || match (error.get(), result.get()) {
                        (Some(error), _) => EitherOf3::A(view! { <span class="wrong"><Icon glyph=Glyph::Warn/>{error.to_string()}</span> }),
                        (None, Some(result)) => EitherOf3::B(view! { <Total result/> }),
                        (None, None) => EitherOf3::C((!signed_in).then_some(view! { <span class="faint">"Not signed in: you see the result, but it is not kept."</span> })),
                    }}
                </p>
            </div>
        </form>
    }
}

/// A question as it stands, with its mark where there is one: part of a plain form.
#[cfg(feature = "ssr")]
#[component]
pub(crate) fn StaticQuestion(number: usize, question: Question, mark: Option<Mark>) -> impl IntoView {
    let given = mark.iter().map(|mark| (mark.question.clone(), mark.answer.clone())).collect();
    let result = mark.map(|mark| QuizResult { correct: 0, total: 1, passed: false, marks: vec![mark] });
    let closed = result.is_some();
    view! {
        <QuestionView number question answers=RwSignal::new(given) result=RwSignal::new(result) closed/>
    }
}

#[component]
pub(crate) fn Total(result: QuizResult) -> impl IntoView {
    let (glyph, data) = if result.passed { (Glyph::Check, "pass") } else { (Glyph::Dashed, "part") };
    let after = if result.passed { ". Passed." } else { ". Read why below each answer, then try again." };
    whole(
        view! { <span class="mark" data-mark=data><Icon glyph/>{result.correct}" of "{result.total}" correct"{after}</span> },
    )
}

/// Closed, its fields can no longer be changed; what is shown beside them stays within reach of the keyboard.
#[component]
fn QuestionView(number: usize, question: Question, answers: Answers, result: Outcome, closed: bool) -> impl IntoView {
    let Question { id, prompt_html, printed, kind } = question;
    let name = quiz_field(&id);
    let mark = Memo::new({
        let id = id.clone();
        move |_| result.with(|r| r.as_ref().and_then(|r| r.marks.iter().find(|m| m.question == id).cloned()))
    });
    let several = matches!(kind, QuestionKind::Multiple { .. });
    let head = view! {
        <legend>
            <span class="number">{number}</span>
            <span class="prompt" inner_html=prompt_html></span>
            {move || mark.get().map(|m| view! { <Verdict mark=m/> })}
        </legend>
        {printed.map(|printed| view! { <Shown printed/> })}
    };
    match kind {
        QuestionKind::Single { options_html } | QuestionKind::Multiple { options_html } => EitherOf3::A(view! {
            <fieldset>
                {head}
                {several.then(|| view! { <p class="faint">"Choose all that hold."</p> })}
                {options_html.into_iter().enumerate().map(|(index, html)| view! {
                    <Choice id=id.clone() name=name.clone() index html several answers mark closed/>
                }).collect_view()}
            </fieldset>
        }),
        QuestionKind::Order { items_html } => EitherOf3::B(view! {
            <fieldset>
                {head}
                <p class="faint">"Give each its place; 1 comes first."</p>
                {places(&id, &name, items_html, answers, mark, closed)}
            </fieldset>
        }),
        QuestionKind::Short => {
            let before = answers.with_untracked(|a| a.get(&id).map(|a| a.text.clone())).unwrap_or_default();
            let write = move |event| {
                let text = event_target_value(&event);
                answers.update(|a| {
                    let blank = || Answer { question: id.clone(), ..Answer::default() };
                    a.entry(id.clone()).or_insert_with(blank).text = text;
                });
            };
            EitherOf3::C(view! {
                <fieldset>
                    {head}
                    <input type="text" name=name aria-label="Your answer" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="200" value=before disabled=closed on:input=write/>
                    {move || mark.get().and_then(|m| m.why.into_iter().next()).map(|why| view! { <Why why wrong="The answer: "/> })}
                </fieldset>
            })
        }
    }
}

/// The output that a question is about.
#[component]
fn Shown(printed: Printed) -> impl IntoView {
    let command = printed.command.map(|command| view! { <span class="typed">{command}</span>"\n" });
    whole(view! { <pre class="printed" tabindex="0"><code>{command}{printed.output}</code></pre> })
}

/// A choice of place for each item: works by keyboard, by touch, and as a plain form.
fn places(
    id: &str,
    name: &str,
    items_html: Vec<String>,
    answers: Answers,
    mark: Memo<Option<Mark>>,
    closed: bool,
) -> impl IntoView + use<> {
    let count = items_html.len();
    let items = items_html.into_iter().enumerate().map(|(index, html)| {
        let given = answers.with_untracked(|a| a.get(id).and_then(|a| a.choices.get(index).copied()));
        let choose = {
            let id = id.to_owned();
            move |event| {
                let place = event_target_value(&event).parse().unwrap_or(count);
                answers.update(|a| {
                    let blank = || Answer { question: id.clone(), ..Answer::default() };
                    let choices = &mut a.entry(id.clone()).or_insert_with(blank).choices;
                    // What has no place yet stands behind the last.
                    choices.resize(count, count);
                    choices[index] = place;
                });
            }
        };
        let why = move || mark.with(|m| m.as_ref().and_then(|m| m.why.get(index).cloned()));
        view! {
            <div class="choice place" data-right=move || why().map(|w| if w.right { "yes" } else { "no" })>
                <label>
                    <select name=name.to_owned() disabled=closed on:change=choose>
                        <option value=count.to_string()>"\u{2013}"</option>
                        {(0..count).map(|place| view! {
                            <option value=place.to_string() selected=given == Some(place)>{place + 1}</option>
                        }).collect_view()}
                    </select>
                    <span inner_html=html></span>
                </label>
                {move || why().map(|why| view! { <Placed why/> })}
            </div>
        }
    });
    items.collect_view()
}

#[component]
fn Placed(why: OptionMark) -> impl IntoView {
    let place = why.place.unwrap_or_default() + 1;
    let word = if why.right { format!("{place}, right: ") } else { format!("Belongs in place {place}: ") };
    whole(view! { <p class="why"><b>{word}</b><span inner_html=why.why_html></span></p> })
}

#[component]
fn Choice(
    id: String,
    name: String,
    index: usize,
    html: String,
    several: bool,
    answers: Answers,
    mark: Memo<Option<Mark>>,
    closed: bool,
) -> impl IntoView {
    let chosen = answers.with_untracked(|a| a.get(&id).is_some_and(|a| a.choices.contains(&index)));
    let choose = move |event| {
        let on = event_target_checked(&event);
        answers.update(|a| {
            let answer = a.entry(id.clone()).or_insert_with(|| Answer { question: id.clone(), ..Answer::default() });
            if several {
                answer.choices.retain(|c| *c != index);
            } else {
                answer.choices.clear();
            }
            if on {
                answer.choices.push(index);
            }
        });
    };
    let why = move || mark.with(|m| m.as_ref().and_then(|m| m.why.get(index).cloned()));
    whole(view! {
        <div class="choice" data-right=move || why().map(|w| if w.right { "yes" } else { "no" })>
            <label>
                <input type=if several { "checkbox" } else { "radio" } name=name value=index.to_string() checked=chosen disabled=closed on:change=choose/>
                <span inner_html=html></span>
            </label>
            {move || why().map(|why| view! { <Why why wrong="Wrong: "/> })}
        </div>
    })
}

#[component]
fn Verdict(mark: Mark) -> impl IntoView {
    let (glyph, data, word) =
        if mark.correct { (Glyph::Check, "pass", "Correct") } else { (Glyph::Cross, "fail", "Not correct") };
    whole(view! { <span class="mark" data-mark=data><Icon glyph/>{word}</span> })
}

/// `wrong` is what stands before the reason where it was not right.
#[component]
fn Why(why: OptionMark, wrong: &'static str) -> impl IntoView {
    let word = if why.right { "Right: " } else { wrong };
    whole(view! { <p class="why"><b>{word}</b><span inner_html=why.why_html></span></p> })
}
