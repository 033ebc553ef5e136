//! Web sessions, as tower-sessions and the rules use them.

use std::{collections::HashMap, time::Duration};

use bulkhead::store::{AccountId, Sessions, handle_of};
use serde_json::json;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

use crate::{accounts::ada, engine::Fresh};

const DAY: Duration = Duration::from_hours(24);

fn sessions(fresh: &Fresh) -> Sessions {
    Sessions::new(fresh.store.clone(), fresh.clock.clone())
}

fn record(account: Option<AccountId>) -> Record {
    let mut data = HashMap::from([("agent".to_owned(), json!("a browser"))]);
    if let Some(account) = account {
        data.insert("account".to_owned(), json!(account.get()));
    }
    // What tower-sessions thinks about the expiry is not asked.
    Record { id: Id::default(), data, expiry_date: time::OffsetDateTime::UNIX_EPOCH }
}

pub(crate) async fn begin(fresh: &Fresh, account: AccountId) -> Record {
    let mut record = record(Some(account));
    sessions(fresh).create(&mut record).await.expect("created");
    record
}

async fn account(fresh: &Fresh) -> AccountId {
    fresh.store.accounts().insert(&ada(fresh)).await.expect("inserted").id
}

async fn lives(fresh: &Fresh, record: &Record) -> bool {
    let known = fresh.store.sessions().signed_in(&handle_of(record.id), fresh.now()).await.expect("asked").is_some();
    let loaded = sessions(fresh).load(&record.id).await.expect("loaded").is_some();
    assert_eq!(known, loaded, "both ways to look at a session agree");
    known
}

pub(crate) async fn a_session_keeps_its_data(fresh: Fresh) {
    let ada = account(&fresh).await;
    let mut record = begin(&fresh, ada).await;
    record.data.insert("more".to_owned(), json!([1, 2]));
    sessions(&fresh).save(&record).await.expect("saved");
    let loaded = sessions(&fresh).load(&record.id).await.expect("loaded").expect("there");
    assert_eq!((loaded.id, loaded.data), (record.id, record.data.clone()));

    let signed_in = fresh.store.sessions().signed_in(&handle_of(record.id), fresh.now()).await.expect("asked");
    let signed_in = signed_in.expect("signed in");
    assert_eq!((signed_in.account.id, signed_in.account.email.as_str()), (ada, "ada@example.org"));
    let listed = fresh.store.sessions().of_account(ada, fresh.now()).await.expect("listed");
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].handle.clone(), listed[0].user_agent.as_str()), (handle_of(record.id), "a browser"));
}

pub(crate) async fn a_session_is_not_kept_under_its_id(fresh: Fresh) {
    let ada = account(&fresh).await;
    let record = begin(&fresh, ada).await;
    let handle = handle_of(record.id);
    assert!(!handle.contains(&record.id.to_string()) && !record.id.to_string().contains(&handle));
    assert_eq!(
        fresh.store.sessions().signed_in(&record.id.to_string(), fresh.now()).await.expect("asked").map(|_| ()),
        None
    );
}

pub(crate) async fn colliding_ids_make_two_sessions(fresh: Fresh) {
    let ada = account(&fresh).await;
    let first = begin(&fresh, ada).await;
    let mut second = Record { id: first.id, ..record(Some(ada)) };
    sessions(&fresh).create(&mut second).await.expect("created");
    assert_ne!(first.id, second.id);
    assert!(lives(&fresh, &first).await && lives(&fresh, &second).await);
}

pub(crate) async fn an_ended_session_does_not_rise_again(fresh: Fresh) {
    let ada = account(&fresh).await;
    let record = begin(&fresh, ada).await;
    let other = AccountId::new(ada.get() + 1);
    assert!(!fresh.store.sessions().end(other, &handle_of(record.id)).await.expect("asked"), "not his to end");
    assert!(lives(&fresh, &record).await);
    assert!(fresh.store.sessions().end(ada, &handle_of(record.id)).await.expect("asked"));
    // A request that was under way writes its session back.
    sessions(&fresh).save(&record).await.expect("saved");
    assert!(!lives(&fresh, &record).await);
}

pub(crate) async fn a_session_ends_after_two_idle_weeks(fresh: Fresh) {
    let ada = account(&fresh).await;
    let record = begin(&fresh, ada).await;
    fresh.clock.advance(DAY * 13);
    assert!(lives(&fresh, &record).await);
    fresh.store.sessions().touch(&handle_of(record.id), ada, fresh.now()).await.expect("touched");
    let seen = fresh.store.accounts().by_id(ada).await.expect("asked").expect("found").last_seen_at;
    assert_eq!(seen, Some(fresh.now()));
    fresh.clock.advance(DAY * 13);
    assert!(lives(&fresh, &record).await, "it was used meanwhile");
    fresh.clock.advance(DAY * 2);
    assert!(!lives(&fresh, &record).await);
    assert!(fresh.store.sessions().of_account(ada, fresh.now()).await.expect("listed").is_empty());
}

pub(crate) async fn a_session_ends_after_two_months_of_use(fresh: Fresh) {
    let ada = account(&fresh).await;
    let record = begin(&fresh, ada).await;
    for day in 1..=60 {
        assert!(lives(&fresh, &record).await, "day {day}");
        fresh.store.sessions().touch(&handle_of(record.id), ada, fresh.now()).await.expect("touched");
        fresh.clock.advance(DAY);
    }
    assert!(!lives(&fresh, &record).await);
}

pub(crate) async fn sessions_go_with_their_account(fresh: Fresh) {
    let ada = account(&fresh).await;
    let record = begin(&fresh, ada).await;
    begin(&fresh, ada).await;
    assert_eq!(fresh.store.sessions().end_all(ada).await.expect("ended"), 2);
    assert!(!lives(&fresh, &record).await);
}

pub(crate) async fn purging_leaves_what_lives(fresh: Fresh) {
    let ada = account(&fresh).await;
    let old = begin(&fresh, ada).await;
    fresh.clock.advance(DAY * 10);
    let young = begin(&fresh, ada).await;
    fresh.clock.advance(DAY * 5);
    assert_eq!(fresh.store.sessions().purge(fresh.now()).await.expect("purged"), 1);
    assert!(!lives(&fresh, &old).await && lives(&fresh, &young).await);
}
