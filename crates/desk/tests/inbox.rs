//! Stories of the inbox: mail arrives, people read it, answer for it, and see what is theirs.
#![allow(clippy::unwrap_used)]

mod office;

use desk::case::{self, Changes, Priority};
use desk::may::Actor;
use desk::thread::Item;
use desk::{Desk, Refusal, link, message, note, record, search, thread};
use expect_test::expect;
use model::{CaseStatus, Level, LinkReason, RecordKind, ThreadId};
use office::{Mail, Office};
use store::sql::Db;
use store::threads::{Part, View};
use testkit::on_both;

/// A list as a person reads it.
async fn inbox(desk: &Desk, actor: &Actor, view: View) -> String {
    let page = thread::list(desk, actor, view, None, 0, 50).await.unwrap();
    assert_eq!(page.total as usize, page.rows.len());
    let mut out = String::new();
    for row in page.rows {
        let unread = if row.unread { "*" } else { "." };
        let case = row.case.map_or("-".to_owned(), |case| {
            let assignee = case.assignee.map_or("nobody".to_owned(), |(_, name)| name);
            format!("#{} {} {assignee}", case.number, case.status)
        });
        let records: Vec<String> = row.records.into_iter().map(|r| r.name).collect();
        let from = if row.from_name.is_empty() { row.from_address } else { row.from_name };
        let (subject, count, records) = (row.subject, row.messages, records.join(", "));
        out.push_str(format!("{unread} {from}: {subject} ({count}) [{case}] {records}").trim_end());
        out.push('\n');
    }
    out
}

/// A thread as a person reads it.
async fn read(desk: &Desk, actor: &Actor, id: ThreadId) -> String {
    let thread = thread::open(desk, actor, id).await.unwrap();
    let lines = thread.items.iter().map(|item| match item {
        Item::Message(message) => format!("{}: {}\n", message.from.address, message.snippet),
        Item::Entry(entry) => {
            let who = entry.user.as_ref().map_or("-", |(_, name)| name.as_str());
            format!("  {} by {who} {}{}\n", entry.kind, entry.body, entry.data)
        }
    });
    lines.collect()
}

const QUESTION: Mail = Mail {
    from: "Ann Nováková <ann@firm.example>",
    to: "helpdesk@acme.example",
    subject: "Where is my order?",
    id: "q1@firm.example",
    answers: "",
    text: "Hello,\nI wait for order 4711.\nAnn",
    kind: "",
};

const MORE: Mail = Mail {
    subject: "Re: Where is my order?",
    id: "q2@firm.example",
    answers: "q1@firm.example",
    text: "Any news?",
    ..QUESTION
};

const INVOICE: Mail = Mail {
    from: "ben@beta.example",
    to: "orders@acme.example",
    subject: "Faktúra 12",
    id: "f12@beta.example",
    answers: "",
    text: "Prosím o zaplatenie faktúry.\n\nBen",
    kind: "",
};

fn code(result: Result<impl Sized, Refusal>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(Refusal::NotFound) => "not found",
        Err(Refusal::Forbidden(_)) => "forbidden",
        Err(Refusal::Conflict { code, .. }) => code,
        Err(Refusal::Invalid { field, .. }) => field,
        Err(Refusal::Failed(error)) => panic!("{error:#}"),
    }
}

on_both! {
    async fn a_case_goes_from_new_to_closed_and_back(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        office.arrives(helpdesk, QUESTION).await;
        let desk = office.desk.clone();
        expect![[r#"
            * Ann Nováková: Where is my order? (1) [#1 open nobody]
        "#]].assert_eq(&inbox(&desk, &lead, View::Unassigned).await);
        let id = thread::list(&desk, &lead, View::All, None, 0, 1).await.unwrap().rows[0].id;
        let row = thread::open(&desk, &lead, id).await.unwrap().row;
        let case = row.case.unwrap().id;

        thread::mark_read(&desk, &lead, id).await.unwrap();
        note::in_thread(&desk, &lead, id, " call her ").await.unwrap();
        let to_me = Changes { assignee: Some(lead.user), priority: Some(Priority::High), ..Changes::default() };
        case::change(&desk, &lead, case, to_me).await.unwrap();
        expect![[r#"
            . Ann Nováková: Where is my order? (1) [#1 open lead]
        "#]].assert_eq(&inbox(&desk, &lead, View::Mine).await);
        assert_eq!(inbox(&desk, &lead, View::Unassigned).await, "");

        desk.clock.advance_s(60);
        let closed = Changes { status: Some(CaseStatus::Closed), ..Changes::default() };
        let page = case::change(&desk, &lead, case, closed).await.unwrap();
        assert_eq!(page.part.closed_at, Some(desk.clock.now()));
        assert_eq!(inbox(&desk, &lead, View::Mine).await, "");
        expect![[r#"
            . Ann Nováková: Where is my order? (1) [#1 closed lead]
        "#]].assert_eq(&inbox(&desk, &lead, View::Closed).await);

        desk.clock.advance_s(60);
        office.arrives(helpdesk, MORE).await;
        expect![[r#"
            * Ann Nováková: Where is my order? (2) [#1 open lead]
        "#]].assert_eq(&inbox(&desk, &lead, View::Mine).await);
        expect![[r#"
            ann@firm.example: Hello, I wait for order 4711. Ann
              case_created by - {"number":"1"}
              note by lead call her{}
              assigned by lead {"from":"","to":"lead"}
              priority_changed by lead {"from":"normal","to":"high"}
              status_changed by lead {"from":"open","to":"closed"}
            ann@firm.example: Any news?
              reopened by - {}
        "#]].assert_eq(&read(&desk, &lead, id).await);
        let views = thread::views(&desk, &lead).await.unwrap();
        let counts: Vec<String> = views.counts.iter().map(|(view, count)| format!("{view} {count}")).collect();
        expect!["mine 1, unassigned 0, open 1, waiting 0, snoozed 0, overdue 0, closed 0, unlinked 0, all 1"].assert_eq(&counts.join(", "));
        assert_eq!((views.mailboxes[0].id, views.mailboxes[0].open), (helpdesk, 1));

        thread::mark_unread(&desk, &lead, id).await.unwrap();
        assert!(thread::open(&desk, &lead, id).await.unwrap().row.unread);
    }

    async fn e8_what_is_not_mine_is_not_there(db: Db) {
        let mut office = Office::new(db);
        let support = office.team("Support").await;
        let helpdesk = office.mailbox("helpdesk@acme.example", Some(support)).await;
        let orders = office.mailbox("orders@acme.example", None).await;
        office.arrives(helpdesk, QUESTION).await;
        office.arrives(orders, INVOICE).await;
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let agent = office.person("agent", Level::Team, Level::All, &[support]).await;
        let guest = office.person("guest", Level::No, Level::No, &[]).await;
        assert_eq!(inbox(&desk, &lead, View::All).await.lines().count(), 2);
        let seen = thread::list(&desk, &agent, View::All, None, 0, 50).await.unwrap();
        assert_eq!((seen.total, seen.rows[0].subject.as_str()), (1, "Where is my order?"));
        assert_eq!(inbox(&desk, &guest, View::All).await, "");
        for view in View::ALL {
            assert_eq!(thread::list(&desk, &guest, *view, Some(Part::Mailbox(orders)), 0, 50).await.unwrap().total, 0);
            assert_eq!(thread::list(&desk, &agent, *view, Some(Part::Mailbox(orders)), 0, 50).await.unwrap().total, 0);
        }
        let agents = thread::views(&desk, &agent).await.unwrap();
        assert_eq!(agents.mailboxes.iter().map(|m| m.id).collect::<Vec<_>>(), [helpdesk]);
        assert!(thread::views(&desk, &guest).await.unwrap().counts.iter().all(|(_, count)| *count == 0));

        let hidden = thread::list(&desk, &lead, View::All, Some(Part::Mailbox(orders)), 0, 50).await.unwrap().rows.remove(0);
        let letter = thread::open(&desk, &lead, hidden.id).await.unwrap();
        let Item::Message(hidden_message) = &letter.items[0] else { panic!("a message first") };
        let (hidden_id, case) = (hidden_message.id, hidden.case.unwrap().id);
        assert_eq!(code(thread::open(&desk, &agent, hidden.id).await), "not found");
        assert_eq!(code(thread::mark_read(&desk, &agent, hidden.id).await), "not found");
        assert_eq!(code(note::in_thread(&desk, &agent, hidden.id, "x").await), "not found");
        assert_eq!(code(link::add(&desk, &agent, hidden.id, case).await), "not found");
        assert_eq!(code(message::open(&desk, &agent, hidden_id).await), "not found");
        assert_eq!(code(message::raw(&desk, &agent, hidden_id, None).await), "not found");
        assert_eq!(code(message::attachment(&desk, &agent, hidden_id, 0).await), "not found");
        assert_eq!(code(case::open(&desk, &guest, case).await), "not found");
        for typed in ["faktura", "from:ben", "", "-x", "in:orders", "after:2020-01-01"] {
            let found = search::find(&desk, &agent, typed, None, 0, 50).await.unwrap();
            assert!(found.1.iter().all(|hit| hit.message.id != hidden_id), "{typed}");
            assert_eq!(found.0 as usize, found.1.len(), "{typed}");
            assert_eq!(search::find(&desk, &guest, typed, None, 0, 50).await.unwrap().0, 0, "{typed}");
        }
        // The agent sees all records, but not a case of whose mail they see nothing: it is called as that.
        assert_eq!(code(case::open(&desk, &agent, case).await), "not found");
        assert_eq!(code(record::stream(&desk, &agent, case, None, 50).await), "not found");
        assert_eq!(code(record::threads(&desk, &agent, case, 0, 50).await), "not found");

        // Given to the agent, it is theirs to see and to find.
        let given = Changes { assignee: Some(agent.user), ..Changes::default() };
        case::change(&desk, &lead, case, given).await.unwrap();
        assert_eq!(inbox(&desk, &agent, View::Mine).await.lines().count(), 1);
        assert_eq!(search::find(&desk, &agent, "faktúra", None, 0, 50).await.unwrap().0, 1);
        assert_eq!(code(thread::open(&desk, &agent, hidden.id).await), "done");
        assert_eq!(code(record::stream(&desk, &agent, case, None, 50).await), "done");
    }

    async fn b2_links_by_hand_and_from_addresses_say_why(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let desk = office.desk.clone();
        let named = |name: &str| record::Changes { name: Some(name.to_owned()), ..record::Changes::default() };
        let (_, firm) = record::put(&desk, &lead, RecordKind::Account, named("Firm a.s.")).await.unwrap();
        let ann = record::Changes {
            addresses: Some(vec!["Ann@Firm.example".to_owned()]),
            account: Some(Some(firm.record.id)),
            ..named("Ann Nováková")
        };
        let (_, ann) = record::put(&desk, &lead, RecordKind::Contact, ann).await.unwrap();
        assert_eq!(ann.record.addresses, ["ann@firm.example"]);
        office.arrives(helpdesk, QUESTION).await;
        let id = thread::list(&desk, &lead, View::All, None, 0, 1).await.unwrap().rows[0].id;
        let opened = thread::open(&desk, &lead, id).await.unwrap();
        let why: Vec<String> = opened.links.iter().map(|l| format!("{} {} {}", l.record.name, l.reason, l.detail)).collect();
        expect!["Where is my order? created_case Where is my order?; Ann Nováková from ann@firm.example; Firm a.s. contact_of Ann Nováková"].assert_eq(&why.join("; "));

        let (_, deal) = record::put(&desk, &lead, RecordKind::Opportunity, named("Big deal")).await.unwrap();
        let made = link::add(&desk, &lead, id, deal.record.id).await.unwrap();
        assert_eq!((made.reason, made.confidence, made.by.unwrap().1.as_str()), (LinkReason::ByHand, 100, "lead"));
        assert_eq!(code(link::add(&desk, &lead, id, deal.record.id).await), "linked_already");
        assert_eq!(record::threads(&desk, &lead, deal.record.id, 0, 9).await.unwrap().total, 1);
        assert_eq!(record::open(&desk, &lead, deal.record.id).await.unwrap().cases.len(), 1);
        link::remove(&desk, &lead, made.id).await.unwrap();
        assert_eq!(code(link::remove(&desk, &lead, made.id).await), "not found");
        assert_eq!(record::threads(&desk, &lead, deal.record.id, 0, 9).await.unwrap().total, 0);
        assert_eq!(code(link::remove(&desk, &lead, opened.links[0].id).await), "own_case");

        let firm = record::open(&desk, &lead, firm.record.id).await.unwrap();
        assert_eq!((firm.contacts.len(), firm.cases.len(), firm.row.open_cases), (1, 1, 1));
        let (stream, next) = record::stream(&desk, &lead, ann.record.id, None, 1).await.unwrap();
        assert_eq!(stream[0].kind.word(), "message_in");
        let (rest, end) = record::stream(&desk, &lead, ann.record.id, next, 50).await.unwrap();
        assert_eq!((rest.len(), rest[0].kind.word(), end), (1, "created", None));
    }

    async fn two_who_write_at_once_do_not_overwrite_each_other(db: Db) {
        let office = Office::new(db);
        let desk = office.desk.clone();
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let mine = office.person("own", Level::Own, Level::Own, &[]).await;
        let new = record::Changes { name: Some("Beta".to_owned()), external_id: Some(Some("42".to_owned())), ..record::Changes::default() };
        let (put, beta) = record::put(&desk, &lead, RecordKind::Account, new.clone()).await.unwrap();
        assert_eq!((put, beta.record.version, beta.following), (record::Put::Created, 1, false), "records of another system are nobody's wish");
        let id = beta.record.id;
        let renamed = |name: &str| record::Changes { name: Some(name.to_owned()), ..record::Changes::default() };
        let first = record::change(&desk, &lead, id, 1, renamed("Beta s.r.o.")).await.unwrap();
        assert_eq!(first.record.version, 2);
        assert_eq!(code(record::change(&desk, &lead, id, 1, renamed("Gamma")).await), "changed_meanwhile");
        assert_eq!(record::change(&desk, &lead, id, 2, renamed("Beta s.r.o.")).await.unwrap().record.version, 2, "nothing to write");
        let (put, again) = record::put(&desk, &lead, RecordKind::Account, new).await.unwrap();
        assert_eq!((put, again.record.id, again.record.name.as_str()), (record::Put::Changed, id, "Beta"));
        let (_, other) = record::put(&desk, &lead, RecordKind::Account, renamed("Other")).await.unwrap();
        assert!(other.following);
        let taken = record::Changes { external_id: Some(Some("42".to_owned())), ..record::Changes::default() };
        assert_eq!(code(record::change(&desk, &lead, other.record.id, 1, taken).await), "external_id_taken");
        assert_eq!(code(record::open(&desk, &mine, id).await), "not found");
        assert_eq!(code(record::follow(&desk, &mine, id).await), "not found");
        assert_eq!(record::list(&desk, &mine, record::Listing::default(), 0, 50).await.unwrap().0, 0);
        let (_, own) = record::put(&desk, &mine, RecordKind::Lead, renamed("Lead of mine")).await.unwrap();
        assert_eq!(code(record::open(&desk, &mine, own.record.id).await), "done");
        let bad = record::Changes { addresses: Some(vec!["a b".to_owned()]), ..renamed("x") };
        assert_eq!(code(record::put(&desk, &lead, RecordKind::Contact, bad).await), "addresses");
        assert_eq!(code(record::put(&desk, &lead, RecordKind::Case, renamed("x")).await), "kind");
    }

    async fn a_thread_of_two_mailboxes_moves_up_in_both(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let orders = office.mailbox("orders@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        office.arrives(helpdesk, QUESTION).await;
        office.arrives(orders, QUESTION).await;
        office.arrives(orders, INVOICE).await;
        let desk = office.desk.clone();
        let subjects = async |mailbox| {
            let page = thread::list(&desk, &lead, View::All, Some(Part::Mailbox(mailbox)), 0, 50).await.unwrap();
            page.rows.into_iter().map(|row| row.subject).collect::<Vec<_>>()
        };
        assert_eq!(subjects(orders).await, ["Faktúra 12", "Where is my order?"]);
        office.arrives(helpdesk, MORE).await;
        assert_eq!(subjects(orders).await, ["Where is my order?", "Faktúra 12"]);
        assert_eq!(subjects(helpdesk).await, ["Where is my order?"]);
        let found = search::find(&desk, &lead, "in:orders order", None, 0, 50).await.unwrap();
        assert_eq!(found.0, 2, "both messages of the thread, the first of them once");
    }

    async fn a_merged_thread_answers_as_the_one_it_became(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        office.arrives(helpdesk, QUESTION).await;
        let desk = office.desk.clone();
        let late = Mail { id: "q3@firm.example", answers: "q9@firm.example", ..MORE };
        office.arrives(helpdesk, late).await;
        let rows = thread::list(&desk, &lead, View::All, None, 0, 9).await.unwrap().rows;
        assert_eq!(rows.len(), 2, "nothing ties them yet");
        let missing = Mail { id: "q9@firm.example", answers: "q1@firm.example", ..MORE };
        office.arrives(helpdesk, missing).await;
        assert_eq!(thread::list(&desk, &lead, View::All, None, 0, 9).await.unwrap().total, 1);
        let opened = [thread::open(&desk, &lead, rows[0].id).await, thread::open(&desk, &lead, rows[1].id).await];
        let ids: Vec<_> = opened.into_iter().map(|thread| thread.unwrap().row).map(|row| (row.id, row.messages)).collect();
        assert_eq!(ids, [(rows[1].id, 3), (rows[1].id, 3)]);
    }

    async fn h3_search_finds_what_was_written_and_shows_where(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let orders = office.mailbox("orders@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        office.arrives(helpdesk, QUESTION).await;
        office.arrives(orders, INVOICE).await;
        let file = Mail {
            subject: "Zmluva",
            id: "z@beta.example",
            kind: "multipart/mixed; boundary=b",
            text: "--b\nContent-Type: text/plain\n\nin the file\n--b\nContent-Type: application/pdf\n\
                   Content-Disposition: attachment; filename=zmluva.pdf\n\nPDF\n--b--",
            ..INVOICE
        };
        office.arrives(orders, file).await;
        let desk = office.desk.clone();
        let mut out = String::new();
        for typed in [
            "FAKTURA", "fakt* zaplatenie", "\"zaplatenie faktury\"", "\"faktury zaplatenie\"", "order -4711", "order OR zmluva",
            "from:ann", "to:ann", "to:orders@acme.example", "subject:order", "subject:zaplatenie", "has:attachment", "zmluva.pdf",
            "in:helpdesk", "in:orders faktura", "in:nowhere", "after:2026-03-02", "before:2026-03-02", "",
        ] {
            let (total, hits) = search::find(&desk, &lead, typed, None, 0, 50).await.unwrap();
            let shown: Vec<String> = hits.iter().map(|hit| {
                let marked: Vec<String> = hit.snippet.ranges.iter().map(|r| {
                    let units: Vec<u16> = hit.snippet.text.encode_utf16().skip(r.start).take(r.len()).collect();
                    String::from_utf16(&units).unwrap()
                }).collect();
                format!("{} [{}]", hit.message.subject, marked.join(" "))
            }).collect();
            out.push_str(format!("{typed}: {total} {}", shown.join(", ")).trim_end());
            out.push('\n');
        }
        expect![[r#"
            FAKTURA: 1 Faktúra 12 []
            fakt* zaplatenie: 1 Faktúra 12 [zaplatenie faktúry]
            "zaplatenie faktury": 1 Faktúra 12 [zaplatenie faktúry]
            "faktury zaplatenie": 0
            order -4711: 0
            order OR zmluva: 2 Zmluva [], Where is my order? [order]
            from:ann: 1 Where is my order? []
            to:ann: 0
            to:orders@acme.example: 2 Zmluva [], Faktúra 12 []
            subject:order: 1 Where is my order? []
            subject:zaplatenie: 0
            has:attachment: 1 Zmluva []
            zmluva.pdf: 1 Zmluva []
            in:helpdesk: 1 Where is my order? []
            in:orders faktura: 1 Faktúra 12 []
            in:nowhere: 0
            after:2026-03-02: 3 Zmluva [], Faktúra 12 [], Where is my order? []
            before:2026-03-02: 0
            : 3 Zmluva [], Faktúra 12 [], Where is my order? []
        "#]].assert_eq(&out);
        let (total, hits) = search::find(&desk, &lead, "", Some(orders), 1, 1).await.unwrap();
        assert_eq!((total, hits[0].message.subject.as_str()), (2, "Faktúra 12"));
        assert_eq!(code(search::find(&desk, &lead, "before:x", None, 0, 1).await), "q");
    }

    async fn a_message_gives_back_its_text_its_bytes_and_its_files(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        let mail = Mail {
            kind: "multipart/mixed; boundary=b",
            text: "--b\nContent-Type: text/plain\n\nHello\n\nOn Monday, Ben <ben@beta.example> wrote:\n> old\n--b\n\
                   Content-Type: image/png\nContent-ID: <pic@x>\nContent-Disposition: inline; filename=a.png\n\nPNG\n--b--",
            ..QUESTION
        };
        office.arrives(helpdesk, mail.clone()).await;
        let desk = office.desk.clone();
        let id = thread::list(&desk, &lead, View::All, None, 0, 1).await.unwrap().rows[0].id;
        let opened = thread::open(&desk, &lead, id).await.unwrap();
        let Item::Message(letter) = &opened.items[0] else { panic!("a message first") };
        let page = message::open(&desk, &lead, letter.id).await.unwrap();
        assert_eq!(page.reply_text, "Hello");
        assert!(page.letter.text.contains("> old"));
        assert!(page.why.iter().any(|step| step.step == "case"), "{:?}", page.why);
        assert_eq!(message::raw(&desk, &lead, letter.id, None).await.unwrap(), mail.bytes());
        assert_eq!(code(message::raw(&desk, &lead, letter.id, Some(model::OccurrenceId(99))).await), "not found");
        let (file, bytes) = message::inline(&desk, &lead, letter.id, "pic@x").await.unwrap();
        assert_eq!((file.name.as_str(), bytes.as_slice()), ("a.png", &b"PNG"[..]));
        assert_eq!(message::attachment(&desk, &lead, letter.id, 0).await.unwrap().1, b"PNG");
        assert_eq!(code(message::attachment(&desk, &lead, letter.id, 1).await), "not found");
        assert_eq!(code(message::inline(&desk, &lead, letter.id, "").await), "not found");
    }

    async fn a_case_by_hand_is_made_once_and_gets_the_next_number(db: Db) {
        let mut office = Office::new(db);
        let helpdesk = office.mailbox("helpdesk@acme.example", None).await;
        let lead = office.person("lead", Level::All, Level::All, &[]).await;
        office.arrives(helpdesk, QUESTION).await;
        let mut import = desk::import::Import::begin(&office.receive, None).await.unwrap();
        let mut batch = desk::import::Batch::default();
        batch.push(INVOICE.bytes(), office::MORNING);
        import.file(batch).await.unwrap();
        let desk = office.desk.clone();
        let rows = thread::list(&desk, &lead, View::All, None, 0, 9).await.unwrap().rows;
        let bare = rows.iter().find(|row| row.case.is_none()).unwrap().id;
        assert_eq!(thread::list(&desk, &lead, View::Unlinked, None, 0, 9).await.unwrap().rows[0].id, bare);
        assert_eq!(code(case::create(&desk, &lead, bare, Some(model::ProcessId(7))).await), "process_id");
        let made = case::create(&desk, &lead, bare, None).await.unwrap();
        assert_eq!((made.part.number, made.threads.len(), made.record.name.as_str()), (2, 1, "Faktúra 12"));
        assert_eq!(code(case::create(&desk, &lead, bare, None).await), "case_exists");
        assert_eq!(thread::list(&desk, &lead, View::Unassigned, None, 0, 9).await.unwrap().total, 2);
        let old = Changes { version: Some(9), status: Some(CaseStatus::Waiting), ..Changes::default() };
        assert_eq!(code(case::change(&desk, &lead, made.record.id, old).await), "changed_meanwhile");
        let nobody = Changes { assignee: Some(Some(model::UserId(99))), ..Changes::default() };
        assert_eq!(code(case::change(&desk, &lead, made.record.id, nobody).await), "assignee_id");
    }
}
