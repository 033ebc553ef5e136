//! Sandboxes, living servers, keys.

use std::time::Duration;

use bulkhead::{
    live::sandboxes::{change::Hand, phase::Phase},
    store::{AccountId, NewAccount, Sandbox, ServerId, StoreError},
};
use bulkhead_app::api::Role;
use bulkhead_labs::engine::SandboxId;

use crate::engine::Fresh;

pub(crate) async fn account(fresh: &Fresh, name: &str) -> AccountId {
    let new = NewAccount {
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        role: Role::Student,
        password_hash: None,
        at: fresh.now(),
    };
    fresh.store.accounts().insert(&new).await.expect("an account").id
}

pub(crate) fn sandbox(fresh: &Fresh, id: &str, account: AccountId, lab: &str) -> Sandbox {
    let server = ServerId::new("server".to_owned());
    let hand = Hand { server: &server, now: fresh.now() };
    Sandbox::first(SandboxId::parse(id).expect("an id"), account, lab, hand)
}

pub(crate) async fn a_sandbox_is_found_again_as_it_was(fresh: Fresh) {
    let ada = account(&fresh, "ada").await;
    let table = fresh.store.sandboxes();
    let mut row = sandbox(&fresh, "one", ada, "lab");
    table.insert(&row).await.expect("a row");
    assert_eq!(table.of(ada, "lab").await.expect("asked"), Some(row.clone()));
    row.phase = Phase::Ready;
    row.deadline = None;
    row.ready_at = Some(fresh.now());
    row.expires_at = Some(fresh.now().plus(Duration::from_hours(1)));
    row.extensions = 2;
    row.warned = Some(10);
    row.error = Some("none \"really\"".to_owned());
    row.timeline.enter(Phase::Creating, 7);
    let written = table.replace(row.fence, row.clone()).await.expect("asked").expect("written");
    assert_eq!(written, Sandbox { fence: row.fence + 1, ..row });
    assert_eq!(table.by_id(&written.id).await.expect("asked"), Some(written));
    assert_eq!(table.by_id(&SandboxId::parse("other").expect("an id")).await.expect("asked"), None);
}

pub(crate) async fn one_for_each_account_and_lab(fresh: Fresh) {
    let (ada, bob) = (account(&fresh, "ada").await, account(&fresh, "bob").await);
    let table = fresh.store.sandboxes();
    table.insert(&sandbox(&fresh, "one", ada, "lab")).await.expect("a row");
    let second = table.insert(&sandbox(&fresh, "two", ada, "lab")).await;
    assert!(matches!(second, Err(StoreError::Taken { .. })), "{second:?}");
    let same = table.insert(&sandbox(&fresh, "one", bob, "lab")).await;
    assert!(matches!(same, Err(StoreError::Taken { .. })), "{same:?}");
    table.insert(&sandbox(&fresh, "three", ada, "other")).await.expect("another lab");
    table.insert(&sandbox(&fresh, "four", bob, "lab")).await.expect("another account");
    let mut open = table.open_labs().await.expect("asked");
    open.sort();
    assert_eq!(open, [(ada, "lab".to_owned()), (ada, "other".to_owned()), (bob, "lab".to_owned())]);
}

pub(crate) async fn of_two_who_write_one_wins(fresh: Fresh) {
    let ada = account(&fresh, "ada").await;
    let row = sandbox(&fresh, "one", ada, "lab");
    fresh.store.sandboxes().insert(&row).await.expect("a row");
    let racers = (0..12).map(|number| {
        let (store, row) = (fresh.store.clone(), row.clone());
        tokio::spawn(async move {
            let server = ServerId::new(format!("server {number}"));
            let taken = row.enter(Phase::Creating, Hand { server: &server, now: row.since });
            store.sandboxes().replace(row.fence, taken).await.expect("asked")
        })
    });
    let racers: Vec<_> = racers.collect();
    let mut winners = Vec::new();
    for racer in racers {
        winners.extend(racer.await.expect("raced"));
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(fresh.store.sandboxes().of(ada, "lab").await.expect("asked"), winners.pop());
}

pub(crate) async fn the_queue_has_an_order(fresh: Fresh) {
    let table = fresh.store.sandboxes();
    let mut rows = Vec::new();
    for name in ["a", "b", "c"] {
        let row = sandbox(&fresh, name, account(&fresh, name).await, "lab");
        table.insert(&row).await.expect("a row");
        rows.push(row);
        if name == "b" {
            fresh.clock.advance(Duration::from_secs(1));
        }
    }
    // Two came in the same moment; their ids decide.
    for (row, before) in rows.iter().zip([0, 1, 2]) {
        assert_eq!(table.place(row).await.expect("asked"), before);
    }
    let stopped = rows[0].enter(Phase::Stopped, Hand { server: &rows[0].owner, now: fresh.now() });
    table.replace(rows[0].fence, stopped).await.expect("asked").expect("written");
    assert_eq!(table.place(&rows[2]).await.expect("asked"), 1);
    let alive: Vec<_> = table.alive().await.expect("asked").into_iter().map(|row| row.id.to_string()).collect();
    assert_eq!(alive, ["b", "c"]);
}

pub(crate) async fn servers_are_alive_while_they_say_so(fresh: Fresh) {
    let table = fresh.store.sandboxes();
    let (one, two) = (ServerId::new("one".to_owned()), ServerId::new("two".to_owned()));
    let within = Duration::from_secs(20);
    table.beat(&one, fresh.now()).await.expect("a beat");
    fresh.clock.advance(Duration::from_secs(15));
    table.beat(&two, fresh.now()).await.expect("a beat");
    table.beat(&two, fresh.now()).await.expect("another");
    assert_eq!(table.servers(fresh.now(), within).await.expect("asked").len(), 2);
    fresh.clock.advance(Duration::from_secs(10));
    assert_eq!(table.servers(fresh.now(), within).await.expect("asked"), std::slice::from_ref(&two));
    table.beat(&one, fresh.now()).await.expect("back again");
    table.leave(Some(&two)).await.expect("left");
    assert_eq!(table.servers(fresh.now(), within).await.expect("asked"), [one]);
    table.leave(None).await.expect("all left");
    assert_eq!(table.servers(fresh.now(), within).await.expect("asked"), []);
}

pub(crate) async fn a_key_is_made_once(fresh: Fresh) {
    let table = fresh.store.sandboxes();
    assert_eq!(table.key("course", "first").await.expect("a key"), "first");
    assert_eq!(table.key("course", "second").await.expect("a key"), "first");
    assert_eq!(table.key("other", "second").await.expect("a key"), "second");
}

pub(crate) async fn everything_goes_with_its_account(fresh: Fresh) {
    let ada = account(&fresh, "ada").await;
    let row = sandbox(&fresh, "one", ada, "lab");
    fresh.store.sandboxes().insert(&row).await.expect("a row");
    let state = fresh.store.lab_state();
    state.put_answer(&row.id, 1, "check", "text", fresh.now()).await.expect("an answer");
    // An answer needs its sandbox.
    let stray = SandboxId::parse("stray").expect("an id");
    let refused = state.put_answer(&stray, 1, "check", "text", fresh.now()).await;
    assert!(matches!(refused, Err(StoreError::Orphan)), "{refused:?}");
    let unowned = sandbox(&fresh, "two", AccountId::new(999), "lab");
    let refused = fresh.store.sandboxes().insert(&unowned).await;
    assert!(matches!(refused, Err(StoreError::Orphan)), "{refused:?}");
}
