//! The reader's own progress.

use leptos::prelude::*;

use super::outline::TestRow;
use crate::{
    api::progress::{LabProgress, ModuleProgress, MyProgress},
    ui::{Glyph, Icon, meter::Meter, time},
};

#[component]
pub(crate) fn ProgressView(progress: MyProgress) -> impl IntoView {
    let passed = progress.labs.iter().filter(|lab| lab.passed).count();
    let labs = progress.labs.len();
    let tests_passed = progress.tests.iter().filter(|test| test.standing.passed).count();
    let attempts = progress.labs.iter().map(|lab| lab.attempts.len()).sum::<usize>();
    let untouched = attempts == 0;
    view! {
        <div class="page">
            <h1>"My progress"</h1>
            <dl class="figures">
                <div><dt>"Lessons done"</dt><dd>{progress.lessons_done}<small>" of "{progress.lessons_total}</small></dd></div>
                <div><dt>"Tests passed"</dt><dd>{tests_passed}<small>" of "{progress.tests.len()}</small></dd></div>
                <div><dt>"Labs passed"</dt><dd>{passed}<small>" of "{labs}</small></dd></div>
                <div><dt>"Graded attempts"</dt><dd>{attempts}</dd></div>
            </dl>
            <section>
                <h2>"Modules"</h2>
                <ol class="modules">{progress.modules.into_iter().map(|module| view! { <Module module/> }).collect_view()}</ol>
            </section>
            {(!progress.tests.is_empty()).then(|| view! {
                <section>
                    <h2>"Tests"</h2>
                    <ul class="rows">{progress.tests.into_iter().map(|test| view! { <TestRow test/> }).collect_view()}</ul>
                </section>
            })}
            <section>
                <h2>"Labs"</h2>
                {untouched.then(|| view! { <p class="empty">"No lab graded yet. "<a href="/labs">"Choose one"</a>" and start it; a check there counts as an attempt."</p> })}
                {progress.labs.into_iter().filter(|lab| !lab.attempts.is_empty()).map(|lab| view! { <Lab lab/> }).collect_view()}
            </section>
        </div>
    }
}

#[component]
fn Module(module: ModuleProgress) -> impl IntoView {
    view! {
        <li>
            <a href=format!("/#module-{}", module.number)><span class="number">{module.number}</span>{module.title}</a>
            <Meter done=module.done total=module.total/>
            <span class="faint">{if module.total == 0 { "to come".to_owned() } else { format!("{} of {}", module.done, module.total) }}</span>
        </li>
    }
    .into_any()
}

#[component]
fn Lab(lab: LabProgress) -> impl IntoView {
    view! {
        <section class="attempts">
            <h3>
                <a href=format!("/labs/{}", lab.lab)>{lab.title}</a>
                {lab.passed.then(|| view! { <span class="mark" data-mark="pass"><Icon glyph=Glyph::Check/>"passed"</span> })}
                {lab.best_score.map(|best| view! { <span class="faint">"best "{best}</span> })}
            </h3>
            <table class="table">
                <thead><tr><th scope="col">"Graded"</th><th scope="col" class="number">"Score"</th><th scope="col">"Result"</th><th scope="col">"Evidence"</th></tr></thead>
                <tbody>
                    {lab.attempts.into_iter().map(|attempt| view! {
                        <tr>
                            <td><time datetime=attempt.at.clone()>{time::stamp(&attempt.at)}</time></td>
                            <td class="number">{attempt.score}</td>
                            <td>{if attempt.passed {
                                view! { <span class="mark" data-mark="pass"><Icon glyph=Glyph::Check/>"pass"</span> }.into_any()
                            } else {
                                view! { <span class="mark" data-mark="part"><Icon glyph=Glyph::Dashed/>"not yet"</span> }.into_any()
                            }}</td>
                            <td><a href=attempt.report_href>"Report"</a></td>
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
        </section>
    }
    .into_any()
}
