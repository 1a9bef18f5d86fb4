//! Search answers the same questions the same way on both databases.
#![allow(clippy::unwrap_used)]

mod shelf;

use model::{MailboxId, MessageId, Time};
use shelf::Shelf;
use store::people::Access;
use store::search::{Field, Found, IndexRow, Query, Search, find, forget, index};
use store::sql::Db;
use testkit::on_both;

fn word(text: &str) -> Query {
    Query::Words { field: Field::Any, text: text.into(), prefix: false }
}

fn not(query: Query) -> Query {
    Query::Not(Box::new(query))
}

fn row(id: i64, subject: &str, from: &str, body: &str, has_attachment: bool) -> IndexRow {
    IndexRow {
        message_id: MessageId(id),
        subject: subject.into(),
        from: from.into(),
        to: "helpdesk helpdesk@acme.example".into(),
        body: body.into(),
        has_attachment,
    }
}

async fn found_by(db: &Db, search: Search, access: &Access) -> Vec<i64> {
    let found = find(&mut &*db, &search, access, 0, 50).await.unwrap();
    assert_eq!(found.total as usize, found.ids.len());
    found.ids.into_iter().map(|id| id.0).collect()
}

async fn found(db: &Db, query: Query) -> Vec<i64> {
    found_by(db, Search::of(query), &Access::All).await
}

async fn three_messages(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    let mut shelf = Shelf(&mut tx);
    for (id, token) in [(1, "m1"), (2, "m1"), (3, "m2")] {
        shelf.thread(id, id, &[token]).await;
        shelf.message(id, id, id).await;
    }
    let rows = vec![
        row(1, "faktura 12", "ann novak ann@acme.example", "prosim o zaplaceni faktury", false),
        row(2, "re faktura 12", "ben ben@beta.example", "zaplaceno ann", true),
        row(3, "newsletter", "news@beta.example", "m1 hasattachment", false),
    ];
    index(&mut tx, rows).await.unwrap();
    tx.commit().await.unwrap();
}

/// The same questions, the same answers, whichever engine.
async fn h3_words_and_fields(db: &Db) {
    let words = |field, text: &str, prefix| Query::Words { field, text: text.into(), prefix };
    assert_eq!(found(db, word("faktura")).await, [2, 1]);
    assert_eq!(found(db, word("faktura 12")).await, [2, 1]);
    assert_eq!(found(db, word("12 faktura")).await, [0; 0]);
    assert_eq!(found(db, words(Field::Any, "zaplacen", true)).await, [2, 1]);
    assert_eq!(found(db, words(Field::Any, "zaplacen", false)).await, [0; 0]);
    assert_eq!(found(db, word("ann")).await, [2, 1]);
    assert_eq!(found(db, words(Field::From, "ann@acme.example", false)).await, [1]);
    assert_eq!(found(db, words(Field::From, "ac", true)).await, [1]);
    assert_eq!(found(db, words(Field::To, "ann", false)).await, [0; 0]);
    assert_eq!(found(db, words(Field::To, "helpdesk", false)).await, [3, 2, 1]);
    assert_eq!(found(db, words(Field::Subject, "zaplaceno", false)).await, [0; 0]);
    assert_eq!(found(db, words(Field::Subject, "fakt", true)).await, [2, 1]);
    let without = Query::All(vec![word("faktura"), not(word("zaplaceno"))]);
    assert_eq!(found(db, without).await, [1]);
    assert_eq!(found(db, not(word("faktura"))).await, [3]);
    let either = Query::Any(vec![word("newsletter"), not(words(Field::From, "beta", false))]);
    assert_eq!(found(db, either).await, [3, 1]);
    assert_eq!(found(db, Query::HasAttachment).await, [2]);
    assert_eq!(found(db, word("hasattachment")).await, [3], "the word, not the label");
    assert_eq!(found(db, word("every")).await, [0; 0]);
}

async fn e8_access_mailboxes_and_dates(db: &Db) {
    let all = || Search::of(Query::All(vec![]));
    let tokens = |list: &[&str]| Access::Tokens(list.iter().map(|t| t.to_string()).collect());
    assert_eq!(found_by(db, all(), &tokens(&["m2", "u1"])).await, [3]);
    assert_eq!(found_by(db, all(), &tokens(&["m1", "m2"])).await, [3, 2, 1]);
    assert_eq!(found_by(db, Search::of(word("faktura")), &tokens(&["m2"])).await, [0; 0]);
    assert_eq!(found_by(db, Search::of(not(word("x"))), &tokens(&[])).await, [0; 0]);
    let within =
        |ids: &[i64]| Search { mailboxes: vec![ids.iter().map(|id| MailboxId(*id)).collect()], ..all() };
    assert_eq!(found_by(db, within(&[1, 7]), &Access::All).await, [2, 1]);
    assert_eq!(found_by(db, within(&[]), &Access::All).await, [0; 0]);
    assert_eq!(found_by(db, within(&[1]), &tokens(&["m2"])).await, [0; 0]);
    let at = |s| Some(Time(0).plus_s(s));
    let dated = Search { from: at(2), until: at(3), ..all() };
    assert_eq!(found_by(db, dated, &Access::All).await, [2]);
    let page = find(&mut &*db, &all(), &Access::All, 1, 1).await.unwrap();
    assert_eq!(page, Found { total: 3, ids: vec![MessageId(2)] });
}

on_both! { async fn h3_search_answers_alike(db: Db) {
    let db = &db;
    three_messages(db).await;
    h3_words_and_fields(db).await;
    e8_access_mailboxes_and_dates(db).await;
    let mut tx = db.begin().await.unwrap();
    forget(&mut tx, &[MessageId(2)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(db, word("faktura")).await, [1]);
}}
