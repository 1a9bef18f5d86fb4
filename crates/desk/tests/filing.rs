//! What filing leaves on the shelf: threads as lists show them, and two at work at the same moment.
#![allow(clippy::unwrap_used)]

mod office;

use desk::case::{self, Changes};
use desk::import::{Batch, Import};
use desk::may::Actor;
use desk::receive::{Channel, Filed, Item, Opened, Place};
use desk::{Refusal, link, record};
use intake::plan::{Mailbox as Decides, Origin};
use model::{CaseStatus, MailboxId, MailboxKind, OccurrenceId, RecordId, RecordKind, ThreadId, Time};
use office::{MORNING, Mail, Office};
use store::folders::{self, Folder};
use store::sql::{Db, Error};
use store::{params, raw};
use testkit::on_both;

async fn number(db: &Db, sql: &str) -> i64 {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

async fn text(db: &Db, sql: &str) -> String {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

async fn folder_of(office: &Office, mailbox: MailboxId) -> Folder {
    folders::read_folders(&mut &office.desk.db, mailbox).await.unwrap().remove(0)
}

/// Letters as they lie in a mailbox, from `uid` on: (raw, seconds after the morning).
async fn kept(
    office: &Office,
    mailbox: MailboxId,
    uid: i64,
    letters: &[(Vec<u8>, i64)],
) -> Result<Vec<Opened>, Error> {
    let mut folder = folder_of(office, mailbox).await;
    let place = Place { mailbox, folder: folder.id, uidvalidity: 1 };
    let items = letters.iter().zip(uid..).map(|((raw, at), uid)| {
        let internal_at = Time(MORNING.0 + at * 1_000_000);
        office.receive.open(&place, Item { uid, internal_at, raw: raw.clone(), aside: None })
    });
    let mut opened: Vec<Opened> = items.collect();
    office.receive.keep(&mut folder, &mut opened, uid + letters.len() as i64 - 1).await?;
    Ok(opened)
}

async fn filed(office: &Office, mailbox: MailboxId, opened: Vec<Opened>) -> Result<Filed, Error> {
    let decides = Decides { create_cases: true, ..Decides::new(MailboxKind::Group, "helpdesk@acme.example") };
    let channel = Channel { id: mailbox, mailbox: decides, origin: Origin::Live };
    office.receive.file(&channel, &folder_of(office, mailbox).await, opened).await
}

async fn arrives_at(office: &Office, mailbox: MailboxId, uid: i64, mail: Mail, at: i64) {
    let opened = kept(office, mailbox, uid, &[(mail.bytes(), at)]).await.unwrap();
    assert_eq!(filed(office, mailbox, opened).await.unwrap(), Filed { filed: 1, ..Filed::default() });
}

const QUESTION: Mail = Mail {
    from: "Ann <ann@firm.example>",
    to: "helpdesk@acme.example, ben@firm.example, carla@firm.example",
    subject: "Where is my order?",
    id: "1@firm.example",
    answers: "",
    text: "I wait.",
    kind: "",
};
const ANSWER: Mail = Mail {
    from: "Carla <carla@firm.example>",
    subject: "Re: Where is my order?",
    id: "2@firm.example",
    answers: "1@firm.example",
    text: "So do I.",
    ..QUESTION
};
const LATE: Mail = Mail {
    from: "Ben <ben@firm.example>",
    subject: "Re: Re: Where is my order?",
    id: "3@firm.example",
    answers: "9@firm.example",
    text: "It is here.",
    ..QUESTION
};

const SHOWN: &str =
    "SELECT subject || '|' || snippet || '|' || from_name FROM threads WHERE merged_into IS NULL";

on_both! {
    async fn a_question_that_comes_after_its_answer_gives_the_thread_its_subject_and_not_its_writer(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        arrives_at(&office, helpdesk, 1, ANSWER, 60).await;
        arrives_at(&office, helpdesk, 2, QUESTION, 0).await;
        assert_eq!(text(&db, SHOWN).await, "Where is my order?|So do I.|Carla");
    }

    async fn a_merged_thread_shows_the_first_subject_and_the_last_letter(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        arrives_at(&office, helpdesk, 1, LATE, 120).await;
        arrives_at(&office, helpdesk, 2, QUESTION, 0).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads").await, 2);
        // What was missing between them is the oldest in its mailbox's clock no more.
        let between = Mail { id: "9@firm.example", answers: "1@firm.example", text: "Soon.", ..ANSWER };
        arrives_at(&office, helpdesk, 3, between, 60).await;
        assert_eq!(text(&db, SHOWN).await, "Where is my order?|It is here.|Ben");
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case' AND merged_into IS NULL").await, 1);
    }

    async fn our_own_answer_that_comes_first_does_not_hide_who_asked(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let ours = Mail { from: "Helpdesk <helpdesk@acme.example>", to: "ann@firm.example", ..ANSWER };
        arrives_at(&office, helpdesk, 1, ours, 60).await;
        arrives_at(&office, helpdesk, 2, QUESTION, 0).await;
        assert_eq!(text(&db, SHOWN).await, "Where is my order?|So do I.|Ann");
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 1);
    }

    async fn an_answer_opens_a_closed_case_in_the_lists_of_all_its_threads(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        arrives_at(&office, helpdesk, 1, QUESTION, 0).await;
        // Two more threads join the case; the second leaves one of its own behind.
        let other = Mail { id: "7@other.example", ..QUESTION };
        let ours = Mail { id: "8@acme.example", from: "helpdesk@acme.example", ..QUESTION };
        arrives_at(&office, helpdesk, 2, ours, 10).await;
        arrives_at(&office, helpdesk, 3, other, 20).await;
        link::add(&office.desk, &machine, ThreadId(2), RecordId(1)).await.unwrap();
        let close = Changes { status: Some(CaseStatus::Closed), ..Changes::default() };
        case::change(&office.desk, &machine, RecordId(1), close).await.unwrap();
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE case_status = 'closed'").await, 2);
        arrives_at(&office, helpdesk, 4, ANSWER, 30).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE case_status = 'closed'").await, 0);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM stream WHERE kind = 'reopened'").await, 1);
        // The third thread turns out to be part of the first: its case goes into that one.
        let joins = Mail { id: "9@firm.example", answers: "7@other.example> <1@firm.example", ..ANSWER };
        arrives_at(&office, helpdesk, 5, joins, 40).await;
        assert_eq!(number(&db, "SELECT COUNT(DISTINCT case_id) FROM threads WHERE merged_into IS NULL").await, 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case' AND merged_into IS NULL").await, 1);
        let wrong = "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL AND links <> (SELECT COUNT(*) FROM links l WHERE l.thread_id = threads.id)";
        assert_eq!(number(&db, wrong).await, 0);
    }

    async fn one_damaged_message_stops_neither_the_archives_walk_nor_its_mailbox(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        for (uid, mail) in [(1, QUESTION), (2, ANSWER)] {
            kept(&office, helpdesk, uid, &[(mail.bytes(), 0)]).await.unwrap();
        }
        let mut tx = db.begin().await.unwrap();
        tx.execute("UPDATE occurrences SET header = $1 WHERE uid = 1", params![b"no zstd".to_vec()]).await.unwrap();
        tx.commit().await.unwrap();
        let walk = raw::pieces_after(&mut &db, OccurrenceId(0), 9).await.unwrap();
        let found: Vec<(i64, bool)> = walk.iter().map(|(id, pieces)| (id.0, pieces.is_ok())).collect();
        assert_eq!(found, [(1, false), (2, true)]);
        let decides = Decides {
            create_cases: true,
            ..Decides::new(MailboxKind::Group, "helpdesk@acme.example")
        };
        let channel = Channel { id: helpdesk, mailbox: decides, origin: Origin::Live };
        let done = office.receive.file_waiting(&channel, &folder_of(&office, helpdesk).await).await.unwrap();
        assert_eq!(done, Filed { filed: 1, quarantined: 1, ..Filed::default() });
    }

    async fn a_letter_to_sixty_contacts_is_filed_and_linked_to_all_of_them(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let machine = Actor::machine();
        let mut to = Vec::new();
        for number in 0..60 {
            let address = format!("{number}@firm.example");
            let contact = record::Changes {
                name: Some(format!("Contact {number}")),
                addresses: Some(vec![address.clone()]),
                ..record::Changes::default()
            };
            record::put(&office.desk, &machine, RecordKind::Contact, contact).await.unwrap();
            to.push(address);
        }
        let half = |range: std::ops::Range<usize>| to[range].join(", ");
        let raw = format!(
            "From: ann@a.example\r\nTo: {}\r\nCc: {}\r\nMessage-ID: <1@a.example>\r\nSubject: To all\r\n\r\nHello.\r\n",
            half(0..30),
            half(30..60)
        );
        let opened = kept(&office, helpdesk, 1, &[(raw.into_bytes(), 0)]).await.unwrap();
        assert_eq!(filed(&office, helpdesk, opened).await.unwrap(), Filed { filed: 1, ..Filed::default() });
        assert_eq!(number(&db, "SELECT COUNT(*) FROM links").await, 61);
        assert_eq!(number(&db, "SELECT links FROM threads").await, 61);
    }

    async fn the_same_mail_in_two_mailboxes_at_once_is_no_conflict(db: Db) {
        let office = Office::new(db.clone());
        let one = office.mailbox("helpdesk@acme.example", None).await;
        let two = office.mailbox("orders@acme.example", None).await;
        for round in 0..20 {
            let letter = |number: i64| {
                let text = format!("The same text of round {round} in both, number {number}. ").repeat(50);
                let raw = format!("From: ann@a.example\r\nMessage-ID: <{round}.{number}@a.example>\r\nSubject: x\r\n\r\n{text}");
                (raw.into_bytes(), 0)
            };
            let letters: Vec<_> = (0..5).map(letter).collect();
            let keep_and_file = async |mailbox| {
                let opened = kept(&office, mailbox, round * 5 + 1, &letters).await?;
                filed(&office, mailbox, opened).await
            };
            let (a, b) = tokio::join!(keep_and_file(one), keep_and_file(two));
            assert_eq!((a.unwrap().filed, b.unwrap().filed), (5, 5));
        }
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 100);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM bodies").await, 100);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 100);
    }

    async fn a_case_that_people_change_while_its_thread_goes_on_is_the_same_in_all_lists(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        arrives_at(&office, helpdesk, 1, QUESTION, 0).await;
        let case = RecordId(number(&db, "SELECT id FROM records WHERE kind = 'case'").await);
        let machine = Actor::machine();
        for round in 0..25 {
            // Our own letters: they do not open the case again.
            let more = |n: i64| {
                let id = format!("{round}.{n}@acme.example");
                let raw = format!("From: helpdesk@acme.example\r\nMessage-ID: <{id}>\r\nIn-Reply-To: <1@firm.example>\r\nSubject: x\r\n\r\n{id}");
                (raw.into_bytes(), round)
            };
            let letters: Vec<_> = (0..8).map(more).collect();
            let opened = kept(&office, helpdesk, 2 + round * 8, &letters).await.unwrap();
            let status = if round % 2 == 0 { CaseStatus::Waiting } else { CaseStatus::Closed };
            let changes = Changes { status: Some(status), ..Changes::default() };
            let change = case::change(&office.desk, &machine, case, changes);
            let (filed, changed) = tokio::join!(filed(&office, helpdesk, opened), change);
            assert_eq!(filed.unwrap().filed, 8);
            changed.unwrap();
            assert_eq!(text(&db, "SELECT case_status FROM threads").await, status.word(), "round {round}");
        }
        assert_eq!(number(&db, "SELECT messages FROM threads").await, 201);
    }

    async fn a23_two_imports_at_once_lose_nothing_unsaid(db: Db) {
        let office = Office::new(db.clone());
        let mut batches = Vec::new();
        for import in 0..2 {
            let mut batch = Batch::default();
            for letter in 0..20 {
                let raw = format!("Message-ID: <{import}.{letter}@a.example>\r\nSubject: {import}\r\n\r\n{letter}");
                batch.push(raw.into_bytes(), MORNING);
            }
            batches.push(batch);
        }
        let [first, second] = <[Batch; 2]>::try_from(batches).ok().unwrap();
        let mut one = Import::begin(&office.receive, None).await.unwrap();
        let mut two = Import::begin(&office.receive, None).await.unwrap();
        assert_eq!(one.file(first).await.unwrap().filed, 20);
        let refused = two.file(second).await;
        assert!(matches!(refused, Err(Refusal::Conflict { code: "import_running", .. })), "{refused:?}");
        let ledger = folders::ledger(&mut &db, None).await.unwrap().remove(0);
        assert_eq!((ledger.seen, ledger.filed, ledger.difference), (20, 20, 0));
    }
}
