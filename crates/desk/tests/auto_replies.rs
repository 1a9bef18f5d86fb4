//! Automatic replies (D3): who is answered, in which language, how often, and what stands in the thread of it.
#![allow(clippy::unwrap_used)]

mod office;

use desk::may::Actor;
use desk::template;
use model::{Level, MailboxId, TemplateId};
use office::{Mail, Office};
use store::mailboxes;
use store::sql::Db;
use store::templates::Text;
use testkit::on_both;

fn text(language: &str, body: &str) -> Text {
    Text { language: language.into(), subject: String::new(), body: body.into() }
}

/// A template in Czech and English that names the case and the customer.
async fn template(office: &Office) -> TemplateId {
    let texts = vec![
        text("en", "Hello {{customer.name|there}}, your case is {{case.number}}."),
        text("cs", "Dobrý den, váš případ má číslo {{case.number}}."),
    ];
    let actor = Actor::machine();
    template::add(&office.desk, &actor, "Received", texts).await.unwrap().id
}

/// A company whose helpdesk answers by itself.
async fn helpdesk(db: Db) -> (Office, MailboxId) {
    let office = Office::new(db);
    let mailbox = office.mailbox("helpdesk@acme.example", None).await;
    office.sends(mailbox).await;
    let id = template(&office).await;
    template::set_auto_reply(&office.desk, &Actor::machine(), mailbox, Some(id)).await.unwrap();
    (office, mailbox)
}

/// What waits to be sent: envelope sender, recipient, letter; oldest first.
async fn queued(office: &Office) -> Vec<(String, String, mail::Letter)> {
    let sql = &office.desk.db;
    let text = "SELECT o.envelope_from, r.address, o.raw FROM outbox o \
                JOIN outbox_recipients r ON r.outbox_id = o.id ORDER BY o.id, r.address";
    let rows = sql.query(text, store::params![]).await.unwrap();
    let one = |row: &store::sql::Row| {
        let raw: Vec<u8> = row.get(2).unwrap();
        (row.get(0).unwrap(), row.get(1).unwrap(), mail::parse::parse(&raw))
    };
    rows.iter().map(one).collect()
}

fn ann(id: &'static str, text: &'static str) -> Mail {
    Mail {
        from: "Ann Example <ann@firma.example>",
        to: "helpdesk@acme.example",
        subject: "Broken printer",
        id,
        text,
        ..Mail::default()
    }
}

on_both! {
    async fn d3_the_first_mail_of_a_case_is_answered_once_in_its_writers_language(db: Db) {
        let (mut office, mailbox) = helpdesk(db).await;
        office.arrives(mailbox, ann("1@firma.example", "Dobrý den, tiskárna nejde. Prosím o pomoc, děkuji.")).await;
        let sent = queued(&office).await;
        let [(from, to, letter)] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!((from.as_str(), to.as_str()), ("", "ann@firma.example"), "the null sender: no bounce comes back");
        assert_eq!(letter.text.trim(), "Dobrý den, váš případ má číslo 1.");
        assert_eq!(letter.subject, "Auto: Broken printer");
        assert_eq!(letter.auto_submitted.as_deref(), Some("auto-replied"));
        assert_eq!(letter.headers.get("X-Auto-Response-Suppress"), Some("All"));
        assert_eq!(letter.in_reply_to, ["1@firma.example"]);
        assert_eq!(letter.from[0].address, "helpdesk@acme.example");
        // A second mail of the thread, and a copy of the first, are not answered.
        let answer = Mail { answers: "1@firma.example", ..ann("2@firma.example", "And?") };
        office.arrives(mailbox, answer).await;
        office.arrives(mailbox, ann("1@firma.example", "Dobrý den, tiskárna nejde. Prosím o pomoc, děkuji.")).await;
        assert_eq!(queued(&office).await.len(), 1);
    }

    async fn d3_the_reply_stands_in_the_thread_as_sent_by_a_machine_and_answers_nothing(db: Db) {
        let (mut office, mailbox) = helpdesk(db).await;
        office.arrives(mailbox, ann("1@firma.example", "Hello, could you help? Thanks")).await;
        let actor = office.person("zofie", Level::All, Level::All, &[]).await;
        let page = desk::thread::list(&office.desk, &actor, store::threads::View::All, None, 0, 10).await.unwrap();
        let thread = desk::thread::open(&office.desk, &actor, page.rows[0].id).await.unwrap();
        let messages: Vec<_> = thread.items.iter().filter_map(|item| match item {
            desk::thread::Item::Message(message) => Some(message),
            desk::thread::Item::Entry(_) => None,
        }).collect();
        assert_eq!(messages.len(), 2);
        let reply = messages.iter().find(|message| message.outgoing).unwrap();
        assert!(reply.snippet.starts_with("Hello Ann Example, your case is 1."), "{}", reply.snippet);
        assert_eq!(desk::message::Marks::of(reply).auto_reply.as_deref(), Some("auto_submitted"));
        // Its bytes are kept, it is found, and the ledger is whole.
        let raw = desk::message::raw(&office.desk, &actor, reply.id, None).await.unwrap();
        assert!(String::from_utf8(raw).unwrap().contains("Auto-Submitted: auto-replied"));
        for row in store::folders::ledger(&mut &office.desk.db, None).await.unwrap() {
            assert!(row.folder == "INBOX" || row.difference == 0, "{row:?}");
        }
        let sql = &office.desk.db;
        let row = sql.query_one("SELECT t.last_in_at IS NOT NULL, t.last_out_at IS NULL, r.first_reply_at IS NULL \
            FROM threads t JOIN records r ON r.id = t.case_id", store::params![]).await.unwrap();
        assert_eq!([0, 1, 2].map(|at| row.get::<bool>(at).unwrap()), [true; 3], "nobody has answered yet");
        // The answer to it joins the thread by our signed id, also where nothing else is known of it.
        let mid: &'static str = String::leak(reply.mid.clone());
        office.arrives(mailbox, Mail { answers: mid, ..ann("9@firma.example", "Thanks") }).await;
        let page = desk::thread::list(&office.desk, &actor, store::threads::View::All, None, 0, 10).await.unwrap();
        assert_eq!((page.total, page.rows[0].messages), (1, 3));
    }

    async fn t26_a_sender_is_answered_once_a_day_by_a_mailbox_and_four_times_by_all(db: Db) {
        let (mut office, mailbox) = helpdesk(db).await;
        for id in ["1@x.example", "2@x.example", "3@x.example"] {
            office.arrives(mailbox, ann(id, "Hello, could you help? Thanks")).await;
        }
        // Another tag behind the plus is not another sender.
        let tagged = Mail { from: "ann+ticket17@firma.example", ..ann("4@x.example", "Hello again") };
        office.arrives(mailbox, tagged).await;
        assert_eq!(queued(&office).await.len(), 1);
        let id = template::list(&office.desk, &Actor::machine()).await.unwrap()[0].id;
        for name in ["sales", "press", "orders", "invoices", "jobs"] {
            let address: &'static str = String::leak(format!("{name}@acme.example"));
            let other = office.mailbox(address, None).await;
            office.sends(other).await;
            template::set_auto_reply(&office.desk, &Actor::machine(), other, Some(id)).await.unwrap();
            let id: &'static str = String::leak(format!("{name}@firma.example"));
            office.arrives(other, Mail { to: address, ..ann(id, "Hello, could you help? Thanks") }).await;
        }
        assert_eq!(queued(&office).await.len(), 4);
        office.desk.clock.advance_s(24 * 3600);
        office.arrives(mailbox, ann("5@x.example", "Hello, could you help? Thanks")).await;
        assert_eq!(queued(&office).await.len(), 5);
    }

    async fn t26_machines_lists_copies_to_others_and_history_are_not_answered(db: Db) {
        let (mut office, mailbox) = helpdesk(db).await;
        for (at, head) in [
            "Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "Precedence: bulk",
            "X-Auto-Response-Suppress: All", "List-Id: <a.example>", "Return-Path: <>",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        ].into_iter().enumerate() {
            let raw = format!("{head}\r\nFrom: p{at}@firma.example\r\nTo: helpdesk@acme.example\r\nSubject: x\r\n\
                Message-ID: <{at}@firma.example>\r\n\r\nHello, could you help? Thanks\r\n");
            office.bytes_arrive(mailbox, raw.into_bytes()).await;
        }
        let blind = Mail { to: "friends@elsewhere.example", ..ann("b@x.example", "Hello") };
        office.arrives(mailbox, blind).await;
        office.arrives(mailbox, Mail { from: "helpdesk@acme.example", ..ann("c@x.example", "Hello") }).await;
        assert_eq!(queued(&office).await.len(), 0);
        office.arrives(mailbox, ann("d@x.example", "Hello")).await;
        assert_eq!(queued(&office).await.len(), 1, "and a person is");
    }

    async fn t26_a_mailbox_answers_two_hundred_times_an_hour_and_then_somebody_is_told(db: Db) {
        let (mut office, mailbox) = helpdesk(db).await;
        let keeper = office.person("keeper", Level::All, Level::All, &[]).await;
        let mut tx = office.desk.db.begin().await.unwrap();
        let mut kept = mailboxes::mailbox(&mut tx, mailbox).await.unwrap().unwrap();
        kept.keeper = keeper.user;
        mailboxes::change(&mut tx, &kept).await.unwrap();
        tx.commit().await.unwrap();
        for at in 0..202 {
            let raw = format!("From: p{at}@firma{at}.example\r\nTo: helpdesk@acme.example\r\nSubject: x\r\n\
                Message-ID: <{at}@firma.example>\r\n\r\nHello, could you help? Thanks\r\n");
            office.bytes_arrive(mailbox, raw.into_bytes()).await;
        }
        assert_eq!(queued(&office).await.len(), 200);
        let (total, _, told) = desk::notification::page(&office.desk, &keeper, 0, 10).await.unwrap();
        assert_eq!((total, told[0].kind.as_str()), (1, "auto_replies_stopped"));
    }
}
