//! An instructor at a student's terminal: what he does there is written down before it is done.

use std::sync::Arc;

use bulkhead_app::api::ApiResult;
use serde_json::json;

use crate::{
    backend::{Fault, Platform},
    store::{AccountId, Sandbox},
};

pub(super) struct Guest {
    platform: Arc<Platform>,
    instructor: AccountId,
    student: AccountId,
    detail: serde_json::Value,
}

impl Guest {
    pub(super) fn new(platform: Arc<Platform>, instructor: AccountId, row: &Sandbox, terminal: u32) -> Self {
        let detail = json!({ "lab": row.lab, "sandbox": row.id.to_string(), "terminal": terminal });
        Self { platform, instructor, student: row.account, detail }
    }

    pub(super) async fn watches(&self) -> ApiResult<()> {
        self.note("terminal.watch").await
    }

    pub(super) async fn takes_the_keyboard(&self) -> ApiResult<()> {
        self.note("terminal.claim").await
    }

    async fn note(&self, action: &str) -> ApiResult<()> {
        let entry = self.platform.accounts.audit(Some(self.instructor), action, self.student, self.detail.clone());
        entry.await.map_err(Fault::shown)
    }
}
