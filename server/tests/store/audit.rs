//! Privileged acts.

use bulkhead::store::{AccountId, Entry};
use serde_json::json;

use crate::engine::Fresh;

pub(crate) async fn entries_come_back_latest_first(fresh: Fresh) {
    let entry = |actor, action: &str| Entry {
        at: fresh.now(),
        actor,
        action: action.to_owned(),
        subject: "account 7".to_owned(),
        detail: json!({ "to": "admin" }),
    };
    let first = entry(None, "account.create");
    let second = entry(Some(AccountId::new(3)), "account.role");
    fresh.store.audit().append(&first).await.expect("written");
    fresh.store.audit().append(&second).await.expect("written");
    assert_eq!(fresh.store.audit().latest(10).await.expect("read"), [second.clone(), first]);
    assert_eq!(fresh.store.audit().latest(1).await.expect("read"), [second]);
}
