//! The reference solution: locked until the lab is passed or tried often enough.

use leptos::{either::Either, prelude::*};

use super::feed::{Feed, Live};
use crate::{
    api::lab::SolutionView,
    ui::{Glyph, Icon},
};

#[island]
pub fn Solution(live: Live) -> impl IntoView {
    let feed = Feed::shared(move || live);
    move || match feed.solution.get() {
        SolutionView::Locked { tries_left } => {
            let tries = if tries_left == 1 {
                "one more graded attempt".to_owned()
            } else {
                format!("{tries_left} more graded attempts")
            };
            Either::Left(
                view! { <p class="locked"><Icon glyph=Glyph::Lock/>"The solution opens after you pass, or after "{tries}"."</p> },
            )
        }
        SolutionView::Open { html } => Either::Right(view! {
            <details class="solution"><summary>"Show the solution"</summary><div class="prose" inner_html=html></div></details>
        }),
    }
}
