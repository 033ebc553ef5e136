//! Every route with the least role that may use it. The router is built from this table, and a test walks it.

use std::sync::Arc;

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use bulkhead_app::api::Role;

use super::{api, form, health, page, site};
use crate::{backend::Platform, live};

/// Who may call a route. Finer rules (whose sandbox, whose report) are the handler's, and it answers 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Anyone,
    AtLeast(Role),
}

impl Access {
    pub const STUDENT: Self = Self::AtLeast(Role::Student);
    pub const INSTRUCTOR: Self = Self::AtLeast(Role::Instructor);
    pub const ADMIN: Self = Self::AtLeast(Role::Admin);
}

pub struct Route {
    pub method: Method,
    /// As axum writes it: `/labs/{id}`.
    pub path: &'static str,
    pub access: Access,
    /// Answers without knowing who asks; no session is looked up.
    pub(super) impersonal: bool,
    pub(super) handler: MethodRouter<Arc<Platform>>,
}

impl Route {
    pub fn get<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Arc<Platform>>) -> Self {
        Self { method: Method::GET, path, access, impersonal: false, handler: on(MethodFilter::GET, handler) }
    }

    pub fn post<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Arc<Platform>>) -> Self {
        Self { method: Method::POST, path, access, impersonal: false, handler: on(MethodFilter::POST, handler) }
    }

    fn impersonal<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<Platform>>) -> Self {
        Self { impersonal: true, ..Self::get(path, Access::Anyone, handler) }
    }
}

/// The least role of each of the app's server functions.
pub const SERVER_FUNCTION_ACCESS: &[(&str, Access)] = &[
    ("/api/start_lab", Access::STUDENT),
    ("/api/extend_lab", Access::STUDENT),
    ("/api/reset_lab", Access::STUDENT),
    ("/api/stop_lab", Access::STUDENT),
    ("/api/check_lab", Access::STUDENT),
    ("/api/hint", Access::STUDENT),
    ("/api/answer", Access::STUDENT),
    ("/api/open_terminal", Access::STUDENT),
    ("/api/close_terminal", Access::STUDENT),
    ("/api/submit_quiz", Access::STUDENT),
    ("/api/class_matrix", Access::INSTRUCTOR),
];

/// All routes of the platform.
pub fn table() -> Vec<Route> {
    let mut routes = vec![
        Route::impersonal("/healthz", health::check),
        Route::impersonal("/assets/{*path}", site::asset),
        Route::impersonal("/pkg/{*path}", site::package),
        Route::get("/", Access::Anyone, page::outline::show),
        Route::get("/learn/{module}/{lesson}", Access::Anyone, page::lesson::show),
        Route::post("/learn/{module}/{lesson}/quiz", Access::STUDENT, form::quiz::submit),
        Route::get("/learn/{module}/test", Access::STUDENT, page::test::module),
        Route::post("/learn/{module}/test", Access::STUDENT, form::test::hand_in_module),
        Route::post("/learn/{module}/test/new", Access::STUDENT, form::test::draw_module),
        Route::get("/test", Access::STUDENT, page::test::course),
        Route::post("/test", Access::STUDENT, form::test::hand_in_course),
        Route::post("/test/new", Access::STUDENT, form::test::draw_course),
        Route::get("/learn/{module}/summary", Access::Anyone, page::print::summary),
        Route::get("/print", Access::Anyone, page::print::course),
        Route::get("/glossary", Access::Anyone, page::glossary::show),
        Route::get("/search", Access::Anyone, page::search::show),
        Route::get("/labs", Access::Anyone, page::labs::show),
        Route::get("/labs/{id}", Access::Anyone, page::lab::show),
        Route::get("/labs/{id}/report/{attempt}", Access::STUDENT, page::report::show),
        Route::get("/progress", Access::STUDENT, page::progress::show),
        Route::get("/class", Access::INSTRUCTOR, page::class::show),
        Route::get("/about", Access::Anyone, page::about::show),
        Route::get("/sign-in", Access::Anyone, page::sign_in::show),
        Route::post("/sign-in", Access::Anyone, form::sign_in::submit),
        Route::get("/sign-up", Access::Anyone, page::sign_up::show),
        Route::post("/sign-up", Access::Anyone, form::sign_up::submit),
        Route::post("/sign-out", Access::Anyone, form::sign_out::submit),
        Route::get("/account", Access::STUDENT, page::account::show),
        Route::post("/account/name", Access::STUDENT, form::account_name::submit),
        Route::post("/account/password", Access::STUDENT, form::account_password::submit),
        Route::post("/account/sessions/end", Access::STUDENT, form::account_session::submit),
    ];
    routes.extend(bulkhead_app::SERVER_FUNCTIONS.iter().map(|path| {
        let listed = SERVER_FUNCTION_ACCESS.iter().find(|(listed, _)| listed == path);
        // One that nobody thought about is nobody's.
        Route::post(path, listed.map_or(Access::ADMIN, |(_, access)| *access), api::call)
    }));
    routes.extend(live::routes());
    routes
}
