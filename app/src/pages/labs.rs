//! All labs.

use leptos::prelude::*;

use crate::{
    api::lab::LabCard,
    ui::{Glyph, Icon, inline, time},
};

#[component]
pub(crate) fn LabsView(labs: Vec<LabCard>) -> impl IntoView {
    let empty = labs.is_empty();
    view! {
        <div class="page">
            <h1>"Labs"</h1>
            <p class="lead">"Each lab gives you a Docker host of your own, in which you are root. What you did is graded by what is true on it."</p>
            {if empty {
                view! { <p class="empty">"There are no labs yet. An author makes one with "<code>"bulkhead lab new"</code>"."</p> }.into_any()
            } else {
                view! {
                    <div class="scroll" tabindex="0" role="region" aria-label="Labs">
                        <table class="table labs">
                            <thead><tr><th scope="col">"Lab"</th><th scope="col">"Module"</th><th scope="col">"Level"</th><th scope="col" class="number">"Time"</th><th scope="col">"Best"</th></tr></thead>
                            <tbody>{labs.into_iter().map(|lab| view! { <Row lab/> }).collect_view()}</tbody>
                        </table>
                    </div>
                }.into_any()
            }}
        </div>
    }
}

#[component]
fn Row(lab: LabCard) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">
                <a href=format!("/labs/{}", lab.id)>{lab.title}</a>
                {lab.open.then(|| view! { <span class="tag live">"open now"</span> })}
                <p>{inline(&lab.summary)}</p>
                {(!lab.unmet.is_empty()).then(|| view! { <p class="faint">"Cannot run here. "{lab.unmet.join(" ")}</p> })}
            </th>
            <td>{lab.module}</td>
            <td>{lab.difficulty}</td>
            <td class="number">{time::minutes(lab.minutes)}</td>
            <td>{match (lab.best_score, lab.passed) {
                (Some(score), true) => view! { <span class="mark" data-mark="pass"><Icon glyph=Glyph::Check/>{score}<span class="sr">", passed"</span></span> }.into_any(),
                (Some(score), false) => view! { <span class="mark" data-mark="part"><Icon glyph=Glyph::Dashed/>{score}<span class="sr">", not passed yet"</span></span> }.into_any(),
                (None, _) if !lab.graded => view! { <span class="faint">"not graded"</span> }.into_any(),
                (None, _) => view! { <span class="faint">"not tried"</span> }.into_any(),
            }}</td>
        </tr>
    }
    .into_any()
}
