//! One handler per page. A page that cannot be drawn from the present edition says so, and comes back by itself.

use std::sync::Arc;

use axum::{
    extract::{OriginalUri, Path, Query, State},
    http::Uri,
    response::Response,
};
use bulkhead_app::{
    Assets, Page, PageRequest,
    api::{Account, ApiError, ApiResult, Caller, Role},
};
use bulkhead_content::Course;
use serde::Deserialize;

use super::{Edition, Preview, frame};
use crate::{
    backend::{
        course::{Reader, Shelf, open_quiz},
        print, test,
    },
    http::response,
};

const ELSEWHERE: &str = "The preview shows what is read. Labs, progress and accounts need `bulkhead serve`.";

pub(super) async fn outline(State(preview): State<Arc<Preview>>, uri: OriginalUri) -> Response {
    preview.show(
        uri,
        |_| true,
        |shelf, reader| {
            let tests = test::offered(shelf.course, reader, &[]);
            Ok(Page::Outline(shelf.outline(reader, &tests)))
        },
    )
}

pub(super) async fn lesson(
    State(preview): State<Arc<Preview>>,
    uri: OriginalUri,
    Path((module, lesson)): Path<(String, String)>,
) -> Response {
    let folder = format!("{module}/{lesson}/");
    preview.show(
        uri,
        |file| file.starts_with(&folder),
        |shelf, reader| {
            let placed = shelf.find(reader, folder.trim_end_matches('/'))?;
            let quiz = open_quiz(placed.lesson);
            let outline = shelf.outline(reader, &test::offered(shelf.course, reader, &[]));
            Ok(Page::Lesson { lesson: shelf.lesson(reader, &placed, quiz), outline })
        },
    )
}

pub(super) async fn summary(
    State(preview): State<Arc<Preview>>,
    uri: OriginalUri,
    Path(module): Path<String>,
) -> Response {
    let folder = format!("{module}/");
    preview.show(
        uri,
        |file| file.starts_with(&folder),
        |shelf, reader| print::summary(shelf, reader, &module).map(Page::Summary),
    )
}

pub(super) async fn test_of_module(
    State(preview): State<Arc<Preview>>,
    uri: OriginalUri,
    Path(module): Path<String>,
) -> Response {
    let file = format!("{module}/test.md");
    preview.show(
        uri,
        |other| other == file,
        |shelf, reader| test::whole(shelf.course, reader, Some(&module), None).map(Page::Test),
    )
}

pub(super) async fn test_of_course(State(preview): State<Arc<Preview>>, uri: OriginalUri) -> Response {
    preview.show(uri, |_| false, |shelf, reader| test::whole(shelf.course, reader, None, None).map(Page::Test))
}

pub(super) async fn print(State(preview): State<Arc<Preview>>, uri: OriginalUri) -> Response {
    preview.show(uri, |_| true, |shelf, reader| Ok(Page::Print(print::whole_course(shelf, reader))))
}

pub(super) async fn glossary(State(preview): State<Arc<Preview>>, uri: OriginalUri) -> Response {
    preview.show(uri, |file| file == "glossary.toml", |shelf, reader| Ok(Page::Glossary(shelf.glossary(reader))))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

pub(super) async fn search(
    State(preview): State<Arc<Preview>>,
    uri: OriginalUri,
    Query(Asked { q }): Query<Asked>,
) -> Response {
    let query = q.trim().to_owned();
    preview.show(uri, |_| false, |shelf, reader| Ok(Page::Search { hits: shelf.search(reader, &query), query }))
}

pub(super) async fn elsewhere(State(preview): State<Arc<Preview>>, uri: OriginalUri) -> Response {
    preview.show(uri, |_| false, |_, _| Err(ApiError::Conflict { message: ELSEWHERE.to_owned() }))
}

impl Preview {
    /// `mine` says which files the page is made of.
    pub(super) fn show(
        &self,
        OriginalUri(uri): OriginalUri,
        mine: impl Fn(&str) -> bool,
        page: impl FnOnce(Shelf<'_>, &Reader) -> ApiResult<Page>,
    ) -> Response {
        let edition = self.edition();
        let page = self.read(&edition, page).or_else(|error| broken(&edition, &mine).map_err(|()| error));
        let is_broken = matches!(&page, Ok(Page::Problem(_)));
        let rendered = bulkhead_app::render(self.request(&uri, page.unwrap_or_else(Page::Problem)));
        let findings = edition.concerning(mine);
        response(frame::framed(rendered, &self.name(edition.number), is_broken, &findings))
    }

    /// Draws from the present edition, for whoever writes the course.
    pub(super) fn read<T>(
        &self,
        edition: &Edition,
        draw: impl FnOnce(Shelf<'_>, &Reader) -> ApiResult<T>,
    ) -> ApiResult<T> {
        let course: &Course = edition.course.as_ref().ok_or(ApiError::NotFound)?;
        draw(Shelf { course, labs: &self.labs }, &Reader::author())
    }

    fn request(&self, uri: &Uri, page: Page) -> PageRequest {
        let account = Account { id: 0, email: String::new(), name: "Author".to_owned(), role: Role::Student };
        PageRequest {
            caller: Caller { account: Some(account), local: true, session: None },
            path: uri.path().to_owned(),
            query: String::new(),
            assets: Assets::new(self.site.version()),
            page,
        }
    }
}

/// The page in place of one that an error in its files keeps from being drawn; none where there is no such error.
fn broken(edition: &Edition, mine: impl Fn(&str) -> bool) -> Result<Page, ()> {
    let error =
        edition.findings.iter().find(|f| f.is_error() && (edition.course.is_none() || mine(&f.file))).ok_or(())?;
    let message = format!(
        "{}:{}: {}. The page comes back by itself when the file is right.",
        error.file, error.line, error.message
    );
    Ok(Page::Problem(ApiError::Conflict { message }))
}
