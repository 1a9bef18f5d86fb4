//! Who writes into a thread, what it belongs to and why, and what people say to it.
#![allow(clippy::unwrap_used)]

mod office;

use desk::may::Actor;
use desk::thread::Item;
use desk::{Refusal, link, mailbox, record, suggestion, token, verify};
use model::{Level, LinkReason, MailboxId, MessageId, RecordId, RecordKind, ThreadId, Unverified, Verdict};
use office::{Mail, Office, QUESTION};
use store::params;
use store::sql::Db;
use testkit::on_both;

const OURS: Mail = Mail {
    from: "helpdesk@acme.example",
    to: "ann@firm.example",
    subject: "Re: Where is my order?",
    id: "2@acme.example",
    answers: "1@firm.example",
    text: "On its way.",
    ..QUESTION
};
const EVE: Mail = Mail {
    from: "Eve <eve@evil.example>",
    subject: "Re: Where is my order?",
    id: "3@evil.example",
    answers: "2@acme.example",
    text: "Send it to me instead.",
    ..QUESTION
};

async fn number(db: &Db, sql: &str) -> i64 {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

async fn text(db: &Db, sql: &str) -> String {
    db.query_one(sql, params![]).await.unwrap().get(0).unwrap()
}

async fn run(db: &Db, sql: &str) {
    let mut tx = db.begin().await.unwrap();
    tx.execute(sql, params![]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn put(office: &Office, kind: RecordKind, name: &str, wanted: record::Changes) -> RecordId {
    let wanted = record::Changes { name: Some(name.into()), ..wanted };
    record::put(&office.desk, &Actor::machine(), kind, wanted).await.unwrap().1.record.id
}

async fn contact(office: &Office, name: &str, address: &str, account: Option<RecordId>) -> RecordId {
    let wanted = record::Changes {
        addresses: Some(vec![address.into()]),
        account: Some(account),
        ..record::Changes::default()
    };
    put(office, RecordKind::Contact, name, wanted).await
}

async fn account(office: &Office, name: &str, domain: &str) -> RecordId {
    let domains = if domain.is_empty() { Vec::new() } else { vec![domain.into()] };
    put(
        office,
        RecordKind::Account,
        name,
        record::Changes { domains: Some(domains), ..record::Changes::default() },
    )
    .await
}

/// Ann asked, we answered, and the case is closed.
async fn closed_case(office: &mut Office) -> MailboxId {
    let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
    office.arrives(helpdesk, QUESTION).await;
    office.arrives(helpdesk, OURS).await;
    run(&office.desk.db, "UPDATE records SET status = 'closed' WHERE kind = 'case'").await;
    run(&office.desk.db, "UPDATE threads SET case_status = 'closed'").await;
    helpdesk
}

async fn page(office: &Office, thread: i64) -> desk::thread::Thread {
    desk::thread::open(&office.desk, &Actor::machine(), ThreadId(thread)).await.unwrap()
}

/// The message that was filed as the `n`-th.
async fn nth(office: &Office, n: i64) -> MessageId {
    let sql = format!("SELECT id FROM messages ORDER BY id LIMIT 1 OFFSET {}", n - 1);
    MessageId(number(&office.desk.db, &sql).await)
}

async fn message(office: &Office, n: i64) -> desk::message::Page {
    desk::message::open(&office.desk, &Actor::machine(), nth(office, n).await).await.unwrap()
}

fn words(page: &desk::message::Page) -> Vec<String> {
    page.why.iter().map(|step| format!("{} {} {}", step.step, step.result, step.detail)).collect()
}

/// What is suggested: name, reason, percent.
async fn suggested(office: &Office, thread: i64) -> Vec<(String, LinkReason, i64)> {
    let found = suggestion::list(&office.desk, &Actor::machine(), ThreadId(thread)).await.unwrap();
    found.into_iter().map(|one| (one.record.name, one.reason, one.confidence)).collect()
}

async fn linked(office: &Office, thread: i64) -> Vec<(String, LinkReason)> {
    let links = page(office, thread).await.links;
    links.into_iter().map(|link| (link.record.name, link.reason)).collect()
}

const CLOSED: &str = "SELECT COUNT(*) FROM records WHERE kind = 'case' AND status = 'closed'";

on_both! {
    async fn b8_a_stranger_is_shown_and_marked_until_a_person_says_that_it_is_right(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        let eve = contact(&office, "Eve", "eve@evil.example", None).await;
        office.arrives(helpdesk, EVE).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads").await, 1);
        assert_eq!(number(&db, CLOSED).await, 1, "a stranger opens nothing again");
        let shown = message(&office, 3).await;
        assert_eq!(shown.message.unverified, Some(Unverified::Stranger));
        assert_eq!(words(&shown), ["thread reply 1", "thread unverified stranger", "case noted 1"]);
        assert_eq!(suggested(&office, 1).await, [("Eve".to_owned(), LinkReason::From, 47)]);
        // Writing twice makes nobody known.
        office.arrives(helpdesk, Mail { id: "4@evil.example", answers: "3@evil.example", ..EVE }).await;
        assert_eq!(message(&office, 4).await.message.unverified, Some(Unverified::Stranger));

        let machine = Actor::machine();
        verify::verify(&office.desk, &machine, nth(&office, 3).await).await.unwrap();
        let again = verify::verify(&office.desk, &machine, nth(&office, 3).await).await.unwrap_err();
        assert!(matches!(again, Refusal::Conflict { code: "verified_already", .. }), "{again:?}");
        assert_eq!(message(&office, 3).await.message.unverified, None);
        assert_eq!(text(&db, "SELECT data FROM stream WHERE kind = 'verified'").await, r#"{"name":"eve@evil.example"}"#);
        // What its filing held back is made up for.
        assert_eq!(number(&db, CLOSED).await, 0);
        assert!(linked(&office, 1).await.contains(&("Eve".to_owned(), LinkReason::From)));
        assert_eq!(suggested(&office, 1).await, []);
        let why = words(&message(&office, 3).await);
        assert_eq!(why[0], "thread reply 1");
        assert!(why.contains(&"link from eve@evil.example".to_owned()) && why.contains(&"case reopened 1".to_owned()), "{why:?}");
        let (stream, _) = record::stream(&office.desk, &machine, eve, None, 9).await.unwrap();
        assert_eq!(stream[0].message.as_ref().map(|one| one.id), Some(nth(&office, 3).await));
        run(&db, "UPDATE records SET status = 'closed' WHERE kind = 'case'").await;
        run(&db, "UPDATE threads SET case_status = 'closed'").await;
        office.arrives(helpdesk, Mail { id: "5@evil.example", ..EVE }).await;
        assert_eq!(message(&office, 5).await.message.unverified, None);
        assert_eq!(number(&db, CLOSED).await, 0);
    }

    async fn b8_who_was_not_told_of_a_stranger_is_told_when_a_person_trusts_the_message(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        let person = async |login| office.person(login, Level::All, Level::All, &[]).await;
        let (lead, ben, carla) = (person("lead").await, person("ben").await, person("carla").await);
        let eve = contact(&office, "Eve", "eve@evil.example", None).await;
        for who in [&lead, &ben] {
            record::follow(&office.desk, who, eve).await.unwrap();
        }
        let case = RecordId(number(&db, "SELECT id FROM records WHERE kind = 'case'").await);
        let given = desk::case::Changes { assignee: Some(carla.user), ..desk::case::Changes::default() };
        desk::case::change(&office.desk, &Actor::machine(), case, given).await.unwrap();
        office.arrives(helpdesk, EVE).await;
        let told = async |who: &Actor| {
            let (_, _, rows) = desk::notification::page(&office.desk, who, 0, 9).await.unwrap();
            rows.into_iter().map(|row| format!("{} {}", row.kind, row.count)).collect::<Vec<_>>()
        };
        assert_eq!(told(&ben).await, Vec::<String>::new(), "Eve is linked to nothing yet");
        let before = told(&carla).await;
        verify::verify(&office.desk, &lead, nth(&office, 3).await).await.unwrap();
        assert_eq!(told(&ben).await, ["mail_on_followed 1"]);
        assert_eq!(told(&lead).await, Vec::<String>::new(), "who said so knows it");
        assert_eq!(before, ["reply_on_mine 1", "assigned 1"]);
        assert_eq!(told(&carla).await, ["reply_on_mine 2", "assigned 1"], "the case is open again");
        assert_eq!(number(&db, CLOSED).await, 0);
    }

    async fn b8_a_copy_of_one_mailboxs_mail_shows_nothing_else_of_it_to_anothers_readers(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let sales = office.mailbox("sales@acme.example", None).await;
        office.arrives(helpdesk, QUESTION).await;
        office.arrives(helpdesk, OURS).await;
        // Whoever has the question sends it on later, as it is or with another recipient in its header.
        office.desk.clock.advance_s(2 * 3600);
        for to in ["helpdesk@acme.example", "sales@acme.example"] {
            office.arrives(sales, Mail { to, ..QUESTION }).await;
        }
        let desk = office.desk.clone();
        let reader = |id: MailboxId| Actor { mail: Level::Team, team_mailboxes: vec![id], ..Actor::machine() };
        let threads = async |who: Actor| {
            let page = desk::thread::list(&desk, &who, store::threads::View::All, None, 0, 9).await.unwrap();
            page.rows.into_iter().map(|row| (row.id.0, row.messages)).collect::<Vec<_>>()
        };
        assert_eq!(threads(reader(helpdesk)).await, [(1, 2)]);
        let apart = message(&office, 3).await.message.thread.0;
        assert_eq!(threads(reader(sales)).await, [(apart, 1)], "that message, once, and nothing of the answer");
        assert_eq!(words(&message(&office, 3).await)[0], "thread new ");
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 2);
        // What follows in one of them stays there, although it names ids of both.
        office.arrives(sales, Mail { from: "sales@acme.example", to: "ann@firm.example", id: "7@acme.example", answers: "1@firm.example", ..QUESTION }).await;
        assert_eq!(threads(reader(sales)).await, [(apart, 2)]);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL").await, 2);
    }

    async fn b8_a_copy_that_is_meant_for_both_mailboxes_is_one_thread_of_both(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let sales = office.mailbox("sales@acme.example", None).await;
        // To both, and fetched late by one of them.
        let both = Mail { to: "helpdesk@acme.example, sales@acme.example", ..QUESTION };
        office.arrives(helpdesk, both.clone()).await;
        office.arrives(helpdesk, OURS).await;
        office.desk.clock.advance_s(2 * 3600);
        office.arrives(sales, both).await;
        // To an alias of both, before anybody answers; then it is a thread of both for good.
        let alias = Mail { to: "all@acme.example", id: "a@firm.example", subject: "To all", ..QUESTION };
        office.arrives(helpdesk, alias.clone()).await;
        office.arrives(sales, alias).await;
        for mailbox in [helpdesk, sales] {
            office.arrives(mailbox, Mail { to: "all@acme.example", id: "b@firm.example", answers: "a@firm.example", ..QUESTION }).await;
        }
        // Fetched by one of them after the other had answered.
        let late = Mail { to: "all@acme.example", id: "c@firm.example", subject: "To all again", ..QUESTION };
        office.arrives(helpdesk, late.clone()).await;
        office.arrives(helpdesk, Mail { to: "all@acme.example", id: "d@firm.example", answers: "c@firm.example", ..QUESTION }).await;
        office.arrives(sales, late).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL").await, 3);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages").await, 6);
        let reader = Actor { mail: Level::Team, team_mailboxes: vec![helpdesk], ..Actor::machine() };
        let shown = desk::message::open(&office.desk, &reader, nth(&office, 1).await).await.unwrap().message;
        assert_eq!(shown.places.iter().map(|place| place.mailbox).collect::<Vec<_>>(), [helpdesk], "where else it lies is not theirs to know");
        let both = format!("SELECT COUNT(*) FROM thread_access WHERE token IN ('m{helpdesk}', 'm{sales}')");
        assert_eq!(number(&db, &both).await, 6);
    }

    async fn b8_a_message_that_is_not_right_leaves_for_good(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        office.arrives(helpdesk, EVE).await;
        let machine = Actor::machine();
        let new = verify::detach(&office.desk, &machine, nth(&office, 3).await).await.unwrap();
        let of = |page: &desk::thread::Thread| page.items.iter().filter(|item| matches!(item, Item::Message(_))).count();
        assert_eq!((of(&page(&office, 1).await), of(&page(&office, new.0).await)), (2, 1));
        assert_eq!(page(&office, new.0).await.row.from_name, "Eve");
        assert_eq!(message(&office, 3).await.message.unverified, None, "in a thread of its own there is nothing to doubt");
        assert_eq!(number(&db, "SELECT COUNT(*) FROM stream WHERE kind = 'detached'").await, 2);
        let only = verify::detach(&office.desk, &machine, nth(&office, 3).await).await.unwrap_err();
        assert!(matches!(only, Refusal::Conflict { code: "only_message", .. }), "{only:?}");
        // Our answer to Eve names ids of both threads, as programs do.
        let answer = Mail { id: "9@acme.example", to: "eve@evil.example", answers: "3@evil.example> <2@acme.example", ..OURS };
        office.arrives(helpdesk, answer).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL").await, 2);
        assert_eq!(message(&office, 4).await.message.thread, new);
        // And Eve's answer to that goes there too.
        office.arrives(helpdesk, Mail { id: "10@evil.example", answers: "9@acme.example", ..EVE }).await;
        assert_eq!(message(&office, 5).await.message.thread, new);
        assert_eq!(number(&db, CLOSED).await, 1);
    }

    async fn t10_a_guessed_a_replayed_and_a_foreign_token_open_nothing(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        let mut tx = db.begin().await.unwrap();
        let key = token::key_for_signing(&office.desk, &mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let signed = key.mint(ThreadId(1), "helpdesk@acme.example");
        let letter = |from: &str, id: usize, answers: &str| {
            format!("From: {from}\r\nTo: helpdesk@acme.example\r\nSubject: Re: Where is my order? [case 1]\r\n\
                     Message-ID: <t{id}@x.example>\r\nIn-Reply-To: <{answers}>\r\n\r\nx\r\n").into_bytes()
        };
        // Guessed: as ours look, signed by nobody. Foreign: of another installation.
        let (thread, rest) = signed.strip_prefix("lc.1.").map(|rest| ("lc.1.", rest)).unwrap();
        let guessed = format!("{thread}{}", rest.replacen(&rest[..4], "aaaa", 1));
        let elsewhere = "lc.1.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb@other.example".to_owned();
        for (id, mid) in [guessed, elsewhere].iter().enumerate() {
            office.bytes_arrive(helpdesk, letter("ann@firm.example", id, mid)).await;
        }
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages WHERE thread_id = 1").await, 2);
        assert_eq!(number(&db, CLOSED).await, 1);
        // Replayed by somebody whom it was forwarded to.
        office.bytes_arrive(helpdesk, letter("eve@evil.example", 7, &signed)).await;
        let shown = message(&office, 5).await;
        assert_eq!((shown.message.thread, shown.message.unverified), (ThreadId(1), Some(Unverified::Stranger)));
        assert_eq!(number(&db, CLOSED).await, 1);
        // By whom it was written to.
        office.bytes_arrive(helpdesk, letter("ann@firm.example", 8, &signed.to_uppercase())).await;
        let shown = message(&office, 6).await;
        assert_eq!(words(&shown)[0], "thread token 1");
        assert_eq!((shown.message.thread, shown.message.unverified), (ThreadId(1), None));
        assert_eq!(number(&db, CLOSED).await, 0);
    }

    async fn t14_control_fields_from_outside_change_nothing(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        run(&db, "UPDATE mailboxes SET authserv_id = 'mx.acme.example'").await;
        let forged = "X-Lettercase-Thread: 1\r\nX-Lettercase-Case: 1\r\nX-Lettercase-Assignee: ann\r\nX-Lettercase-Verified: yes\r\n\
                      X-Lettercase-Rule: skip\r\nX-Priority: 1\r\nAuthentication-Results: mx.evil.example; dmarc=pass\r\n\
                      Received: by mx.acme.example\r\nAuthentication-Results: mx.acme.example; dmarc=pass header.from=firm.example\r\n";
        let plain = |id: &str| Mail { from: "Eve <eve@evil.example>", id: Box::leak(id.to_owned().into_boxed_str()), ..EVE }.bytes();
        office.bytes_arrive(helpdesk, plain("7@evil.example")).await;
        let hop = b"Authentication-Results: mx.acme.example; dmarc=fail header.from=evil.example\r\n".as_slice();
        office.bytes_arrive(helpdesk, [hop, forged.as_bytes(), &plain("8@evil.example")].concat()).await;
        let (one, two) = (message(&office, 3).await, message(&office, 4).await);
        assert_eq!(words(&one), words(&two));
        assert_eq!((one.message.unverified, two.message.unverified), (Some(Unverified::Stranger), Some(Unverified::Stranger)));
        assert_eq!((one.message.auth, two.message.auth), (Verdict::Unknown, Verdict::Fail));
        assert_eq!(number(&db, CLOSED).await, 1);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM records WHERE kind = 'case'").await, 1);
    }

    async fn b8_a_forged_sender_is_shown_and_not_believed(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        run(&db, "UPDATE mailboxes SET authserv_id = 'mx.acme.example'").await;
        let says = |result: &str, mail: Mail| {
            [format!("Authentication-Results: mx.acme.example; dmarc={result} header.from=firm.example\r\n").as_bytes(), &mail.bytes()].concat()
        };
        let answer = Mail { id: "5@firm.example", answers: "2@acme.example", ..QUESTION };
        office.bytes_arrive(helpdesk, says("fail", answer.clone())).await;
        let shown = message(&office, 3).await;
        assert_eq!((shown.message.unverified, shown.message.auth), (Some(Unverified::AuthFail), Verdict::Fail));
        assert_eq!(number(&db, CLOSED).await, 1);
        office.bytes_arrive(helpdesk, says("pass", Mail { id: "6@firm.example", ..answer })).await;
        assert_eq!(message(&office, 4).await.message.auth, Verdict::Pass);
        assert_eq!(number(&db, CLOSED).await, 0);
        assert_eq!(mailbox::server_name_seen(&office.desk, helpdesk).await.unwrap().as_deref(), Some("mx.acme.example"));
    }

    async fn b8_two_threads_of_others_do_not_become_one(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        office.arrives(helpdesk, QUESTION).await;
        office.arrives(helpdesk, Mail { from: "Ben <ben@other.example>", id: "7@other.example", subject: "Prices", ..QUESTION }).await;
        // Ben knows an id of Ann's thread.
        let both = Mail { from: "Ben <ben@other.example>", id: "8@other.example", answers: "1@firm.example> <7@other.example", ..QUESTION };
        office.arrives(helpdesk, both).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads WHERE merged_into IS NULL").await, 2);
        let shown = message(&office, 3).await;
        assert_eq!(shown.message.unverified, Some(Unverified::Stranger), "the first id of In-Reply-To is Ann's");
        assert!(words(&shown).contains(&"thread merge_not_trusted 2".to_owned()), "{:?}", words(&shown));
        let case: (String, LinkReason, i64) = ("Prices".into(), LinkReason::Reply, 48);
        assert_eq!(suggested(&office, 1).await, [case]);
    }

    async fn b3_of_several_accounts_a_person_says_which(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let (one, two) = (account(&office, "One", "").await, account(&office, "Two", "").await);
        let ann = contact(&office, "Ann", "ann@firm.example", Some(one)).await;
        run(&db, &format!("INSERT INTO record_accounts (record_id, account_id) VALUES ({ann}, {two})")).await;
        office.arrives(helpdesk, QUESTION).await;
        assert!(words(&message(&office, 1).await).contains(&"link several_accounts Ann".to_owned()));
        assert_eq!(linked(&office, 1).await[1..], [("Ann".to_owned(), LinkReason::From)]);
        let both = [("One".to_owned(), LinkReason::ContactOf, 40), ("Two".to_owned(), LinkReason::ContactOf, 40)];
        assert_eq!(suggested(&office, 1).await, both);
        let machine = Actor::machine();
        let made = suggestion::accept(&office.desk, &machine, ThreadId(1), two).await.unwrap();
        assert_eq!((made.reason, made.detail.as_str()), (LinkReason::ByHand, "Ann"));
        suggestion::dismiss(&office.desk, &machine, ThreadId(1), one).await.unwrap();
        assert_eq!(suggested(&office, 1).await, []);
        let gone = suggestion::accept(&office.desk, &machine, ThreadId(1), one).await.unwrap_err();
        assert!(matches!(gone, Refusal::NotFound), "{gone:?}");
        // The next mail asks no more.
        office.arrives(helpdesk, Mail { id: "5@firm.example", answers: "1@firm.example", ..QUESTION }).await;
        assert_eq!(suggested(&office, 1).await, []);
    }

    async fn b3_one_of_several_accounts_has_the_writers_domain(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let (one, two) = (account(&office, "One", "").await, account(&office, "Two", "firm.example").await);
        let ann = contact(&office, "Ann", "ann@firm.example", Some(one)).await;
        run(&db, &format!("INSERT INTO record_accounts (record_id, account_id) VALUES ({ann}, {two})")).await;
        office.arrives(helpdesk, QUESTION).await;
        let names: Vec<String> = linked(&office, 1).await.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names[1..], ["Ann", "Two"]);
        assert_eq!(suggested(&office, 1).await, []);
    }

    async fn b3_a_converted_leads_mail_goes_to_the_contact_and_its_account(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let firm = account(&office, "Firm", "").await;
        let ann = contact(&office, "Ann", "ann@elsewhere.example", Some(firm)).await;
        let wanted = record::Changes { addresses: Some(vec!["ann@firm.example".into()]), ..record::Changes::default() };
        let lead = put(&office, RecordKind::Lead, "Lead Ann", wanted).await;
        run(&db, &format!("UPDATE records SET converted_into = {ann} WHERE id = {lead}")).await;
        office.arrives(helpdesk, QUESTION).await;
        assert_eq!(linked(&office, 1).await[1..], [("Ann".to_owned(), LinkReason::From), ("Firm".to_owned(), LinkReason::ContactOf)]);
    }

    async fn b3_a_number_in_the_subject_suggests_the_case_and_joins_nothing(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        office.arrives(helpdesk, Mail { id: "8@evil.example", answers: "", subject: "Re: [#1] Where is my order?", ..EVE }).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads").await, 2);
        assert_eq!(suggested(&office, message(&office, 3).await.message.thread.0).await, [("Where is my order?".to_owned(), LinkReason::Number, 40)]);
        assert_eq!(number(&db, CLOSED).await, 1);
    }

    async fn b2_what_a_person_unlinked_is_not_linked_again(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let ann = contact(&office, "Ann", "ann@firm.example", None).await;
        office.arrives(helpdesk, QUESTION).await;
        let machine = Actor::machine();
        let made = page(&office, 1).await.links.into_iter().find(|link| link.record.id == ann).unwrap();
        link::remove(&office.desk, &machine, made.id).await.unwrap();
        office.arrives(helpdesk, Mail { id: "5@firm.example", answers: "1@firm.example", ..QUESTION }).await;
        assert_eq!(linked(&office, 1).await.len(), 1, "the case alone");
        assert_eq!(suggested(&office, 1).await, []);
        // By hand it can be linked at any time; and then it may be suggested anew when it is taken away elsewhere.
        link::add(&office.desk, &machine, ThreadId(1), ann).await.unwrap();
        assert_eq!(number(&db, "SELECT COUNT(*) FROM suggestions").await, 0);
    }

    async fn b2_a_record_that_came_after_its_mail_is_suggested_like_any_other(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        office.arrives(helpdesk, QUESTION).await;
        let ann = contact(&office, "Ann", "ann@firm.example", None).await;
        assert_eq!(suggested(&office, 1).await, [("Ann".to_owned(), LinkReason::From, 95)]);
        suggestion::dismiss(&office.desk, &Actor::machine(), ThreadId(1), ann).await.unwrap();
        assert_eq!(suggested(&office, 1).await, []);
    }

    async fn b9_a_bounce_stands_at_the_message_it_speaks_of(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        let bounce = |id: &str, original: &str| format!(
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.firm.example\r\nTo: helpdesk@acme.example\r\nSubject: Undelivered Mail\r\n\
             Message-ID: <{id}@mx.firm.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nYour mail was not delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.firm.example\r\n\r\nFinal-Recipient: rfc822; ann@firm.example\r\nAction: failed\r\nStatus: 5.2.2\r\n\
             Diagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
             Message-ID: <{original}>\r\nFrom: helpdesk@acme.example\r\nTo: ann@firm.example\r\nSubject: Re: Where is my order?\r\n\r\nx\r\n--b--\r\n").into_bytes();
        office.bytes_arrive(helpdesk, bounce("1", "2@acme.example")).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads").await, 1);
        assert_eq!(number(&db, CLOSED).await, 1, "a bounce opens nothing again");
        assert_eq!(message(&office, 3).await.message.unverified, None);
        let (of, marks) = message(&office, 2).await.message.bounces.remove(0);
        let failure = desk::message::Marks::read(&marks).failures.remove(0);
        assert_eq!((of, failure.address.as_str(), failure.permanent), (nth(&office, 3).await, "ann@firm.example", Some(true)));
        assert!(failure.diagnostic.unwrap().contains("mailbox full"));
        // One that speaks of somebody else's message is no bounce of ours.
        office.bytes_arrive(helpdesk, bounce("2", "1@firm.example")).await;
        assert_eq!(number(&db, "SELECT COUNT(*) FROM messages WHERE bounce_of IS NOT NULL").await, 1);
        assert_eq!(message(&office, 4).await.message.unverified, Some(Unverified::Stranger));
    }

    async fn a7_what_was_suggested_goes_with_a_cleared_mailbox(db: Db) {
        let mut office = Office::new(db.clone());
        let helpdesk = closed_case(&mut office).await;
        contact(&office, "Eve", "eve@evil.example", None).await;
        office.arrives(helpdesk, EVE).await;
        run(&db, "UPDATE mailboxes SET active = FALSE").await;
        assert_eq!(mailbox::clear(&office.desk, &Actor::machine(), helpdesk, None).await.unwrap().messages, 3);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM suggestions WHERE message_id IS NOT NULL").await, 0);
    }

    async fn b8_a_batch_knows_of_its_own_letters_who_takes_part(db: Db) {
        let office = Office::new(db.clone());
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let letters = [QUESTION, OURS, EVE, Mail { id: "4@evil.example", ..EVE }, Mail { id: "5@firm.example", answers: "2@acme.example", ..QUESTION }];
        office.arrive_together(helpdesk, letters.iter().map(Mail::bytes).collect()).await;
        let marks: Vec<Option<Unverified>> = {
            let mut all = Vec::new();
            for id in 1..=5 {
                all.push(message(&office, id).await.message.unverified);
            }
            all
        };
        let stranger = Some(Unverified::Stranger);
        assert_eq!(marks, [None, None, stranger, stranger, None]);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM threads").await, 1);
    }
}
