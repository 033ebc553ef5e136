//! One file per page. A page is a view of data that it gets whole; what moves in it is an island.

mod about;
mod account;
mod class;
mod glossary;
mod lab;
mod labs;
mod lesson;
mod outline;
mod print;
mod problem;
mod progress;
mod search;
mod sign;
mod test;

use leptos::prelude::*;

use crate::{api::Caller, page::Page};

pub(crate) fn body(page: Page, caller: Caller, path: String) -> AnyView {
    match page {
        Page::Outline(outline) => view! { <outline::OutlineView outline caller/> }.into_any(),
        Page::Lesson { lesson, outline } => view! { <lesson::LessonView lesson outline caller/> }.into_any(),
        Page::Search { query, hits } => view! { <search::SearchView query hits/> }.into_any(),
        Page::Summary(sheet) => view! { <print::SummaryView sheet/> }.into_any(),
        Page::Print(course) => view! { <print::PrintView course/> }.into_any(),
        Page::Glossary(terms) => view! { <glossary::GlossaryView terms/> }.into_any(),
        Page::Test(test) => view! { <test::TestView test/> }.into_any(),
        Page::Labs(labs) => view! { <labs::LabsView labs/> }.into_any(),
        Page::Lab(lab) => view! { <lab::LabView lab caller/> }.into_any(),
        Page::Progress(progress) => view! { <progress::ProgressView progress/> }.into_any(),
        Page::Class(matrix) => view! { <class::ClassView matrix/> }.into_any(),
        Page::Account { sessions, typed, error } => {
            view! { <account::AccountView caller sessions typed error/> }.into_any()
        }
        Page::SignIn(form) => view! { <sign::SignIn form/> }.into_any(),
        Page::SignUp(form) => view! { <sign::SignUp form/> }.into_any(),
        Page::About { version, parts } => view! { <about::AboutView version parts/> }.into_any(),
        Page::Problem(error) => view! { <problem::ProblemView error path/> }.into_any(),
    }
}

impl Page {
    /// What stands before the product's name in the window's title; `None` for the course itself.
    pub(crate) fn title(&self) -> Option<String> {
        Some(match self {
            Self::Outline(_) => return None,
            Self::Lesson { lesson, .. } => lesson.title.clone(),
            Self::Search { query, .. } if query.is_empty() => "Search".into(),
            Self::Search { query, .. } => format!("{query} - search"),
            Self::Summary(sheet) => sheet.title.clone(),
            Self::Print(_) => "The whole course".into(),
            Self::Glossary(_) => "Glossary".into(),
            Self::Test(test) => test.title.clone(),
            Self::Labs(_) => "Labs".into(),
            Self::Lab(lab) => lab.title.clone(),
            Self::Progress(_) => "My progress".into(),
            Self::Class(_) => "Class".into(),
            Self::Account { .. } => "Account".into(),
            Self::SignIn(_) => "Sign in".into(),
            Self::SignUp(_) => "Create an account".into(),
            Self::About { .. } => "About and licences".into(),
            Self::Problem(error) => problem::title(error).into(),
        })
    }
}
