//! Clearing a mailbox: what goes, what stays, and that the database gets smaller.
#![allow(clippy::unwrap_used)]

mod office;

use desk::Refusal;
use desk::mailbox;
use desk::may::{Access, Actor};
use model::{Level, MailboxId, OccurrenceId, Time};
use office::{MORNING, Mail, Office};
use store::folders;
use store::sql::{Db, Engine};
use store::{params, raw};
use testkit::on_both;

async fn number(db: &Db, sql: &str) -> i64 {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

async fn counts(db: &Db, tables: &[&str]) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in tables {
        counts.push(number(db, &format!("SELECT COUNT(*) FROM {table}")).await);
    }
    counts
}

/// Writes down that the server listed the numbers up to `last` of a mailbox's folder.
async fn listed(office: &Office, mailbox: MailboxId, last: i64) {
    let folder = folders::read_folders(&mut &office.desk.db, mailbox).await.unwrap().remove(0);
    let mut tx = office.desk.db.begin().await.unwrap();
    folders::visited(&mut tx, folder.id, 1, &format!("1:{last}"), last).await.unwrap();
    tx.commit().await.unwrap();
}

async fn switch_off(office: &Office, mailbox: MailboxId) {
    let mut tx = office.desk.db.begin().await.unwrap();
    tx.execute("UPDATE mailboxes SET active = $2 WHERE id = $1", params![mailbox, false]).await.unwrap();
    tx.commit().await.unwrap();
}

/// A letter with so many bytes of text that hardly compress.
fn long(id: usize, bytes: usize) -> Vec<u8> {
    let words = (0..bytes / 64).map(|at| blake3::hash(format!("{id} {at}").as_bytes()).to_hex().to_string());
    let text = words.collect::<Vec<_>>().join("\r\n");
    format!(
        "From: ann@firma.example\r\nTo: old@acme.example\r\nSubject: Order {id}\r\nMessage-ID: <{id}@firma.example>\r\n\
         Date: Mon, 2 Mar 2026 08:00:00 +0000\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

const TABLES: [&str; 8] =
    ["messages", "threads", "bodies", "blobs", "participants", "thread_access", "stream", "search"];

on_both! {
    async fn a7_clearing_removes_what_came_through_this_mailbox_alone(db: Db) {
        let mut office = Office::new(db);
        let db = office.desk.db.clone();
        let old = office.mailbox("old@acme.example", None).await;
        let other = office.mailbox("other@acme.example", None).await;
        let mut tx = db.begin().await.unwrap();
        tx.execute("UPDATE mailboxes SET create_cases = $1", params![false]).await.unwrap();
        tx.commit().await.unwrap();
        office.bytes_arrive(other, long(1, 9_000)).await;
        let before = counts(&db, &TABLES).await;
        office.bytes_arrive(old, long(1, 9_000)).await;
        office.bytes_arrive(old, long(2, 9_000)).await;
        office.bytes_arrive(old, long(3, 9_000)).await;
        listed(&office, old, 4).await;
        switch_off(&office, old).await;

        let machine = Actor::machine();
        let ahead = mailbox::preview_clearing(&office.desk, &machine, old, None).await.unwrap();
        assert_eq!((ahead.messages, ahead.on_server), (3, false));
        let done = mailbox::clear(&office.desk, &machine, old, None).await.unwrap();
        assert_eq!((done.messages, done.bytes, done.left), (3, ahead.bytes, 0));
        assert_eq!(counts(&db, &TABLES).await, before, "{TABLES:?}");

        // The one that came through both stays whole, and nobody sees it through the cleared one any more.
        assert_eq!(number(&db, "SELECT COUNT(*) FROM operations").await, 0, "the server is not touched");
        let seen_by = |mailbox: MailboxId| {
            let access = Access::Tokens(vec![format!("m{mailbox}")]);
            let db = db.clone();
            async move { store::messages::message(&mut &db, model::MessageId(1), &access).await.unwrap().is_some() }
        };
        assert_eq!((seen_by(other).await, seen_by(old).await), (true, false));
        let raw = desk::bytes::of_occurrence(&mut &db, OccurrenceId(1)).await.unwrap().unwrap();
        assert_eq!(raw, long(1, 9_000));
        // Nothing is wrong for `verify`, and the ledger says where they went.
        for (id, pieces) in raw::pieces_after(&mut &db, OccurrenceId(0), 100).await.unwrap() {
            assert_eq!(pieces.unwrap().skeleton.is_some(), id == OccurrenceId(1), "{id}");
        }
        let ledger = folders::ledger(&mut &db, Some(old)).await.unwrap().remove(0);
        assert_eq!((ledger.seen, ledger.filed, ledger.cleared, ledger.difference), (4, 0, 3, 1));
        // Doing it again does nothing.
        assert_eq!(mailbox::clear(&office.desk, &machine, old, None).await.unwrap().messages, 0);
    }

    async fn a7_what_was_cleared_is_not_fetched_or_filed_again(db: Db) {
        let mut office = Office::new(db);
        let old = office.mailbox("old@acme.example", None).await;
        office.bytes_arrive(old, long(1, 3_000)).await;
        office.bytes_arrive(old, long(2, 3_000)).await;
        listed(&office, old, 2).await;
        switch_off(&office, old).await;
        mailbox::clear(&office.desk, &Actor::machine(), old, None).await.unwrap();
        let folder = folders::read_folders(&mut &office.desk.db, old).await.unwrap().remove(0);
        assert_eq!(folders::count_kept(&mut &office.desk.db, &folder).await.unwrap(), 2, "their numbers are known");
        let from_the_beginning = folders::Folder { cursor: 0, ..folder };
        assert_eq!(folders::kept_above(&mut &office.desk.db, &from_the_beginning).await.unwrap(), [1, 2]);
    }

    async fn a7_only_what_came_before_a_moment_and_only_of_an_inactive_mailbox(db: Db) {
        let mut office = Office::new(db);
        let old = office.mailbox("old@acme.example", None).await;
        office.bytes_arrive(old, long(1, 3_000)).await;
        office.bytes_arrive(old, long(2, 3_000)).await;
        let machine = Actor::machine();
        let active = mailbox::clear(&office.desk, &machine, old, None).await;
        assert!(matches!(active, Err(Refusal::Conflict { code: "mailbox_active", .. })), "{active:?}");
        switch_off(&office, old).await;
        let carla = office.person("carla", Level::All, Level::All, &[]).await;
        let hidden = mailbox::clear(&office.desk, &carla, old, None).await;
        assert!(matches!(hidden, Err(Refusal::NotFound)), "{hidden:?}");
        let until = Some(Time(MORNING.0 + 1));
        assert_eq!(mailbox::clear(&office.desk, &machine, old, until).await.unwrap().messages, 1);
        assert_eq!(number(&office.desk.db, "SELECT COUNT(*) FROM messages").await, 1);
    }

    async fn a7_a_case_and_its_notes_outlive_the_messages(db: Db) {
        let mut office = Office::new(db);
        let old = office.mailbox("old@acme.example", None).await;
        let mail = Mail { from: "ann@firma.example", to: "old@acme.example", subject: "Broken", id: "1@x", ..Mail::default() };
        office.arrives(old, mail).await;
        switch_off(&office, old).await;
        assert_eq!(mailbox::clear(&office.desk, &Actor::machine(), old, None).await.unwrap().messages, 1);
        let db = &office.desk.db;
        assert_eq!(number(db, "SELECT COUNT(*) FROM messages").await, 0);
        assert_eq!(number(db, "SELECT messages FROM threads WHERE case_id IS NOT NULL").await, 0);
        assert_eq!(number(db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 1);
    }

    async fn a8_what_is_on_its_way_to_another_mailbox_is_not_cleared(db: Db) {
        let mut office = Office::new(db);
        let db = office.desk.db.clone();
        let machine = Actor::machine();
        let old = office.mailbox("old@acme.example", None).await;
        let new = office.mailbox("new@acme.example", None).await;
        office.bytes_arrive(old, long(1, 5_000)).await;
        switch_off(&office, old).await;
        assert_eq!(mailbox::folders::move_messages(&office.desk, &machine, old, new, "Old").await.unwrap(), 1);
        assert_eq!(mailbox::preview_clearing(&office.desk, &machine, old, None).await.unwrap().messages, 0);
        assert_eq!(mailbox::clear(&office.desk, &machine, old, None).await.unwrap().messages, 0);
        let mut tx = db.begin().await.unwrap();
        tx.execute("UPDATE operations SET state = 'done'", params![]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(mailbox::clear(&office.desk, &machine, old, None).await.unwrap().messages, 1);
    }

    async fn a7_the_database_gets_smaller(db: Db) {
        let mut office = Office::new(db);
        let db = office.desk.db.clone();
        let old = office.mailbox("old@acme.example", None).await;
        let pages = async || match db.engine() {
            Engine::Sqlite => number(&db, "PRAGMA page_count").await,
            Engine::Postgres => {
                number(&db, "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM blobs").await
            }
        };
        let empty = pages().await;
        for id in 0..40 {
            office.bytes_arrive(old, long(id, 80_000)).await;
        }
        switch_off(&office, old).await;
        let before = pages().await;
        assert_eq!(mailbox::clear(&office.desk, &Actor::machine(), old, None).await.unwrap().messages, 40);
        let after = pages().await;
        assert!(before - after > (before - empty) * 4 / 5, "{empty}, then {before}, then {after}");
    }
}
