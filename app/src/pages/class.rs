//! The instructor's class: students × labs.

use leptos::prelude::*;

use crate::{api::progress::Matrix, islands::matrix::ClassMatrix};

#[component]
pub(crate) fn ClassView(matrix: Matrix) -> impl IntoView {
    view! {
        <div class="page wide">
            <h1>"Class"</h1>
            <ClassMatrix matrix/>
        </div>
    }
}
