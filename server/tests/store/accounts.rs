//! Accounts.

use bulkhead::store::{NewAccount, StoreError, handle_of};
use bulkhead_app::api::Role;

use crate::{engine::Fresh, sessions};

pub(crate) fn ada(fresh: &Fresh) -> NewAccount {
    NewAccount {
        email: "ada@example.org".to_owned(),
        name: "Ada".to_owned(),
        role: Role::Student,
        password_hash: Some("$argon2id$first".to_owned()),
        at: fresh.now(),
    }
}

pub(crate) async fn an_account_is_found_again(fresh: Fresh) {
    let table = fresh.store.accounts();
    let made = table.insert(&NewAccount { role: Role::Instructor, ..ada(&fresh) }).await.expect("inserted");
    assert_eq!((made.role, made.created_at, made.last_seen_at), (Role::Instructor, fresh.now(), None));
    assert_eq!(table.by_id(made.id).await.expect("asked"), Some(made.clone()));
    let found = table.credentials("ada@example.org").await.expect("asked").expect("found");
    assert_eq!((found.account, found.password_hash.as_deref()), (made.clone(), Some("$argon2id$first")));

    assert!(table.rename(made.id, "Ada Lovelace").await.expect("renamed"));
    assert!(table.set_role(made.id, Role::Admin).await.expect("changed"));
    let changed = table.by_id(made.id).await.expect("asked").expect("found");
    assert_eq!((changed.name.as_str(), changed.role), ("Ada Lovelace", Role::Admin));

    let local = NewAccount {
        email: "learner@localhost".to_owned(),
        name: "Bob".to_owned(),
        password_hash: None,
        ..ada(&fresh)
    };
    table.insert(&local).await.expect("inserted");
    let found = table.credentials("learner@localhost").await.expect("asked").expect("found");
    assert_eq!(found.password_hash, None);
    let names: Vec<String> = table.list().await.expect("listed").into_iter().map(|account| account.name).collect();
    assert_eq!(names, ["Ada Lovelace", "Bob"]);
}

pub(crate) async fn an_email_belongs_to_one_account(fresh: Fresh) {
    fresh.store.accounts().insert(&ada(&fresh)).await.expect("inserted");
    let again = fresh.store.accounts().insert(&ada(&fresh)).await;
    assert!(matches!(&again, Err(StoreError::Taken { field }) if field == "email"), "{again:?}");
}

pub(crate) async fn racing_sign_ups_make_one_account(fresh: Fresh) {
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (store, new) = (fresh.store.clone(), ada(&fresh));
            tokio::spawn(async move { store.accounts().insert(&new).await })
        })
        .collect();
    let mut made = 0;
    for each in tries {
        match each.await.expect("no panic") {
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error, StoreError::Taken { .. }), "{error:?}"),
        }
    }
    assert_eq!(made, 1);
}

pub(crate) async fn unknown_accounts_are_nothing(fresh: Fresh) {
    let table = fresh.store.accounts();
    let made = table.insert(&ada(&fresh)).await.expect("inserted");
    let nobody = bulkhead::store::AccountId::new(made.id.get() + 1);
    assert_eq!(table.by_id(nobody).await.expect("asked"), None);
    assert!(table.by_email("Ada@example.org").await.expect("asked").is_none(), "only the normal form is kept");
    assert!(!table.rename(nobody, "x").await.expect("asked"));
    assert!(!table.set_role(nobody, Role::Admin).await.expect("asked"));
    assert!(!table.set_password(nobody, "x", None).await.expect("asked"));
}

pub(crate) async fn a_new_password_ends_the_other_sessions(fresh: Fresh) {
    let table = fresh.store.accounts();
    let ada = table.insert(&ada(&fresh)).await.expect("inserted");
    let bob = NewAccount { email: "bob@example.org".to_owned(), ..self::ada(&fresh) };
    let bob = table.insert(&bob).await.expect("inserted");
    let mine = sessions::begin(&fresh, ada.id).await;
    let other = sessions::begin(&fresh, ada.id).await;
    let bobs = sessions::begin(&fresh, bob.id).await;

    assert!(table.set_password(ada.id, "$argon2id$second", Some(&handle_of(mine.id))).await.expect("changed"));
    let stored = table.credentials_by_id(ada.id).await.expect("asked").expect("found").password_hash;
    assert_eq!(stored.as_deref(), Some("$argon2id$second"));
    let lives = async |record: &tower_sessions::session::Record| {
        fresh.store.sessions().signed_in(&handle_of(record.id), fresh.now()).await.expect("asked").is_some()
    };
    assert!(lives(&mine).await && lives(&bobs).await && !lives(&other).await);

    assert!(table.set_password(ada.id, "$argon2id$third", None).await.expect("changed"));
    assert!(!lives(&mine).await && lives(&bobs).await);
}
