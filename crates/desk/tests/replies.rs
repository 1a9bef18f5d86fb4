//! Answers by people (D4, B6): what is proposed, what is sent, what stands in the thread; two gateways that answer
//! each other (T26).
#![allow(clippy::unwrap_used)]

mod office;

use desk::may::Actor;
use desk::reply::{self, NewReply, Quote};
use desk::{Refusal, template};
use model::{CaseStatus, GroupMail, Level, MailboxId, MailboxKind, Person, ThreadId};
use office::{Mail, Office};
use store::mailboxes;
use store::params;
use store::sql::Db;
use store::templates::Text;
use store::threads::View;
use testkit::on_both;

/// The helpdesk, and Žofie who may answer for it.
async fn helpdesk(db: Db) -> (Office, MailboxId, Actor) {
    let office = Office::new(db);
    let mailbox = office.mailbox("helpdesk@acme.example", None).await;
    office.sends(mailbox).await;
    let actor = office.person("zofie", Level::All, Level::All, &[]).await;
    (office, mailbox, Actor { group_mail: GroupMail::All, ..actor })
}

fn ann(id: &'static str) -> Mail {
    Mail {
        from: "Ann Example <ann@firma.example>",
        to: "helpdesk@acme.example, ben@firma.example",
        subject: "Broken printer",
        id,
        text: "It does not print.\nPlease help.",
        ..Mail::default()
    }
}

async fn thread(office: &Office, actor: &Actor) -> ThreadId {
    let page = desk::thread::list(&office.desk, actor, View::All, None, 0, 10).await.unwrap();
    assert_eq!(page.total, 1);
    page.rows[0].id
}

/// What waits to be sent, oldest first: envelope sender, recipients, bytes.
async fn queued(office: &Office) -> Vec<(String, Vec<String>, Vec<u8>)> {
    let rows = office
        .desk
        .db
        .query("SELECT id, envelope_from, raw FROM outbox ORDER BY id", params![])
        .await
        .unwrap();
    let mut found = Vec::new();
    for row in &rows {
        let to = store::outbox::recipients(&mut &office.desk.db, row.get(0).unwrap()).await.unwrap();
        let to = to.into_iter().map(|one| one.address).collect();
        found.push((row.get(1).unwrap(), to, row.get(2).unwrap()));
    }
    found
}

on_both! {
    async fn d4_an_answer_bears_the_groups_address_and_the_next_mail_joins_the_case(db: Db) {
        let (mut office, mailbox, actor) = helpdesk(db).await;
        office.arrives(mailbox, ann("1@firma.example")).await;
        let id = thread(&office, &actor).await;
        let proposed = reply::propose(&office.desk, &actor, id, None).await.unwrap();
        assert_eq!(proposed.to, [Person { name: "Ann Example".into(), address: "ann@firma.example".into() }]);
        assert_eq!(proposed.cc[0].address, "ben@firma.example");
        assert_eq!(proposed.subject, "Re: Broken printer");
        assert_eq!(proposed.reply_to.unwrap().address, "helpdesk@acme.example");
        assert!(proposed.quoted.ends_with("> It does not print.\n> Please help.\n"), "{}", proposed.quoted);
        let new = NewReply { body: "Switch it on, please.".into(), ..NewReply::default() };
        let message = reply::send(&office.desk, &actor, id, new).await.unwrap();
        let sent = queued(&office).await;
        let [(from, to, raw)] = sent.as_slice() else { panic!("{}", sent.len()) };
        assert_eq!((from.as_str(), to.join(" ")), ("helpdesk@acme.example", "ann@firma.example ben@firma.example".to_owned()));
        let letter = mail::parse::parse(raw);
        assert_eq!(letter.reply_to[0].address, "helpdesk@acme.example");
        assert_eq!((letter.in_reply_to.clone(), letter.references.clone()), (vec!["1@firma.example".to_owned()], vec!["1@firma.example".to_owned()]));
        assert_eq!(mail::quote::reply_text(&letter.text), "Switch it on, please.");
        assert_eq!(letter.auto_submitted, None);
        // It stands in the thread, the case waits, and who answered is known.
        let shown = desk::thread::open(&office.desk, &actor, id).await.unwrap();
        assert_eq!((shown.row.messages, shown.row.case.unwrap().status), (2, CaseStatus::Waiting));
        let (sendings, answered) = reply::deliveries(&office.desk, &actor, id).await.unwrap();
        assert_eq!((sendings[0].0, sendings[0].2.len()), (message, 2));
        assert_eq!(answered.unwrap().by.unwrap().1, "zofie");
        assert_eq!(desk::message::raw(&office.desk, &actor, message, None).await.unwrap(), *raw);
        // The copy from the folder of sent mail is the same message.
        office.bytes_arrive(mailbox, raw.clone()).await;
        assert_eq!(desk::thread::open(&office.desk, &actor, id).await.unwrap().row.messages, 2);
        // The customer answers to the group, with nothing but our id: the case is open again.
        let mid: &'static str = String::leak(letter.message_id.unwrap());
        office.arrives(mailbox, Mail { answers: mid, subject: "Thanks", ..ann("2@firma.example") }).await;
        let shown = desk::thread::open(&office.desk, &actor, id).await.unwrap();
        assert_eq!((shown.row.messages, shown.row.case.unwrap().status), (3, CaseStatus::Open));
        let (_, answered) = reply::deliveries(&office.desk, &actor, id).await.unwrap();
        assert!(!answered.unwrap().is_last);
    }

    async fn d4_from_ones_own_address_answers_still_come_to_the_group(db: Db) {
        let (mut office, mailbox, actor) = helpdesk(db).await;
        let mut tx = office.desk.db.begin().await.unwrap();
        let own = mailboxes::Mailbox { owner: actor.user, ..mailboxes::Mailbox::new(MailboxKind::Personal, "zofie@acme.example") };
        let own = mailboxes::add(&mut tx, &own, office.desk.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        office.sends(own).await;
        office.arrives(mailbox, ann("1@firma.example")).await;
        let id = thread(&office, &actor).await;
        let new = NewReply { body: "Hello".into(), mailbox: Some(own), quote: Quote::None, status: Some(CaseStatus::Closed), ..NewReply::default() };
        reply::send(&office.desk, &actor, id, new).await.unwrap();
        let sent = queued(&office).await;
        let letter = mail::parse::parse(&sent[0].2);
        assert_eq!((letter.from[0].address.as_str(), letter.reply_to[0].address.as_str()), ("zofie@acme.example", "helpdesk@acme.example"));
        assert_eq!(letter.text.trim(), "Hello");
        let shown = desk::thread::open(&office.desk, &actor, id).await.unwrap();
        assert_eq!(shown.row.case.unwrap().status, CaseStatus::Closed);
    }

    async fn d4_nobody_sends_from_where_they_may_not_and_nothing_is_sent_that_is_wrong(db: Db) {
        let (mut office, mailbox, actor) = helpdesk(db).await;
        office.arrives(mailbox, ann("1@firma.example")).await;
        let id = thread(&office, &actor).await;
        let code = async |actor: &Actor, new: NewReply| match reply::send(&office.desk, actor, id, new).await {
            Err(Refusal::Invalid { code, .. }) => code,
            Err(Refusal::NotFound) => "not_found",
            other => panic!("{other:?}"),
        };
        let hello = || NewReply { body: "Hello".into(), ..NewReply::default() };
        let stranger = Actor { group_mail: GroupMail::No, ..actor.clone() };
        assert_eq!(code(&stranger, hello()).await, "may_not_send");
        let blind = Actor { mail: Level::Own, own_mailboxes: Vec::new(), ..actor.clone() };
        assert_eq!(code(&blind, hello()).await, "not_found");
        assert_eq!(code(&actor, NewReply { body: "  ".into(), ..hello() }).await, "required");
        let odd = Person { name: String::new(), address: "x\r\nBcc: y@z.example".into() };
        assert_eq!(code(&actor, NewReply { to: Some(vec![odd]), ..hello() }).await, "bad_address");
        assert_eq!(code(&actor, NewReply { to: Some(Vec::new()), ..hello() }).await, "required");
        assert!(queued(&office).await.is_empty());
    }

    async fn b6_an_answer_from_another_program_is_known_by_its_writers_address(db: Db) {
        let (mut office, mailbox, actor) = helpdesk(db).await;
        office.arrives(mailbox, ann("1@firma.example")).await;
        let id = thread(&office, &actor).await;
        assert_eq!(reply::deliveries(&office.desk, &actor, id).await.unwrap().1, None);
        let mut tx = office.desk.db.begin().await.unwrap();
        let own = mailboxes::Mailbox { owner: actor.user, ..mailboxes::Mailbox::new(MailboxKind::Personal, "zofie@acme.example") };
        mailboxes::add(&mut tx, &own, office.desk.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let answer = Mail { from: "zofie@acme.example", to: "ann@firma.example", answers: "1@firma.example", ..ann("9@acme.example") };
        office.arrives(mailbox, answer).await;
        let answered = reply::deliveries(&office.desk, &actor, id).await.unwrap().1.unwrap();
        assert_eq!((answered.by.unwrap().1.as_str(), answered.is_last), ("zofie", true));
        let row = office.desk.db.query_one("SELECT first_reply_at IS NOT NULL FROM records WHERE kind = 'case'", params![]).await.unwrap();
        assert!(row.get::<bool>(0).unwrap());
    }
}

/// An installation whose one group mailbox answers first mails by itself.
async fn answering(db: Db, address: &'static str) -> (Office, MailboxId) {
    let office = Office::new(db);
    let mailbox = office.mailbox(address, None).await;
    office.sends(mailbox).await;
    let texts = vec![Text {
        language: "en".into(),
        subject: String::new(),
        body: "We have it: {{case.number}}.".into(),
    }];
    let id = template::add(&office.desk, &Actor::machine(), "Received", texts).await.unwrap().id;
    template::set_auto_reply(&office.desk, &Actor::machine(), mailbox, Some(id)).await.unwrap();
    (office, mailbox)
}

/// A responder that answers everything, once for each mail, as if it were new: no header field of the mail is kept.
fn stripped(raw: &[u8], from: &str, to: &str, number: usize) -> Vec<u8> {
    let letter = mail::parse::parse(raw);
    format!(
        "Return-Path: <{from}>\r\nFrom: {from}\r\nTo: {to}\r\nSubject: {number} {}\r\nMessage-ID: <n{number}@{from}>\r\n\
         Date: Mon, 2 Mar 2026 08:00:00 +0000\r\n\r\n{}\r\n",
        letter.subject, letter.text
    )
    .into_bytes()
}

on_both! {
    async fn t26_two_gateways_that_answer_each_other_stop_after_two_mails_a_day(db: Db) {
        let folder = testkit::folder::Folder::new().unwrap();
        let other = Db::open_sqlite(&folder.path().join("other.db"), Default::default()).await.unwrap();
        store::migrate::run(&other, model::Time(0)).await.unwrap();
        let (mut one, one_box) = answering(db, "helpdesk@acme.example").await;
        let (mut two, two_box) = answering(other, "info@firma.example").await;
        for naive in [false, true] {
            let (before_one, before_two) = (queued(&one).await.len(), queued(&two).await.len());
            let begin = Mail { from: "info@firma.example", to: "helpdesk@acme.example", id: if naive { "b@x" } else { "a@x" }, subject: "Hello", text: "Hello, could you help? Thanks", ..Mail::default() };
            one.arrives(one_box, begin).await;
            let (mut read_one, mut read_two) = (before_one, before_two);
            for turn in 0..20 {
                let from_one: Vec<Vec<u8>> = queued(&one).await.into_iter().skip(read_one).map(|(.., raw)| raw).collect();
                let from_two: Vec<Vec<u8>> = queued(&two).await.into_iter().skip(read_two).map(|(.., raw)| raw).collect();
                (read_one, read_two) = (read_one + from_one.len(), read_two + from_two.len());
                for (at, raw) in from_one.into_iter().enumerate() {
                    let raw = if naive { stripped(&raw, "helpdesk@acme.example", "info@firma.example", turn * 10 + at) } else { raw };
                    two.bytes_arrive(two_box, raw).await;
                }
                for (at, raw) in from_two.into_iter().enumerate() {
                    let raw = if naive { stripped(&raw, "info@firma.example", "helpdesk@acme.example", turn * 10 + at) } else { raw };
                    one.bytes_arrive(one_box, raw).await;
                }
            }
            let sent = queued(&one).await.len() - before_one + queued(&two).await.len() - before_two;
            // With headers the other side knows a machine's answer: one mail. Without, its answer is one too.
            assert_eq!(sent, if naive { 2 } else { 1 });
            one.desk.clock.advance_s(25 * 3600);
            two.desk.clock.advance_s(25 * 3600);
        }
        other_end(two).await;
    }
}

async fn other_end(office: Office) {
    office.desk.db.close().await;
}
