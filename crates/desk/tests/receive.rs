//! Stories of arriving mail: threads whatever the order, copies, letters that defeat the program.
#![allow(clippy::unwrap_used)]

mod office;

use desk::bytes;
use desk::mailbox::Boxed;
use desk::receive::{Aside, Channel, Item, Opened, Place, Probe, TRUSTED_ATTEMPTS};
use intake::plan::{Mailbox as Decides, Origin};
use model::{MailboxId, MailboxKind, OccurrenceId};
use office::{MORNING, Mail, Office};
use std::sync::Arc;
use store::folders::{self, Folder, LedgerRow};
use store::params;
use store::sql::Db;
use testkit::on_both;

async fn number(db: &Db, sql: &str) -> i64 {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

async fn ledger(db: &Db) -> LedgerRow {
    folders::ledger(&mut &*db, None).await.unwrap().remove(0)
}

/// All orders of 0..n (Heap's algorithm).
fn orders(n: usize) -> Vec<Vec<usize>> {
    fn swap(k: usize, items: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
        if k <= 1 {
            return out.push(items.clone());
        }
        for i in 0..k {
            swap(k - 1, items, out);
            items.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
        }
    }
    let mut out = Vec::new();
    swap(n, &mut (0..n).collect(), &mut out);
    out
}

/// The folder of a mailbox and how it is received.
async fn place(office: &Office, mailbox: MailboxId) -> (Channel, Folder, Place) {
    let folder = folders::read_folders(&mut &office.desk.db, mailbox).await.unwrap().remove(0);
    let decides = Decides {
        create_cases: true,
        ..Decides::new(MailboxKind::Group, &format!("m{mailbox}@acme.example"))
    };
    let place = Place { mailbox, folder: folder.id, uidvalidity: 1 };
    (Channel { id: mailbox, mailbox: decides, origin: Origin::Live }, folder, place)
}

/// Keeps bytes without filing them, as if the program had ended in between.
async fn only_kept(
    office: &Office,
    mailbox: MailboxId,
    uid: i64,
    raw: &[u8],
    aside: Option<Aside>,
) -> Vec<Opened> {
    let (_, mut folder, place) = place(office, mailbox).await;
    let mut tx = office.desk.db.begin().await.unwrap();
    folders::visited(&mut tx, folder.id, 1, &format!("1:{uid}"), 0).await.unwrap();
    tx.commit().await.unwrap();
    let mut opened =
        vec![office.receive.open(&place, Item { uid, internal_at: MORNING, raw: raw.to_vec(), aside })];
    office.receive.keep(&mut folder, &mut opened, uid).await.unwrap();
    opened
}

/// A probe that dies of what it is told to.
struct DiesOfPoison;

impl Probe for DiesOfPoison {
    fn probe<'a>(&'a self, letters: Vec<&'a [u8]>) -> Boxed<'a, Vec<Option<String>>> {
        let dies = |raw: &[u8]| raw.ends_with(b"poison").then(|| "it ends the program".to_owned());
        Box::pin(async move { letters.into_iter().map(dies).collect() })
    }
}

on_both! {
    async fn d1_a_thread_is_one_thread_and_one_case_in_whatever_order_it_arrives(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let orders = orders(4);
        for (round, order) in orders.iter().enumerate() {
            for &place in order {
                // Each knows only the one before it, so that late ones join what was apart.
                let answers = if place == 0 { String::new() } else { format!("In-Reply-To: <{round}.{}@a.example>\r\n", place - 1) };
                let raw = format!("From: ann@a.example\r\nMessage-ID: <{round}.{place}@a.example>\r\n{answers}Subject: Order {round}\r\n\r\nPart {place}.\r\n");
                office.bytes_arrive(helpdesk, raw.into_bytes()).await;
            }
        }
        let rounds = orders.len() as i64;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 4 * rounds);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL AND messages = 4").await, rounds);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL").await, rounds);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case' AND merged_into IS NULL").await, rounds);
        assert_eq!(number(&db, "SELECT COUNT(DISTINCT case_id) FROM threads WHERE merged_into IS NULL").await, rounds);
        // Four messages and one creation in the stream of each surviving case.
        let entries = "SELECT COUNT(*) FROM stream s JOIN records r ON r.id = s.record_id WHERE r.merged_into IS NULL AND s.kind = 'message_in'";
        assert_eq!(number(&db, entries).await, 4 * rounds);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM thread_ids t JOIN threads x ON x.id = t.thread_id WHERE x.merged_into IS NOT NULL").await, 0);
    }

    async fn d1_question_and_answer_that_arrive_at_the_same_moment_are_one_case(db: Db) {
        let office = Office::new(db.clone());
        let (one, two) = (office.mailbox("helpdesk@acme.example", None).await, office.mailbox("orders@acme.example", None).await);
        for round in 0..20 {
            let first = format!("From: ann@a.example\r\nMessage-ID: <{round}.1@a.example>\r\nSubject: Order\r\n\r\nx\r\n");
            let answer = format!("From: ben@a.example\r\nMessage-ID: <{round}.2@a.example>\r\nReferences: <{round}.1@a.example>\r\nSubject: Re: Order\r\n\r\ny\r\n");
            let (a, b) = (only_kept(&office, one, round + 1, first.as_bytes(), None).await, only_kept(&office, two, round + 1, answer.as_bytes(), None).await);
            let ((channel_1, folder_1, _), (channel_2, folder_2, _)) = (place(&office, one).await, place(&office, two).await);
            let (a, b) = tokio::join!(office.receive.file(&channel_1, &folder_1, a), office.receive.file(&channel_2, &folder_2, b));
            assert_eq!((a.unwrap().filed, b.unwrap().filed), (1, 1));
        }
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL").await, 20);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 20);
    }

    async fn b1_a_copy_in_a_second_mailbox_is_seen_by_its_team_too(db: Db) {
        let mut office = Office::new(db.clone());
        let (support, sales) = (office.team("Support").await, office.team("Sales").await);
        let (helpdesk, orders) = (office.mailbox("helpdesk@acme.example", Some(support)).await, office.mailbox("orders@acme.example", Some(sales)).await);
        let carla = office.person("carla", model::Level::Team, model::Level::All, &[sales]).await;
        let mail = Mail { from: "Ann <ann@a.example>", to: "x@acme.example", subject: "Valves", id: "1@a.example", text: "Forty valves.", ..Mail::default() };
        office.arrives(helpdesk, mail.clone()).await;
        let found = desk::search::find(&office.desk, &carla, "valves", None, 0, 10).await.unwrap();
        assert_eq!(found.0, 0);
        let copy = [b"Delivered-To: orders@acme.example\r\n".as_slice(), &mail.bytes()].concat();
        office.bytes_arrive(orders, copy.clone()).await;
        let found = desk::search::find(&office.desk, &carla, "valves", None, 0, 10).await.unwrap();
        assert_eq!(found.0, 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM bodies").await, 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 1);
        assert_eq!(bytes::of_occurrence(&mut &db, OccurrenceId(1)).await.unwrap().unwrap(), mail.bytes());
        assert_eq!(bytes::of_occurrence(&mut &db, OccurrenceId(2)).await.unwrap().unwrap(), copy);
    }

    async fn t13_one_message_id_and_two_contents_are_two_messages(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        for text in ["Pay to account 1.", "Pay to account 2."] {
            office.arrives(helpdesk, Mail { from: "ann@a.example", subject: "Invoice", id: "1@a.example", text, ..Mail::default() }).await;
        }
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 2);
    }

    async fn keeping_twice_is_keeping_once(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let raw = Mail { from: "ann@a.example", id: "1@a.example", text: "x", ..Mail::default() }.bytes();
        only_kept(&office, helpdesk, 1, &raw, None).await;
        only_kept(&office, helpdesk, 1, &raw, None).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM occurrences").await, 1);
        let (channel, folder, _) = place(&office, helpdesk).await;
        assert_eq!(office.receive.file_waiting(&channel, &folder).await.unwrap().filed, 1);
        assert_eq!(office.receive.file_waiting(&channel, &folder).await.unwrap().filed, 0);
    }

    async fn a22_what_defeats_the_program_is_put_aside_with_its_bytes_and_the_rest_goes_on(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let poison = b"Subject: poison\r\n\r\n\xff\x00".repeat(500);
        only_kept(&office, helpdesk, 100, &poison, Some(Aside::Ends("the program ended each time it read this message".into()))).await;
        office.bytes_arrive(helpdesk, b"Message-ID: <2@a.example>\r\nSubject: fine\r\n\r\nx".to_vec()).await;
        assert_eq!(bytes::of_occurrence(&mut &db, OccurrenceId(1)).await.unwrap().unwrap(), poison);
        let row = db.query_one("SELECT state, reason FROM occurrences WHERE id = 1", params![]).await.unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "quarantined");
        assert!(row.get::<String>(1).unwrap().contains("ended each time"));
        // After the program was mended it is processed again.
        let mut tx = db.begin().await.unwrap();
        assert!(store::quarantine::retry(&mut tx, OccurrenceId(1)).await.unwrap());
        tx.commit().await.unwrap();
        let (channel, folder, _) = place(&office, helpdesk).await;
        assert_eq!(office.receive.file_waiting(&channel, &folder).await.unwrap().filed, 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 2);
    }

    async fn a22_what_is_too_large_is_named_and_never_filed_cut_off(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let beginning = b"Message-ID: <1@a.example>\r\nSubject: Plans\r\n\r\n".repeat(2000);
        let aside = Aside::TooLarge { size_bytes: 99_000_000 };
        only_kept(&office, helpdesk, 1, &beginning, Some(aside)).await;
        let row = db.query_one("SELECT state, reason, size_bytes FROM occurrences", params![]).await.unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "quarantined");
        assert!(row.get::<String>(1).unwrap().contains("too large"));
        assert_eq!(row.get::<i64>(2).unwrap(), 99_000_000);
        let mut tx = db.begin().await.unwrap();
        assert!(!store::quarantine::retry(&mut tx, OccurrenceId(1)).await.unwrap(), "its bytes are not here");
        tx.commit().await.unwrap();
        assert_eq!((ledger(&db).await.quarantined, ledger(&db).await.difference), (1, 0));
    }

    async fn c9_a22_a_letter_that_ends_the_program_is_found_by_a_probe_and_put_aside(db: Db) {
        let mut office = Office::new(db.clone());
        office.receive = office.receive.with_probe(Arc::new(DiesOfPoison));
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        for (uid, text) in [(1, "poison"), (2, "fine")] {
            let raw = format!("Message-ID: <{uid}@a.example>\r\nSubject: x\r\n\r\n{text}");
            only_kept(&office, helpdesk, uid, raw.as_bytes(), None).await;
        }
        assert_eq!((ledger(&db).await.waiting, ledger(&db).await.difference), (2, 0));
        // Two runs began to file them and did not come to the end.
        let mut tx = db.begin().await.unwrap();
        for _ in 0..TRUSTED_ATTEMPTS {
            store::filing::begin_attempt(&mut tx, &[OccurrenceId(1), OccurrenceId(2)]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let (channel, folder, _) = place(&office, helpdesk).await;
        let done = office.receive.file_waiting(&channel, &folder).await.unwrap();
        assert_eq!((done.filed, done.quarantined), (1, 1));
        let ledger = ledger(&db).await;
        assert_eq!((ledger.seen, ledger.filed, ledger.quarantined, ledger.waiting, ledger.difference), (2, 1, 1, 0, 0));
    }

    async fn a21_what_was_listed_and_not_kept_is_the_difference(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let (_, folder, _) = place(&office, helpdesk).await;
        let mut tx = db.begin().await.unwrap();
        folders::visited(&mut tx, folder.id, 1, "1:3,9", 0).await.unwrap();
        tx.commit().await.unwrap();
        let ledger = ledger(&db).await;
        assert_eq!((ledger.seen, ledger.filed, ledger.difference), (4, 0, 4));
    }
}
