//! Every route with the least role that may use it. The router is built from this table, and a test walks it.

use std::sync::Arc;

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use bulkhead_app::api::Role;

use crate::backend::Platform;

/// Who may call a route. Finer rules (whose sandbox, whose report) are the handler's, and it answers 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Anyone,
    AtLeast(Role),
}

impl Access {
    pub const STUDENT: Self = Self::AtLeast(Role::Student);
    pub const INSTRUCTOR: Self = Self::AtLeast(Role::Instructor);
}

pub struct Route {
    pub method: Method,
    /// As axum writes it: `/labs/{id}`.
    pub path: &'static str,
    pub access: Access,
    pub(super) handler: MethodRouter<Arc<Platform>>,
}

impl Route {
    pub fn get<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Arc<Platform>>) -> Self {
        Self { method: Method::GET, path, access, handler: on(MethodFilter::GET, handler) }
    }

    pub fn post<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Arc<Platform>>) -> Self {
        Self { method: Method::POST, path, access, handler: on(MethodFilter::POST, handler) }
    }
}
