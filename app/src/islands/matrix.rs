//! Students × labs: filtered, sorted, and asked for again while somebody looks at it.

use std::{cmp::Reverse, time::Duration};

use leptos::{either::Either, prelude::*, task::spawn_local};

use super::browser;
use crate::{
    api::progress::{Matrix, MatrixCell, MatrixRow},
    server_fns::class::class_matrix,
    ui::{Glyph, Icon, time, whole},
};

const REFRESH: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Name,
    Seen,
    Lessons,
    Lab(usize),
}

/// Rows whose name or e-mail holds the text (`live` alone: who has a sandbox up), in the order asked for.
fn arranged(matrix: &Matrix, text: &str, live: bool, order: Order) -> Vec<MatrixRow> {
    let text = text.trim().to_lowercase();
    let mut rows = matrix
        .students
        .iter()
        .filter(|row| {
            text.is_empty() || row.name.to_lowercase().contains(&text) || row.email.to_lowercase().contains(&text)
        })
        .filter(|row| !live || row.cells.iter().any(|cell| cell.live))
        .cloned()
        .collect::<Vec<_>>();
    rows.sort_by_key(|row| row.name.to_lowercase());
    match order {
        Order::Name => {}
        Order::Seen => rows.sort_by_key(|row| Reverse(row.last_seen.clone())),
        Order::Lessons => rows.sort_by_key(|row| Reverse(row.lessons_done)),
        Order::Lab(index) => rows.sort_by_key(|row| Reverse(row.cells.get(index).and_then(|cell| cell.best_score))),
    }
    rows
}

#[island]
pub fn ClassMatrix(matrix: Matrix) -> impl IntoView {
    let matrix = RwSignal::new(matrix);
    let text = RwSignal::new(String::new());
    let live = RwSignal::new(false);
    let order = RwSignal::new(Order::Name);
    let stale = RwSignal::new(None::<String>);
    let rows = Memo::new(move |_| matrix.with(|m| arranged(m, &text.get(), live.get(), order.get())));
    Effect::new(move |_| {
        let _ = set_interval_with_handle(move || refresh(matrix, stale), REFRESH);
    });
    let column = move |label: String, title: String, by: Order| {
        view! {
            <th scope="col" aria-sort=move || (order.get() == by).then_some(if by == Order::Name { "ascending" } else { "descending" })>
                <button type="button" title=title on:click=move |_| order.set(by)>{label}</button>
            </th>
        }
    };
    view! {
        <div class="matrix-bar">
            <input type="search" aria-label="Filter students" placeholder="Filter by name or e-mail" on:input=move |e| text.set(event_target_value(&e))/>
            <label class="tick"><input type="checkbox" on:change=move |e| live.set(event_target_checked(&e))/>"in a lab now"</label>
            <p class="faint" role="status">
                {move || rows.with(Vec::len)}" of "{move || matrix.with(|m| m.students.len())}" students"
            </p>
            <p class="wrong" role="alert">{move || stale.get()}</p>
        </div>
        {move || matrix.with(|m| m.students.is_empty()).then(|| view! {
            <p class="empty">"No students yet. Whoever creates an account here is shown in this table."</p>
        })}
        <div class="scroll" tabindex="0" role="region" aria-label="Students and labs">
            <table class="matrix">
                <thead>
                    <tr>
                        {column("Student".into(), "Sort by name".into(), Order::Name)}
                        {column("Seen".into(), "Sort by last seen".into(), Order::Seen)}
                        {column("Lessons".into(), "Sort by lessons done".into(), Order::Lessons)}
                        {matrix.get_untracked().labs.into_iter().enumerate().map(|(index, lab)| {
                            column(lab.title.clone(), format!("Sort by {}", lab.title), Order::Lab(index))
                        }).collect_view()}
                    </tr>
                </thead>
                <tbody>
                    {move || (rows.with(Vec::is_empty) && matrix.with(|m| !m.students.is_empty())).then(|| view! {
                        <tr><td class="faint" colspan=matrix.with(|m| m.labs.len() + 3)>"No student fits the filter."</td></tr>
                    })}
                    {move || rows.get().into_iter().map(|row| view! { <Row row/> }).collect_view()}
                </tbody>
            </table>
        </div>
        <p class="legend" aria-hidden="true">
            <span class="mark" data-mark="pass"><Icon glyph=Glyph::Check/>"passed"</span>
            <span class="live"><i></i>"in the lab now"</span>
            <span class="faint">"best score, number of attempts"</span>
        </p>
    }
}

fn refresh(matrix: RwSignal<Matrix>, stale: RwSignal<Option<String>>) {
    if !browser::page_is_visible() {
        return;
    }
    spawn_local(async move {
        match class_matrix().await {
            Ok(fresh) => {
                stale.set(None);
                matrix.update(|m| m.students = fresh.students);
            }
            Err(error) => stale.set(Some(format!("Not up to date: {error}"))),
        }
    });
}

#[component]
fn Row(row: MatrixRow) -> impl IntoView {
    whole(view! {
        <tr>
            <th scope="row"><span>{row.name}</span><small>{row.email}</small></th>
            <td>{match row.last_seen {
                Some(at) => Either::Left(view! { <time datetime=at.clone()>{time::stamp(&at)}</time> }),
                None => Either::Right(view! { <span class="faint">"never"</span> }),
            }}</td>
            <td class="number">{row.lessons_done}</td>
            {row.cells.into_iter().map(|cell| view! { <Cell cell/> }).collect_view()}
        </tr>
    })
}

#[component]
fn Cell(cell: MatrixCell) -> impl IntoView {
    let data = match (cell.passed, cell.attempts) {
        (true, _) => "pass",
        (false, 0) => "none",
        (false, _) => "part",
    };
    let score = move || match cell.best_score {
        Some(score) => Either::Left(view! {
            {if cell.passed { Either::Left(view! { <Icon glyph=Glyph::Check/> }) } else { Either::Right(view! { <span class="gap"></span> }) }}
            <b>{score}</b>
            <span class="sr">{if cell.passed { " passed, " } else { " not passed, " }}</span>
            <small>{cell.attempts}"×"</small>
        }),
        None => Either::Right(view! { <span class="faint">"–"</span> }),
    };
    whole(view! {
        <td class="cell" data-mark=data>
            {match cell.report_href.clone() {
                Some(href) => Either::Left(view! { <a href=href title="The best attempt's report">{score()}</a> }),
                None => Either::Right(score()),
            }}
            {cell.live.then(|| view! { <span class="live" title="In the lab now"><i></i><span class="sr">"in the lab now"</span></span> })}
        </td>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, score: Option<u8>, live: bool) -> MatrixRow {
        MatrixRow {
            account: 1,
            name: name.into(),
            email: format!("{name}@example.org"),
            last_seen: None,
            lessons_done: 0,
            cells: vec![MatrixCell { best_score: score, passed: false, attempts: 0, live, report_href: None }],
        }
    }

    #[test]
    fn rows_are_filtered_and_sorted() {
        let matrix = Matrix {
            labs: vec![],
            students: vec![row("bea", Some(20), false), row("Ada", None, true), row("cy", Some(90), true)],
        };
        let names =
            |text, live, order| arranged(&matrix, text, live, order).into_iter().map(|r| r.name).collect::<Vec<_>>();
        assert_eq!(names("", false, Order::Name), ["Ada", "bea", "cy"]);
        assert_eq!(names("", false, Order::Lab(0)), ["cy", "bea", "Ada"]);
        assert_eq!(names(" ADA@ ", false, Order::Name), ["Ada"]);
        assert_eq!(names("", true, Order::Name), ["Ada", "cy"]);
    }
}
