//! Opening, and what transactions and constraints guarantee.

use bulkhead::store::{AccountId, NewAccount, Store, StoreError};

use crate::{accounts::ada, engine::Fresh};

pub(crate) async fn opening_twice_changes_nothing(fresh: Fresh) {
    let made = fresh.store.accounts().insert(&ada(&fresh)).await.expect("inserted");
    let second = Store::open(&fresh.url).await.expect("opens again");
    assert_eq!(second.accounts().by_id(made.id).await.expect("asked"), Some(made));
    second.ping().await.expect("answers");
    second.close().await;
}

pub(crate) async fn a_transaction_is_all_or_nothing(fresh: Fresh) {
    let made = fresh.store.accounts().insert(&ada(&fresh)).await.expect("inserted");
    let mut transaction = fresh.store.begin().await.expect("begun");
    sqlx::query("UPDATE accounts SET name = 'Eve'").execute(&mut *transaction).await.expect("updated");
    drop(transaction);
    assert_eq!(fresh.store.accounts().by_id(made.id).await.expect("asked").expect("found").name, "Ada");
}

/// Many read what they then change; none may fail for want of a lock, none may be lost.
pub(crate) async fn writers_wait_for_each_other(fresh: Fresh) {
    let account =
        fresh.store.accounts().insert(&NewAccount { name: "0".to_owned(), ..ada(&fresh) }).await.expect("inserted");
    let writers: Vec<_> = (0..12)
        .map(|_| {
            let store = fresh.store.clone();
            tokio::spawn(async move {
                let mut transaction = store.begin().await.expect("begun");
                // The first statement takes the row's lock on PostgreSQL; SQLite's writer has the whole file.
                sqlx::query("UPDATE accounts SET created_at = created_at + 1 WHERE id = $1")
                    .bind(account.id.get())
                    .execute(&mut *transaction)
                    .await
                    .expect("locked");
                let (name,): (String,) = sqlx::query_as("SELECT name FROM accounts WHERE id = $1")
                    .bind(account.id.get())
                    .fetch_one(&mut *transaction)
                    .await
                    .expect("read");
                let next: u32 = name.parse::<u32>().expect("a number") + 1;
                sqlx::query("UPDATE accounts SET name = $2 WHERE id = $1")
                    .bind(account.id.get())
                    .bind(next.to_string())
                    .execute(&mut *transaction)
                    .await
                    .expect("written");
                transaction.commit().await.expect("committed");
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no writer failed");
    }
    assert_eq!(fresh.store.accounts().by_id(account.id).await.expect("asked").expect("found").name, "12");
}

pub(crate) async fn a_row_needs_what_it_belongs_to(fresh: Fresh) {
    let nobody = AccountId::new(404);
    let marked = fresh.store.reading().mark_read(nobody, "caps", fresh.now()).await;
    assert!(matches!(marked, Err(StoreError::Orphan)), "{marked:?}");
}
